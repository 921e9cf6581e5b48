// SPDX-License-Identifier: MIT
/** `stat`: a summary without a terminal, of a live session, of a command's run, or of a recording. */
import { type FileHandle, open } from 'node:fs/promises';
import { FailOn, failOnRules } from '../../../src/actions/fail-on.js';
import { Pipeline } from '../../../src/core/aggregate/pipeline.js';
import type { Snapshot } from '../../../src/core/aggregate/snapshot.js';
import { statJson } from '../../../src/core/present/stat-json.js';
import { ExitCode, fileError } from '../../../src/errors.js';
import { type CommandResult, describeResult } from '../../common/open.js';
import { print, report, say } from '../../common/process.js';
import { followRun, openRun, type RunOptions, refuseBoth } from '../../common/session.js';
import { statText } from './text.js';

export interface StatOptions extends RunOptions {
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
  refuseBoth('stat', file, argv);
  const failing = await failOnRules(options.failOn, options.rules);
  const output = await openOutput(options.output);
  const run = await openRun(file, argv, options, true);
  const { session } = run.source;
  const pipeline = new Pipeline(session);
  const failOn = failing === null ? null : new FailOn(session, pipeline, failing);
  const tick = (): void => void output.write(render(pipeline.snapshot(), options.json === true, NOTHING)).catch(report);
  const ticker = options.interval === undefined ? undefined : setInterval(tick, options.interval * 1000);
  const end = await followRun(run, failOn ?? pipeline, 'observing; Ctrl-C ends it and prints the summary');
  clearInterval(ticker);
  const { failure, command, truncated } = end;
  // A command that never ran has no figures.
  if (end.empty) return report(failure);
  await output.write(render(pipeline.snapshot(), options.json === true, { command, truncated }));
  await output.close();
  end.dispose();
  if (truncated !== null) say(`the recording was cut off: ${truncated}`);
  if (failure !== null) return report(failure);
  const fired = failOn?.finish() ?? [];
  for (const line of fired) say(`fired ${line}`);
  return end.exitCode(fired.length > 0 ? ExitCode.Finding : ExitCode.Ok);
}
