// SPDX-License-Identifier: MIT
/** Where `record` puts what it gets: one file or stream, the parts of a rotated recording, or memory. */
import { existsSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import type { EventBatch } from '../../../src/core/events/batch.js';
import type { SessionInfo } from '../../../src/core/events/session.js';
import { formatBytes } from '../../../src/core/present/format.js';
import { ExitCode, UserError } from '../../../src/errors.js';
import { createFlightRecorder, type Written } from '../../../src/recording/write/flight.js';
import { createRotatingWriter } from '../../../src/recording/write/rotate.js';
import { type FsyncPolicy, fileSink, type RecordingSink, streamSink } from '../../../src/recording/write/sink.js';
import { createRecordingWriter } from '../../../src/recording/write/writer.js';
import { report, say, unguardStdout } from '../../common/process.js';

export interface OutputOptions {
  readonly output: string;
  /** Bytes. */
  readonly maxSize?: number;
  /** Seconds. */
  readonly maxAge?: number;
  /** Parts. */
  readonly keep?: number;
  readonly fsync: FsyncPolicy;
  /** Seconds kept in memory; absent: everything is written as it comes. */
  readonly flight?: number;
  /** Bytes. */
  readonly flightSize: number;
  /** The summary's file. */
  readonly stat?: string;
}

export interface RecordOutput {
  /** Bytes written so far. */
  readonly bytes: number;
  write(batch: EventBatch): Promise<void>;
  /** To be called about once a second. */
  flush(): Promise<void>;
  /** Closes it; rejects with the first failure. */
  end(): Promise<void>;
}

const isRotated = ({ maxSize, maxAge, keep }: OutputOptions): boolean =>
  maxSize !== undefined || maxAge !== undefined || keep !== undefined;

/** Throws a `UserError` for what does not go together. To be called before anything is attached. */
export function checkOutput(options: OutputOptions): void {
  const { output, flight, maxSize, maxAge, keep } = options;
  const refuse = (why: string, remedy: string): never => {
    throw new UserError('cannot read the command line', why, remedy, ExitCode.Usage);
  };
  if (output === '-' && process.stdout.isTTY) {
    throw new UserError(
      'cannot record to standard output',
      'it is a terminal, and a recording is binary',
      'name a file (record -o trace.vmlt) or pipe it (record -o - | vmalocktop replay -)',
      ExitCode.Usage,
    );
  }
  if (output === '-' && (isRotated(options) || flight !== undefined))
    refuse('a stream has no parts, and nothing is kept of it', 'name a file with -o');
  if (flight !== undefined && isRotated(options))
    refuse('--flight writes one file when it is asked to, and that has no parts', 'leave one of them out');
  if (options.stat !== undefined && output !== '-' && resolve(options.stat) === resolve(output))
    refuse('--stat names the file of the recording', 'name another file for the summary');
  if (keep !== undefined && maxSize === undefined && maxAge === undefined)
    refuse('--keep counts parts, and nothing divides the recording', 'give --max-size or --max-age as well');
}

/** Rejects with a `UserError` when the output cannot be opened. */
export async function openOutput(session: SessionInfo, options: OutputOptions): Promise<RecordOutput> {
  const { output, maxSize, maxAge, keep, fsync } = options;
  if (options.flight !== undefined) return openFlight(session, options, options.flight);
  if (!isRotated(options)) return createRecordingWriter(session, await openSink(output, fsync));
  return createRotatingWriter(session, output, {
    fsync,
    ...(maxSize === undefined ? {} : { maxBytes: maxSize }),
    ...(maxAge === undefined ? {} : { maxAgeMs: maxAge * 1000 }),
    ...(keep === undefined ? {} : { keep }),
  });
}

async function openSink(path: string, fsync: FsyncPolicy): Promise<RecordingSink> {
  if (path !== '-') return fileSink(path, { fsync });
  unguardStdout();
  return streamSink(process.stdout, 'standard output');
}

/** Kept in memory; SIGUSR1 writes it to a file beside `-o` with the time in its name, and the session's end to `-o` itself. */
async function openFlight(session: SessionInfo, options: OutputOptions, seconds: number): Promise<RecordOutput> {
  const recorder = await createFlightRecorder(session, { seconds, bytes: options.flightSize });
  let bytes = 0;
  let writing: Promise<void> = Promise.resolve();
  const sayWritten = (path: string, written: Written): void => {
    bytes += written.bytes;
    const span = ((written.to - written.from) / 1e9).toFixed(1);
    say(`the last ${span} s written to ${path} (${formatBytes(written.bytes)})`);
  };
  const onSignal = (): void => {
    const path = timedPath(options.output, new Date());
    writing = writing.then(async () => {
      try {
        sayWritten(path, await recorder.dumpTo(path, 'signal SIGUSR1', options.fsync));
      } catch (error) {
        report(error); // the session goes on: there may be room next time
      }
    });
  };
  process.on('SIGUSR1', onSignal);
  say(`the last ${seconds} s are kept in memory; kill -USR1 ${process.pid} writes them`);
  return {
    get bytes() {
      return bytes;
    },
    async write(batch) {
      recorder.write(batch);
    },
    async flush() {},
    async end() {
      process.off('SIGUSR1', onSignal);
      await writing;
      const sink = await fileSink(options.output, { fsync: options.fsync });
      sayWritten(options.output, await recorder.dump(sink, 'the session ended'));
    },
  };
}

/** `faults.vmlt` → `faults.2026-03-01T12-30-05Z.vmlt`, or with `-2` and so on where that is taken. */
export function timedPath(path: string, now: Date): string {
  const extension = extname(path);
  const time = now.toISOString().slice(0, 19).replaceAll(':', '-');
  const stem = `${path.slice(0, path.length - extension.length)}.${time}Z`;
  for (let n = 1; ; n++) {
    const candidate = `${stem}${n === 1 ? '' : `-${n}`}${extension}`;
    if (!existsSync(candidate)) return candidate;
  }
}
