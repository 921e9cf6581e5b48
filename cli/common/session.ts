// SPDX-License-Identifier: MIT
/** A session from its source to its end: commands that observe, or read one recording, differ in what they make of it. */

import type { Source } from '../../src/core/events/source.js';
import { ExitCode, UserError } from '../../src/errors.js';
import { feed, type Sink, truncation } from './feed.js';
import {
  type CommandResult,
  forwardOrStop,
  type LiveSource,
  openLiveSource,
  openRecorded,
  startCommand,
  stopAll,
} from './open.js';
import type { LiveCliOptions, TimeRangeCliOptions } from './options.js';
import { onStopSignal, say, signalExitCode } from './process.js';

export interface RunOptions extends LiveCliOptions, TimeRangeCliOptions {
  /** Of a recording: false where something else is written meanwhile. */
  readonly progress?: boolean;
}

/** A session that is not followed yet: live, with a command where one was given, or recorded. */
export interface Run {
  readonly source: Source;
  /** null: a recording. */
  readonly live: LiveSource | null;
  readonly argv: readonly string[];
  readonly duration: number | undefined;
}

export interface RunEnd {
  /** The first thing that went wrong; null for nothing. What came before it was pushed. */
  readonly failure: unknown;
  /** null: none was given, or it could not be run. */
  readonly command: CommandResult | null;
  /** A command was given and never ran, or it failed before the first row: there is nothing to show. */
  readonly empty: boolean;
  /** Why the recording ends early, in words; null when it does not. */
  readonly truncated: string | null;
  /** `code`, or what stands for the signal that came. */
  exitCode(code: number): number;
  /** When all is written: until then, a second signal ends the process at once. */
  dispose(): void;
}

/** `stats`: take run times of the probes. `outputs`: files that are written at the end. Throws `UserError`. */
export async function openRun(
  file: string | undefined,
  argv: readonly string[],
  options: RunOptions,
  stats: boolean,
  outputs: readonly string[] = [],
): Promise<Run> {
  const { duration } = options;
  if (file !== undefined)
    return { source: await openRecorded(file, { progress: true, ...options }), live: null, argv, duration };
  const live = await openLiveSource(options, argv.length > 0, stats, outputs);
  return { source: live, live, argv, duration };
}

/** Throws `UserError`: before anything is opened or created for either of them. */
export function refuseBoth(name: string, file: string | undefined, argv: readonly string[]): void {
  if (file === undefined || argv.length === 0) return;
  throw new UserError(name, 'both a recording and a command were given', 'name one of them', ExitCode.Usage);
}

/**
 * Starts the command, gives up all privileges, and pushes every batch into `sink` until the source ends, the time is up,
 * the command ended or a signal came. `words`: what a terminal shows meanwhile, where nothing else would end it; '' for
 * nothing.
 */
export async function followRun({ source, live, argv, duration }: Run, sink: Sink, words: string): Promise<RunEnd> {
  let stopping = false;
  const stop = (): void => {
    stopping = true;
    source.close().catch((error: unknown) => say(String(error)));
  };
  let command: CommandResult | null = null;
  let failure: unknown = null;
  const child = live !== null && argv.length > 0 ? startCommand(live, argv) : null;
  child?.done
    .then(
      (result) => {
        command = result;
      },
      (error: unknown) => {
        failure = error;
      },
    )
    .finally(stop);
  try {
    live?.dropPrivileges();
  } catch (error) {
    failure = error;
    stop();
  }
  const watch = onStopSignal((signal) => forwardOrStop(signal, child, stop));
  if (duration !== undefined) live?.limit(duration * 1000);
  const limit = duration === undefined ? undefined : setTimeout(() => stopAll(child, stop), duration * 1000);
  if (live !== null && child === null && duration === undefined && words !== '' && process.stderr.isTTY) say(words);
  // A live source still has its last records and its End row to give after close(): only recordings stop at once.
  let rows = 0;
  const counted: Sink = {
    push: (batch) => {
      rows += batch.length;
      return sink.push(batch);
    },
  };
  const { error } = await feed(source, counted, { stopped: () => live === null && stopping });
  failure ??= error;
  clearTimeout(limit);
  await source.close();
  // Whatever ended the session, the command is not waited for longer than it takes to end it.
  if (child !== null && command === null) child.end.begin();
  const result = await child?.done.catch(() => {});
  if (result?.left !== undefined) say(`the command was left running: ${result.left}`);
  return {
    failure,
    command,
    empty: (child !== null && command === null) || (failure !== null && rows === 0),
    truncated: stopping ? null : truncation(source),
    exitCode: (code) => (watch.signal === null ? code : signalExitCode(watch.signal)),
    dispose: () => watch.dispose(),
  };
}
