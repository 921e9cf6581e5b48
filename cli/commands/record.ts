// SPDX-License-Identifier: MIT
/** `record`: batches go to a file or to stdout as they come, untouched. */
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { CounterGroup, type EventBatch, UserKind } from '../../src/core/batch.js';
import { ExitCode, errorCode, fileError, UserError } from '../../src/errors.js';
import { createRecordingWriter } from '../../src/recording/writer.js';
import type { LiveCliOptions } from '../options.js';
import { onStopSignal, report, say, signalExitCode } from '../process.js';
import { type Child, type CommandResult, describeResult, openLiveSource, startCommand } from '../source.js';

export interface RecordOptions extends LiveCliOptions {
  readonly output: string;
}

/** A reader of a stream is never further behind than this. */
const FLUSH_MS = 1000;

/** What the last line on stderr says: kernel rows, and what the ring lost according to the newest counters. */
class Tally {
  rows = 0;
  readonly #dropped = new Map<number, number>();

  add(batch: EventBatch): void {
    for (let i = 0; i < batch.length; i++) {
      const kind = batch.kind[i] ?? 0;
      if (kind < UserKind.Counter) this.rows++;
      else if (kind === UserKind.Counter && batch.a[i] === CounterGroup.Dropped)
        this.#dropped.set(batch.b[i] ?? 0, batch.value[i] ?? 0);
    }
  }

  get dropped(): number {
    let sum = 0;
    for (const value of this.#dropped.values()) sum += value;
    return sum;
  }
}

async function openSink(path: string): Promise<Writable> {
  if (path !== '-') {
    const handle = await open(path, 'w').catch((error: unknown) => {
      throw fileError(`cannot write ${path}`, error);
    });
    return handle.createWriteStream();
  }
  if (process.stdout.isTTY) {
    throw new UserError(
      'cannot record to standard output',
      'it is a terminal, and a recording is binary',
      'name a file (record -o trace.vmlt) or pipe it (record -o - | vmalocktop replay -)',
      ExitCode.Usage,
    );
  }
  return process.stdout;
}

/** True for the one error that is the reader's choice: whoever reads our pipe has seen enough. */
function isClosedPipe(error: unknown): boolean {
  return errorCode(error) === 'EPIPE' || (error instanceof Error && errorCode(error.cause) === 'EPIPE');
}

/** Returns the exit code. Whatever ends it, rows that were drained are written first. */
export async function record(argv: readonly string[], options: RecordOptions): Promise<number> {
  const live = await openLiveSource(options, argv.length > 0, true);
  const sink = await openSink(options.output).catch(async (error: unknown) => {
    await live.close();
    throw error;
  });
  const writer = createRecordingWriter(live.session, sink);
  const tally = new Tally();
  const stop = (): void => {
    live.close().catch((error: unknown) => say(String(error)));
  };
  let child: Child | null = null;
  let command: CommandResult | null = null;
  let failure: unknown = null;
  const fail = (error: unknown): void => {
    failure ??= error;
    stop();
  };
  // The reader may go while nothing is being written: then only the stream itself says so.
  sink.on('error', fail);
  const watch = onStopSignal((signal) => {
    if (child === null) stop();
    else if (signal !== 'SIGINT') child.process.kill(signal);
  });
  // Writes of the loop and flushes of the timer take turns.
  let turn: Promise<void> = Promise.resolve();
  const inTurn = (action: () => Promise<void> | void): Promise<void> => {
    turn = turn.then(action);
    return turn;
  };
  const flusher = setInterval(() => void inTurn(() => writer.flush()).catch(fail), FLUSH_MS);
  const limit = options.duration === undefined ? undefined : setTimeout(stop, options.duration * 1000);
  try {
    if (argv.length > 0) {
      child = startCommand(live, argv);
      child.done.then((result) => {
        command = result;
        stop();
      }, fail);
    }
    for await (const batch of live.batches()) {
      if (failure !== null) break;
      tally.add(batch);
      await inTurn(() => writer.write(batch));
    }
    if (failure === null) await inTurn(() => writer.end());
  } catch (error) {
    fail(error);
  } finally {
    clearInterval(flusher);
    clearTimeout(limit);
  }
  await live.close();
  if (failure === null && sink !== process.stdout && !sink.closed) {
    if (!sink.writableEnded) sink.end();
    await once(sink, 'close').catch(fail);
  }
  watch.dispose();
  say(
    `${tally.rows} events recorded, ${tally.dropped} dropped${command === null ? '' : `; command: ${describeResult(command)}`}`,
  );
  if (failure !== null) {
    if (!isClosedPipe(failure)) return report(fileErrorOf(options.output, failure));
    say('stopped: the reader closed the pipe');
    return ExitCode.Ok;
  }
  return watch.signal === null ? ExitCode.Ok : signalExitCode(watch.signal);
}

function fileErrorOf(path: string, error: unknown): unknown {
  return errorCode(error) === '' ? error : fileError(`cannot write ${path}`, error);
}
