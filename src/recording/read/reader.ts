// SPDX-License-Identifier: MIT
/** A recording as a `Source`, from a file or while it still grows. */
import { createBatch, type EventBatch } from '../../core/events/batch.js';
import type { SessionInfo } from '../../core/events/session.js';
import type { Source } from '../../core/events/source.js';
import { UserKind } from '../../core/events/user-rows.js';
import { Baseline } from '../format/baseline.js';
import type { ZstdCodec } from '../format/codec.js';
import type { Column } from '../format/columns.js';
import type { MessageFrame } from '../format/frame.js';
import type { Head } from '../format/header.js';
import { damaged } from '../format/read-errors.js';
import { loadZstd } from '../format/zstd.js';
import { Cut, shiftSession } from './cut.js';
import { BatchDecoder, Damage } from './decode.js';
import { MessageReader } from './messages.js';

export interface RecordingSource extends Source {
  /** Once `batches()` has ended: how the recording was cut off, in words; `null` when it is whole. */
  readonly truncated: string | null;
}

export interface OpenOptions {
  /**
   * Rows as they stand in the file. Else a later part of a recording, read by itself, looks as if its session had begun
   * with it (see `Cut`).
   */
  readonly raw?: boolean;
  /** Decode these columns and `time`, the others hold anything. Only with `raw`. */
  readonly only?: ReadonlySet<Column['key']>;
  /** Called with each batch as it stands in the file, before anything of it is changed. */
  readonly onRaw?: (batch: EventBatch) => void;
  /** Called with each End row's arrival: nothing follows, although the file may still be there to wait for. */
  readonly onEnd?: () => void;
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
  options: OpenOptions = {},
): Promise<Recording> {
  try {
    return new Recording(await MessageReader.open(chunks, name), name, await loadZstd(), release, options);
  } catch (error) {
    await release();
    throw error;
  }
}

export class Recording implements RecordingSource {
  readonly session: SessionInfo;
  /** As the file has it. */
  readonly head: Head;
  truncated: string | null = null;
  /** An End row was read. */
  ended = false;
  /** Record batches read so far. */
  messages = 0;
  readonly #reader: MessageReader;
  readonly #name: string;
  readonly #decoder: BatchDecoder;
  readonly #release: () => void | Promise<void>;
  readonly #options: OpenOptions;
  readonly #cut: Cut | null;
  #started = false;
  #closed = false;

  constructor(
    reader: MessageReader,
    name: string,
    codec: ZstdCodec,
    release: () => void | Promise<void>,
    options: OpenOptions,
  ) {
    this.head = reader.head;
    this.#reader = reader;
    this.#name = name;
    this.#decoder = new BatchDecoder(codec, reader.head.format);
    this.#release = release;
    this.#options = options;
    const { session, part } = reader.head;
    const before = options.raw === true ? null : (part?.before ?? null);
    this.#cut = before === null ? null : new Cut(new Baseline(before), before.time);
    this.session = before === null ? session : shiftSession(session, before.time);
  }

  /** Bytes read so far. */
  get bytes(): number {
    return this.#reader.offset;
  }

  /** Parts read so far; 1 for a recording in one piece. */
  get parts(): number {
    return this.#reader.parts;
  }

  async *batches(): AsyncGenerator<EventBatch, void, undefined> {
    if (this.#started) throw new Error('batches() may be iterated once');
    this.#started = true;
    try {
      const gauges = createBatch(256, ['']);
      this.#cut?.begin(gauges);
      if (gauges.length > 0) yield gauges;
      while (!this.#closed) {
        const frame = await this.#next();
        if (frame === null) return;
        this.messages++;
        const batch = this.#decode(frame);
        this.#options.onRaw?.(batch);
        this.#cut?.apply(batch, 0);
        if (batch.length > 0) yield batch;
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
    let frame: MessageFrame | null;
    try {
      frame = await this.#reader.next();
    } catch (error) {
      if (this.#closed) return null;
      throw error;
    }
    if (this.#closed) return null;
    if (frame === null) this.truncated = this.ended ? null : this.#describeEnd();
    return frame;
  }

  #decode(frame: MessageFrame): EventBatch {
    let batch: EventBatch;
    try {
      batch = this.#decoder.decode(frame, this.#options.only ?? null);
    } catch (error) {
      // Not only Damage: the flatbuffers accessors throw RangeErrors of their own where offsets point nowhere.
      const why = error instanceof Damage ? error.message : 'a message that makes no sense';
      throw damaged(this.#name, frame.offset, why, error);
    }
    if (batch.kind.subarray(0, batch.length).includes(UserKind.End)) {
      this.ended = true;
      this.#options.onEnd?.();
    }
    return batch;
  }

  /** Why a stream without an End row stopped. */
  #describeEnd(): string {
    const { ending } = this.#reader;
    if (ending?.kind === 'cut') {
      if (ending.partial) return `cut off inside a message, ${ending.bytes} bytes of which are lost`;
      return 'cut off: the recorder was stopped before the session ended';
    }
    return this.head.part === null
      ? 'the recorder closed it before the session ended in order'
      : 'the recording goes on in a further part';
  }
}
