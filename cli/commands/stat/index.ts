// SPDX-License-Identifier: MIT
/** `stat`: a summary without a terminal, of a live session, of a command's run, or of a recording. */

import { FailOn, failOnRules } from '../../../src/actions/fail-on.js';
import { Pipeline } from '../../../src/core/aggregate/pipeline.js';
import type { Snapshot } from '../../../src/core/aggregate/snapshot.js';
import type { AlertRule } from '../../../src/core/alerts/rule.js';
import { type CleanText, jsonOf } from '../../../src/core/present/clean.js';
import { ExitCode } from '../../../src/errors.js';
import { refuseInputs } from '../../../src/output/inputs.js';
import { fileOutput, writeText } from '../../../src/output/output.js';
import { AtCounters } from '../../common/at-counters.js';
import { type CommandResult, describeResult } from '../../common/open.js';
import { print, report, say } from '../../common/process.js';
import { followRun, openRun, type Run, type RunOptions, refuseBoth } from '../../common/session.js';
import { statJson } from './json.js';
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

function render(snapshot: Snapshot, json: boolean, extra: Extra): CleanText {
  if (json) {
    const more = {
      ...(extra.command && { command: extra.command }),
      ...(extra.truncated && { truncated: extra.truncated }),
    };
    return jsonOf({ ...statJson(snapshot), ...more });
  }
  const notes: string[] = [];
  if (extra.command) notes.push(`command: ${extra.command.argv.join(' ')} (${describeResult(extra.command)})`);
  if (extra.truncated) notes.push(`CUT OFF: ${extra.truncated}`);
  return statText(snapshot, notes);
}

interface TextOutput {
  write(text: CleanText): Promise<void>;
  finish(): Promise<void>;
  abandon(): Promise<void>;
}

/** Where the summary goes: a file of its own, so that it does not mix with the command's output, or stdout. */
async function openText(path: string | undefined, growing: boolean): Promise<TextOutput> {
  if (path === undefined || path === '-') return { write: print, finish: async () => {}, abandon: async () => {} };
  const output = await fileOutput(path, growing);
  return {
    write: (text) => writeText(output, text),
    finish: () => output.finish(),
    abandon: () => output.abandon(),
  };
}

/** Runs until the source ends, the time is up, the command ended or a signal came. Returns the exit code. */
export async function stat(file: string | undefined, argv: readonly string[], options: StatOptions): Promise<number> {
  refuseBoth('stat', file, argv);
  const failing = await failOnRules(options.failOn, options.rules);
  const inputs = [file, options.rules].filter((path) => path !== undefined);
  if (options.output !== undefined) await refuseInputs(options.output, inputs);
  // An earlier summary stays until there is another: neither a recording that cannot be read nor a host that cannot be
  // observed costs it.
  const progress = options.interval === undefined;
  const outputs = options.output === undefined ? [] : [options.output];
  const run = await openRun(file, argv, { ...options, progress }, true, outputs);
  const output = await openText(options.output, options.interval !== undefined).catch(async (error: unknown) => {
    await run.source.close();
    throw error;
  });
  try {
    return await summarise(run, output, failing, options);
  } finally {
    await output.abandon();
  }
}

async function summarise(
  run: Run,
  output: TextOutput,
  failing: readonly AlertRule[] | null,
  options: StatOptions,
): Promise<number> {
  const { session } = run.source;
  const pipeline = new Pipeline(session);
  const failOn = failing === null ? null : new FailOn(session, pipeline, failing);
  const tick = (): void => void output.write(render(pipeline.snapshot(), options.json === true, NOTHING)).catch(report);
  const paced = new AtCounters(failOn ?? pipeline, tick, run.live !== null);
  const ticker = options.interval === undefined ? undefined : setInterval(() => paced.ask(), options.interval * 1000);
  const end = await followRun(
    run,
    options.interval === undefined ? (failOn ?? pipeline) : paced,
    'observing; Ctrl-C ends it and prints the summary',
  );
  clearInterval(ticker);
  const { failure, command, truncated } = end;
  // A command that never ran has no figures.
  if (end.empty) return report(failure);
  await output.write(render(pipeline.snapshot(), options.json === true, { command, truncated }));
  await output.finish();
  end.dispose();
  if (truncated !== null) say(`the recording was cut off: ${truncated}`);
  if (failure !== null) return report(failure);
  const fired = failOn?.finish() ?? [];
  for (const line of fired) say(`fired ${line}`);
  return end.exitCode(fired.length > 0 ? ExitCode.Finding : ExitCode.Ok);
}
