// SPDX-License-Identifier: MIT
/** `record`: batches go to a file or to stdout as they come, untouched. */

import { FailOn, failOnRules } from '../../../src/actions/fail-on.js';
import { Pipeline } from '../../../src/core/aggregate/pipeline.js';
import type { EventBatch } from '../../../src/core/events/batch.js';
import { CounterGroup, UserArgs, UserKind } from '../../../src/core/events/user-rows.js';
import { jsonOf } from '../../../src/core/present/clean.js';
import { formatBytes } from '../../../src/core/present/format.js';
import { ExitCode, errorCode } from '../../../src/errors.js';
import { refuseInputs } from '../../../src/output/inputs.js';
import { fileOutput, writeText } from '../../../src/output/output.js';
import { loadPacker } from '../../../src/recording/format/zstd.js';
import { redactSource } from '../../../src/recording/read/redact.js';
import { describeResult, openLiveSource } from '../../common/open.js';
import type { LiveCliOptions } from '../../common/options.js';
import { report, say } from '../../common/process.js';
import { followRun } from '../../common/session.js';
import { statJson } from '../stat/json.js';
import { checkOutput, type OutputOptions, openOutput } from './output.js';

export interface RecordOptions extends LiveCliOptions, OutputOptions {
  /** Without what is private to this host: see redactSource. */
  readonly redact?: boolean;
  /** Write the summary of the live session there as well, as `stat --json` prints it. */
  readonly stat?: string;
  /** Rules, or expressions, that make the session a finding. */
  readonly failOn?: readonly string[];
  /** File of the rules; absent: the default set. */
  readonly rules?: string;
}

/** Rows wait at most this long in the writer: with the 250 ms they may wait before, a kill loses less than a second. */
const FLUSH_MS = 500;

/** What the last line on stderr says: kernel rows, and what the ring lost according to the newest counters. */
class Tally {
  rows = 0;
  readonly #dropped = new Map<number, number>();

  add(batch: EventBatch): void {
    for (let i = 0; i < batch.length; i++) {
      const kind = batch.kind[i] ?? 0;
      if (kind < UserKind.Counter) this.rows++;
      else if (kind === UserKind.Counter && batch[UserArgs.Counter.group][i] === CounterGroup.Dropped)
        this.#dropped.set(batch[UserArgs.Counter.index][i] ?? 0, batch[UserArgs.Counter.value][i] ?? 0);
    }
  }

  get dropped(): number {
    let sum = 0;
    for (const value of this.#dropped.values()) sum += value;
    return sum;
  }
}

/** True for the one error that is the reader's choice: the reader of our pipe has seen enough. */
function isClosedPipe(error: unknown): boolean {
  const codes = ['EPIPE', 'ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_DESTROYED'];
  return codes.includes(errorCode(error)) || (error instanceof Error && codes.includes(errorCode(error.cause)));
}

async function writeSummary(path: string, text: string): Promise<void> {
  const output = await fileOutput(path);
  try {
    await writeText(output, text);
    await output.finish();
  } finally {
    await output.abandon();
  }
}

/** Returns the exit code. Whatever ends it, rows that were drained are written first. */
export async function record(argv: readonly string[], options: RecordOptions): Promise<number> {
  checkOutput(options);
  const failing = await failOnRules(options.failOn, options.rules);
  const inputs = options.rules === undefined ? [] : [options.rules];
  const outputs = [options.output, options.stat].filter((output) => output !== undefined);
  for (const output of outputs) await refuseInputs(output, inputs);
  // Before the probes are attached: its time is not to be part of the recording.
  await loadPacker();
  // Run times of the probes are not taken: that alone would cost every fault two clock reads.
  const live = await openLiveSource(options, argv.length > 0, false, outputs);
  const source = options.redact === true ? redactSource(live) : live;
  // Only now: a host that cannot be observed must not cost the user an earlier recording of this name.
  const writer = await openOutput(source.session, options).catch(async (error: unknown) => {
    await live.close();
    throw error;
  });
  const tally = new Tally();
  const pipeline = options.stat === undefined && failing === null ? null : new Pipeline(source.session);
  const failOn = failing === null || pipeline === null ? null : new FailOn(source.session, pipeline, failing);
  let failure: unknown = null;
  const fail = (error: unknown): void => {
    failure ??= error;
    live.close().catch((reason: unknown) => say(String(reason)));
  };
  const flusher = setInterval(() => void writer.flush().catch(fail), FLUSH_MS);
  const push = async (batch: EventBatch): Promise<void> => {
    // What could not be written is the end of the recording: what comes after it would be a hole.
    if (failure !== null) return;
    tally.add(batch);
    (failOn ?? pipeline)?.push(batch);
    await writer.write(batch).catch(fail);
  };
  const run = { source, live, argv, duration: options.duration };
  const end = await followRun(run, { push }, '').finally(() => clearInterval(flusher));
  failure ??= end.failure;
  await writer.end().catch(fail);
  if (pipeline !== null && options.stat !== undefined) {
    await writeSummary(options.stat, jsonOf(statJson(pipeline.snapshot()))).catch(fail);
  }
  end.dispose();
  const bytes = formatBytes(writer.bytes);
  const ran = end.command === null ? '' : `; command: ${describeResult(end.command)}`;
  say(`${tally.rows} events recorded (${bytes}), ${tally.dropped} dropped${ran}`);
  if (failure !== null && !isClosedPipe(failure)) return report(failure);
  if (failure !== null) say('stopped: the reader closed the pipe');
  const fired = failOn?.finish() ?? [];
  for (const line of fired) say(`fired ${line}`);
  return end.exitCode(fired.length > 0 ? ExitCode.Finding : ExitCode.Ok);
}
