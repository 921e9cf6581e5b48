// SPDX-License-Identifier: MIT
/** `RecordingWriter`: batches in, an Arrow IPC stream out. */
import type { EventBatch } from '../../core/events/batch.js';
import type { SessionInfo } from '../../core/events/session.js';
import type { Part } from '../format/part.js';
import { loadPacker } from '../format/zstd.js';
import { BatchEncoder, END_OF_STREAM, schemaMessage } from './encode.js';
import type { RecordingSink } from './sink.js';
import { Staging } from './staging.js';

/** Rows wait at most this long for company: what a killed recorder may lose. */
const MAX_AGE_MS = 1000;

export interface RecordingWriter {
  /** Rows taken so far. */
  readonly rows: number;
  /** Bytes handed to the sink so far. */
  readonly bytes: number;
  /** Takes a copy of the batch's rows. Settles when there is room for more; await it before the next. Rejects with the sink's `UserError`. */
  write(batch: EventBatch): Promise<void>;
  /** Sends what is gathered. To be called about once a second, so that rows do not wait for a next batch that never comes. */
  flush(): Promise<void>;
  /** Flushes, ends the stream and closes the sink. After a failure it still closes, and rejects with that failure. */
  end(): Promise<void>;
}

export interface RecordingWriterOptions {
  /** A clock in ms; `performance.now` by default. */
  readonly now?: () => number;
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
  const encoder = new BatchEncoder(await loadPacker());
  const staging = new Staging();
  let rows = 0;
  let bytes = 0;
  let oldest = 0;
  let ended = false;
  // Messages leave one after the other: a timer may flush while a write waits. Once one has failed,
  // each later one fails too, so nothing follows a message that arrived in part.
  let tail: Promise<void> = Promise.resolve();

  const send = (message: Uint8Array): Promise<void> => {
    bytes += message.length;
    tail = tail.then(() => sink.write(message));
    tail.catch(() => {}); // its rejection reaches the next one to await it
    return tail;
  };
  const flush = (): Promise<void> => {
    if (staging.rows === 0) return tail;
    const message = encoder.encode(staging);
    staging.clear();
    return send(message);
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
        if (staging.full) await flush();
      }
      if (staging.rows > 0 && now() - oldest >= MAX_AGE_MS) await flush();
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
