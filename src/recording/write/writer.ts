// SPDX-License-Identifier: MIT
/** `RecordingWriter`: batches in, an Arrow IPC stream out. */
import type { EventBatch } from '../../core/events/batch.js';
import type { SessionInfo } from '../../core/events/session.js';
import type { Part } from '../format/part.js';
import { END_OF_STREAM, schemaMessage } from './encode.js';
import { LiveEncoder } from './live-encoder.js';
import type { RecordingSink } from './sink.js';
import { Staging } from './staging.js';

/** Rows wait at most this long for company: what a killed recorder may lose. */
const MAX_AGE_MS = 1000;

/** Messages that may wait for one before them to be packed: some megabytes. */
const MAX_QUEUED = 64;

export interface RecordingWriter {
  /** Rows taken so far. */
  readonly rows: number;
  /** Bytes handed to the sink so far. */
  readonly bytes: number;
  /**
   * Takes a copy of the batch's rows. Settles when there is room for more; await it before the next. Rejects with
   * the sink's `UserError`, which an earlier message may have met.
   */
  write(batch: EventBatch): Promise<void>;
  /** Sends what is gathered. To be called about once a second, so that rows do not wait for a next batch that never comes. */
  flush(): Promise<void>;
  /** Flushes, ends the stream and closes the sink. After a failure it still closes, and rejects with that failure. */
  end(): Promise<void>;
}

export interface RecordingWriterOptions {
  /** A clock in ms; `performance.now` by default. */
  readonly now?: () => number;
  /** `bytes` is to be that of all rows that were taken, but for those that wait for company: what is packed beside this thread lags. */
  readonly exactBytes?: boolean;
  /** Which part of a recording this is; null or absent: all of it. */
  readonly part?: Part | null;
}

/** Writes the head of the recording, so that a reader can open it before the first event. When it cannot, the sink is closed. */
export async function createRecordingWriter(
  session: SessionInfo,
  sink: RecordingSink,
  options: RecordingWriterOptions = {},
): Promise<RecordingWriter> {
  const now = options.now ?? ((): number => performance.now());
  const encoder = await LiveEncoder.create(options.exactBytes === true ? null : undefined);
  const staging = new Staging();
  let rows = 0;
  let bytes = 0;
  let oldest = 0;
  /** Messages that the sink has not taken, and those of them that are not packed. */
  let queued = 0;
  let packing = 0;
  let failed = false;
  let ended = false;
  // Messages leave one after the other: a timer may flush while a write waits. Once one has failed,
  // each later one fails too, so nothing follows a message that arrived in part.
  let tail: Promise<void> = Promise.resolve();

  const send = (message: Uint8Array | Promise<Uint8Array>): Promise<void> => {
    queued++;
    if (message instanceof Promise) {
      packing++;
      void message.then(() => packing--);
    }
    tail = tail.then(async () => {
      const packed = await message;
      bytes += packed.length;
      await sink.write(packed);
      queued--;
    });
    tail.catch(() => {
      failed = true; // its rejection reaches the next one to await it
    });
    return tail;
  };
  const flush = (): Promise<void> => {
    if (staging.rows === 0) return tail;
    const message = encoder.encode(staging);
    staging.clear();
    return send(message);
  };
  /**
   * Sends what is gathered, and settles when the sink has it. What is being packed is not waited for: where no CPU is free for
   * that, the ring would fill up meanwhile, and this thread can pack as well.
   */
  const pass = (): Promise<void> => {
    const sent = flush();
    return packing > 0 && queued < MAX_QUEUED && !failed ? Promise.resolve() : sent;
  };

  try {
    await send(schemaMessage(session, options.part ?? null));
  } catch (error) {
    await sink.end().catch(() => {}); // the first failure is the one to report
    throw error;
  }
  return {
    get rows() {
      return rows;
    },
    get bytes() {
      return bytes;
    },
    async write(batch) {
      if (ended) throw new Error('write after end');
      for (let from = 0; from < batch.length; ) {
        if (staging.rows === 0) oldest = now();
        const taken = staging.append(batch, from);
        from += taken;
        rows += taken;
        if (staging.full) await pass();
      }
      if (staging.rows > 0 && now() - oldest >= MAX_AGE_MS) await pass();
    },
    flush,
    async end() {
      if (ended) return;
      ended = true;
      try {
        await flush();
        await send(END_OF_STREAM);
      } catch (error) {
        await sink.end().catch(() => {}); // the first failure is the one to report
        throw error;
      }
      await sink.end();
    },
  };
}
