// SPDX-License-Identifier: MIT
/** A recording as a `Source`, from a file or while it still grows. */
import { MessageHeader } from 'apache-arrow/fb/message-header';
import { type EventBatch, UserKind } from '../core/batch.js';
import type { SessionInfo } from '../core/session.js';
import type { Source } from '../source/source.js';
import { ByteReader } from './bytes.js';
import { BatchDecoder, Damage } from './decode.js';
import { type Frame, type MessageFrame, readFrame } from './frame.js';
import { readHeader } from './header.js';
import { damaged, readError } from './read-errors.js';
import { loadZstd, type ZstdCodec } from './zstd.js';

export interface RecordingSource extends Source {
  /** Once `batches()` has ended: how the recording was cut off, in words; `null` when it is whole. */
  readonly truncated: string | null;
}

/**
 * Opens a recording from its bytes; settles as soon as its head is there.
 * `name` is what messages call it. `release` frees what the bytes come from and must make a read that waits end.
 * Rejects with a `UserError` when this is not a recording that can be read; `release` was called then.
 */
export async function openRecordingBytes(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
  release: () => void | Promise<void> = () => {},
): Promise<RecordingSource> {
  let first = new Uint8Array(0);
  const watched = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      if (first.length < 8) first = new Uint8Array(Buffer.concat([first, chunk.subarray(0, 8)]));
      yield chunk;
    }
  };
  const reader = new ByteReader(watched());
  try {
    const session = await readHeader(reader, name, () => first);
    return new Recording(session, reader, name, await loadZstd(), release);
  } catch (error) {
    await release();
    throw readError(name, error);
  }
}

class Recording implements RecordingSource {
  readonly session: SessionInfo;
  truncated: string | null = null;
  readonly #reader: ByteReader;
  readonly #name: string;
  readonly #decoder: BatchDecoder;
  readonly #release: () => void | Promise<void>;
  #started = false;
  #closed = false;
  #ended = false;

  constructor(
    session: SessionInfo,
    reader: ByteReader,
    name: string,
    codec: ZstdCodec,
    release: () => void | Promise<void>,
  ) {
    this.session = session;
    this.#reader = reader;
    this.#name = name;
    this.#decoder = new BatchDecoder(codec);
    this.#release = release;
  }

  async *batches(): AsyncGenerator<EventBatch, void, undefined> {
    if (this.#started) throw new Error('batches() may be iterated once');
    this.#started = true;
    try {
      while (!this.#closed) {
        const frame = await this.#next();
        if (frame === null) return;
        const batch = this.#decode(frame);
        if (batch.length === 0) continue;
        if (batch.kind.subarray(0, batch.length).includes(UserKind.End)) this.#ended = true;
        yield batch;
      }
    } finally {
      await this.close();
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#release();
  }

  /** The next record batch, or `null` at the end. */
  async #next(): Promise<MessageFrame | null> {
    let frame: Frame;
    try {
      frame = await readFrame(this.#reader);
    } catch (error) {
      if (this.#closed) return null;
      throw readError(this.#name, error);
    }
    if (this.#closed) return null;
    if (frame.kind === 'damaged') throw damaged(this.#name, frame.offset, frame.why);
    if (frame.kind !== 'message') {
      this.truncated = this.#ended ? null : describeEnd(frame);
      return null;
    }
    if (frame.type !== MessageHeader.RecordBatch) {
      throw damaged(this.#name, frame.offset, 'a message that has no place in a recording');
    }
    return frame;
  }

  #decode(frame: MessageFrame): EventBatch {
    try {
      return this.#decoder.decode(frame);
    } catch (error) {
      // Not only Damage: the flatbuffers accessors throw RangeErrors of their own where offsets point nowhere.
      const why = error instanceof Damage ? error.message : 'a message that makes no sense';
      throw damaged(this.#name, frame.offset, why, error);
    }
  }
}

/** Why a stream without an End row stopped. */
function describeEnd(frame: Exclude<Frame, MessageFrame | { kind: 'damaged' }>): string {
  if (frame.kind === 'end') return 'the recorder closed it before the session ended in order';
  if (frame.partial) return `cut off inside a message, ${frame.bytes} bytes of which are lost`;
  return 'cut off: the recorder was stopped before the session ended';
}
