// SPDX-License-Identifier: MIT
/** `stat`: a summary without a terminal, of a live session, of a command's run, or of a recording. */
import { type FileHandle, open } from 'node:fs/promises';
import { FailOn, failOnRules } from '../../src/alerts/fail-on.js';
import { Pipeline } from '../../src/core/pipeline.js';
import type { Snapshot } from '../../src/core/snapshot.js';
import { statJson } from '../../src/core/stat-json.js';
import { ExitCode, fileError, UserError } from '../../src/errors.js';
import type { Source } from '../../src/source/source.js';
import { feed, truncation } from '../feed.js';
import type { LiveCliOptions, StretchCliOptions } from '../options.js';
import { onStopSignal, print, report, say, signalExitCode } from '../process.js';
import {
  type CommandResult,
  describeResult,
  forwardOrStop,
  type LiveSource,
  openLiveSource,
  openRecorded,
  startCommand,
  stopAll,
} from '../source.js';
import { statText } from '../stat-text.js';

export interface StatOptions extends LiveCliOptions, StretchCliOptions {
  readonly json?: boolean;
  readonly interval?: number;
  readonly output?: string;
  /** Rules, or expressions, that make the session a finding. */
  readonly failOn?: readonly string[];
  /** File of the rules; absent: the default set. */
  readonly rules?: string;
}

interface Extra {
  readonly command: CommandResult | null;
  readonly truncated: string | null;
}

const NOTHING: Extra = { command: null, truncated: null };

function render(snapshot: Snapshot, json: boolean, extra: Extra): string {
  if (json) {
    const more = {
      ...(extra.command && { command: extra.command }),
      ...(extra.truncated && { truncated: extra.truncated }),
    };
    return `${JSON.stringify({ ...statJson(snapshot), ...more })}\n`;
  }
  const notes: string[] = [];
  if (extra.command) notes.push(`command: ${extra.command.argv.join(' ')} (${describeResult(extra.command)})`);
  if (extra.truncated) notes.push(`CUT OFF: ${extra.truncated}`);
  return statText(snapshot, notes);
}

/** Where the summary goes: a file of its own, so that it does not mix with the command's output, or stdout. */
async function openOutput(
  path: string | undefined,
): Promise<{ write(text: string): Promise<void>; close(): Promise<void> }> {
  if (path === undefined || path === '-') return { write: print, close: async () => {} };
  const what = `cannot write ${path}`;
  const handle: FileHandle = await open(path, 'w').catch((error: unknown) => {
    throw fileError(what, error);
  });
  return {
    write: async (text) => {
      await handle.appendFile(text).catch((error: unknown) => {
        throw fileError(what, error);
      });
    },
    close: () => handle.close(),
  };
}

/** Runs until the source ends, the time is up, the command ended or a signal came. Returns the exit code. */
export async function stat(file: string | undefined, argv: readonly string[], options: StatOptions): Promise<number> {
  if (file !== undefined && argv.length > 0) {
    throw new UserError('stat', 'both a recording and a command were given', 'name one of them', ExitCode.Usage);
  }
  const failing = await failOnRules(options.failOn, options.rules);
  const output = await openOutput(options.output);
  const live: LiveSource | null = file === undefined ? await openLiveSource(options, argv.length > 0, true) : null;
  const source: Source = live ?? (await openRecorded(file ?? '-', options));
  const pipeline = new Pipeline(source.session);
  const failOn = failing === null ? null : new FailOn(source.session, pipeline, failing);
  let stopping = false;
  const stop = (): void => {
    stopping = true;
    source.close().catch((error: unknown) => say(String(error)));
  };

  let command: CommandResult | null = null;
  let failure: unknown = null;
  const child = live !== null && argv.length > 0 ? startCommand(live, argv) : null;
  live?.dropPrivileges();
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
  const watch = onStopSignal((signal) => forwardOrStop(signal, child, stop));
  const timers: NodeJS.Timeout[] = [];
  if (options.duration !== undefined) {
    timers.push(setTimeout(() => stopAll(child, stop), options.duration * 1000));
  }
  if (options.interval !== undefined) {
    const tick = (): void =>
      void output.write(render(pipeline.snapshot(), options.json === true, NOTHING)).catch(report);
    timers.push(setInterval(tick, options.interval * 1000));
  }
  if (live !== null && child === null && options.duration === undefined && process.stderr.isTTY) {
    say('observing; Ctrl-C ends it and prints the summary');
  }
  // A live source still has its last records and its End row to give after close(): only recordings stop at once.
  const { error } = await feed(source, failOn ?? pipeline, { stopped: () => live === null && stopping });
  failure ??= error;
  for (const timer of timers) clearInterval(timer);
  await source.close();
  await child?.done.catch(() => {});
  // A command that never ran has no figures.
  if (child !== null && command === null) return report(failure);
  const truncated = stopping ? null : truncation(source);
  await output.write(render(pipeline.snapshot(), options.json === true, { command, truncated }));
  await output.close();
  watch.dispose();
  if (truncated !== null) say(`the recording was cut off: ${truncated}`);
  if (failure !== null) return report(failure);
  const fired = failOn?.finish() ?? [];
  for (const line of fired) say(`fired ${line}`);
  if (watch.signal !== null) return signalExitCode(watch.signal);
  return fired.length > 0 ? ExitCode.Finding : ExitCode.Ok;
}
