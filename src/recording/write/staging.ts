// SPDX-License-Identifier: MIT
/** Rows on their way into the next record batch: small batches are gathered here, so that each message is worth its frame. */
import { createBatch, type EventBatch } from '../../core/events/batch.js';
import { BATCH_ROWS, COLUMNS, type TextKey } from '../format/columns.js';

const encoder = new TextEncoder();

export class Staging {
  readonly batch: EventBatch = createBatch(BATCH_ROWS, ['']);
  rows = 0;
  readonly #texts: Readonly<Record<TextKey, Text>> = { comm: new Text(), file: new Text() };
  /** UTF-8 of the source's strings by index; strings are append-only and shared by a source's batches. */
  #encoded: Uint8Array[] = [];
  #strings: readonly string[] | undefined;

  get full(): boolean {
    return this.rows === BATCH_ROWS;
  }

  /** Copies rows of `batch` from row `from` on until full. Returns how many were taken. */
  append(batch: EventBatch, from: number): number {
    const count = Math.min(batch.length - from, BATCH_ROWS - this.rows);
    if (this.#strings !== batch.strings) {
      this.#strings = batch.strings;
      this.#encoded = [];
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

  append(batch: EventBatch, key: TextKey, from: number, count: number, row: number, encoded: Uint8Array[]): void {
    const column = batch[key];
    const offsets = this.#offsets;
    let end = offsets[row] ?? 0;
    for (let i = from; i < from + count; i++) {
      const index = column[i] ?? 0;
      if (index !== 0) {
        encoded[index] ??= encoder.encode(batch.strings[index] ?? '');
        const bytes = encoded[index];
        if (end + bytes.length > this.#bytes.length) this.#grow(end + bytes.length);
        this.#bytes.set(bytes, end);
        end += bytes.length;
      }
      offsets[++row] = end;
    }
  }

  #grow(needed: number): void {
    const bytes = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    bytes.set(this.#bytes);
    this.#bytes = bytes;
  }
}
