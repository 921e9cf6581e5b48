// SPDX-License-Identifier: MIT
/** Rows on their way into the next record batch: small batches are gathered here, so that each message is worth its frame. */
import { createBatch, type EventBatch } from '../../core/events/batch.js';
import { BATCH_ROWS, COLUMNS, type TextKey } from '../format/columns.js';

const encoder = new TextEncoder();

/** The source's strings as UTF-8, one behind the other: a buffer for each would be twenty times its text. */
class Encoded {
  #bytes: Uint8Array = new Uint8Array(4096);
  #used = 0;
  /** By index: where it begins, plus one, and where it ends; 0 0 for one not seen yet. */
  #ends: Uint32Array = new Uint32Array(512);

  forget(): void {
    this.#used = 0;
    this.#ends.fill(0);
  }

  /** Bytes of a string. */
  length(strings: readonly string[], index: number): number {
    const at = index * 2;
    if (at >= this.#ends.length)
      this.#ends = grown(this.#ends, new Uint32Array(Math.max(at + 2, this.#ends.length * 2)));
    if (this.#ends[at] === 0) this.#add(strings[index] ?? '', at);
    return (this.#ends[at + 1] as number) - (this.#ends[at] as number) + 1;
  }

  /** One whose length was asked for. Byte by byte: a name has sixteen, and a view on them would be made for each row. */
  copy(index: number, to: Uint8Array, at: number): void {
    const end = this.#ends[index * 2 + 1] as number;
    for (let i = (this.#ends[index * 2] as number) - 1; i < end; i++) to[at++] = this.#bytes[i] as number;
  }

  #add(text: string, at: number): void {
    const most = this.#used + text.length * 3;
    if (most > this.#bytes.length)
      this.#bytes = grown(this.#bytes, new Uint8Array(Math.max(most, this.#bytes.length * 2)));
    this.#ends[at] = this.#used + 1;
    this.#used += encoder.encodeInto(text, this.#bytes.subarray(this.#used)).written;
    this.#ends[at + 1] = this.#used;
  }
}

function grown<T extends Uint8Array | Uint32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

export class Staging {
  readonly batch: EventBatch = createBatch(BATCH_ROWS, ['']);
  rows = 0;
  readonly #texts: Readonly<Record<TextKey, Text>> = { comm: new Text(), file: new Text() };
  /** Strings are append-only and shared by a source's batches. */
  readonly #encoded: Encoded = new Encoded();
  #strings: readonly string[] | undefined;

  get full(): boolean {
    return this.rows === BATCH_ROWS;
  }

  /** Copies rows of `batch` from row `from` on until full. Returns how many were taken. */
  append(batch: EventBatch, from: number): number {
    const count = Math.min(batch.length - from, BATCH_ROWS - this.rows);
    if (this.#strings !== batch.strings) {
      this.#strings = batch.strings;
      this.#encoded.forget();
    }
    for (const column of COLUMNS) {
      if (column.type === 'utf8') {
        this.#texts[column.key].append(batch, column.key, from, count, this.rows, this.#encoded);
        continue;
      }
      // Both sides are the same kind of typed array: the key decides it.
      const part = batch[column.key].subarray(from, from + count) as Uint8Array;
      (this.batch[column.key] as Uint8Array).set(part, this.rows);
    }
    this.rows += count;
    return count;
  }

  clear(): void {
    this.rows = 0;
  }

  /** The two buffers of a text column. */
  text(key: TextKey): { readonly offsets: Uint8Array; readonly bytes: Uint8Array } {
    return this.#texts[key].buffers(this.rows);
  }
}

/** A column of texts: where each ends, and all of them. */
class Text {
  readonly #offsets = new Int32Array(BATCH_ROWS + 1);
  #bytes = new Uint8Array(BATCH_ROWS);

  buffers(rows: number): { readonly offsets: Uint8Array; readonly bytes: Uint8Array } {
    return {
      offsets: new Uint8Array(this.#offsets.buffer, 0, (rows + 1) * 4),
      bytes: this.#bytes.subarray(0, this.#offsets[rows]),
    };
  }

  append(batch: EventBatch, key: TextKey, from: number, count: number, row: number, encoded: Encoded): void {
    const column = batch[key];
    const offsets = this.#offsets;
    let end = offsets[row] ?? 0;
    for (let i = from; i < from + count; i++) {
      const index = column[i] ?? 0;
      if (index !== 0) {
        const needed = end + encoded.length(batch.strings, index);
        if (needed > this.#bytes.length)
          this.#bytes = grown(this.#bytes, new Uint8Array(Math.max(needed, this.#bytes.length * 2)));
        encoded.copy(index, this.#bytes, end);
        end = needed;
      }
      offsets[++row] = end;
    }
  }
}
