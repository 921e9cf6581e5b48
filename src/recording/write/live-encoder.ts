// SPDX-License-Identifier: MIT
/** Record batch messages of a session that is under way: rows are copied at once, and packed beside the main thread. */
import type { EventBatch } from '../../core/events/batch.js';
import type { ZstdCodec } from '../format/codec.js';
import { loadZstd } from '../format/zstd.js';
import { type Aside, loadAside } from '../format/zstd-aside.js';
import { BatchEncoder } from './encode.js';
import type { Staging } from './staging.js';

/** Handing a column over takes longer than to pack it, where there are few rows. */
const WORTH_ROWS = 2048;

/** Whether it is one value over and over, of whichever width: a third of the columns are, and pack at once. */
function isUniform(raw: Uint8Array): boolean {
  return Buffer.compare(raw.subarray(8), raw.subarray(0, Math.max(0, raw.length - 8))) === 0;
}

export class LiveEncoder {
  readonly #encoder: BatchEncoder;
  readonly #codec: ZstdCodec;
  readonly #aside: Aside | null;
  /** Memory that is not in use: for the columns of a message, and as much for what becomes of them. */
  readonly #rooms: Uint8Array[] = [];

  private constructor(codec: ZstdCodec, aside: Aside | null) {
    this.#encoder = new BatchEncoder(codec);
    this.#codec = codec;
    this.#aside = aside;
  }

  /** Loads what packs. `aside`: that of this process; null: everything is packed at once. */
  static async create(aside?: Aside | null): Promise<LiveEncoder> {
    return new LiveEncoder(await loadZstd(), aside === undefined ? await loadAside() : aside);
  }

  /** Messages of all rows of these batches, as few as hold them. */
  encodeAll(batches: Iterable<EventBatch>): Uint8Array[] {
    return this.#encoder.encodeAll(batches);
  }

  /**
   * One message of all staged rows, in memory of its own; the staging may be used again at once. A promise never rejects.
   * What is under way is bounded: beyond that, and where rows are few, the message is there at once.
   */
  encode(staging: Staging): Uint8Array | Promise<Uint8Array> {
    const { rows } = staging;
    const aside = this.#aside;
    if (aside === null || rows < WORTH_ROWS) return this.#encoder.encode(staging);
    const raws = this.#encoder.buffers(staging);
    // What is packed already, or is nothing.
    const packed = raws.map((raw) => (raw.length === 0 ? raw : isUniform(raw) ? this.#codec.compress(raw) : null));
    if (!aside.free(packed.filter((data) => data === null).length)) return this.#encoder.message(rows, raws, packed);
    return this.#encodeAside(aside, rows, raws, packed);
  }

  async #encodeAside(
    aside: Aside,
    rows: number,
    raws: readonly Uint8Array[],
    packed: readonly (Uint8Array | null)[],
  ): Promise<Uint8Array> {
    const size = raws.reduce((sum, { length }) => sum + length, 0);
    const free = this.#rooms.pop();
    const room = free !== undefined && free.length >= 2 * size ? free : new Uint8Array(2 * size);
    let at = 0;
    const part = (length: number): Uint8Array => {
      at += length;
      return room.subarray(at - length, at);
    };
    const copies = raws.map((raw) => {
      const copy = part(raw.length);
      copy.set(raw);
      return copy;
    });
    // Packed they are no larger: what does not shrink goes in as it is.
    const datas = await Promise.all(copies.map((copy, i) => packed[i] ?? aside.compress(copy, part(copy.length))));
    const message = this.#encoder.message(rows, copies, datas);
    this.#rooms.push(room);
    return message;
  }
}
