// SPDX-License-Identifier: MIT
/** Rows on their way into the next record batch: small batches are gathered here, so that each message is worth its frame. */
import { createBatch, type EventBatch } from '../../core/events/batch.js';
import { BATCH_ROWS, COLUMNS } from '../format/columns.js';

const encoder = new TextEncoder();

export class Staging {
  readonly batch: EventBatch = createBatch(BATCH_ROWS, ['']);
  rows = 0;
  readonly #offsets = new Int32Array(BATCH_ROWS + 1);
  #text = new Uint8Array(BATCH_ROWS * 8);
  /** UTF-8 of the source's strings by index; strings are append-only and shared by a source's batches. */
  #encoded: Uint8Array[] = [];
  #strings: readonly string[] | undefined;

  get full(): boolean {
    return this.rows === BATCH_ROWS;
  }

  /** Copies rows of `batch` from row `from` on until full. Returns how many were taken. */
  append(batch: EventBatch, from: number): number {
    const count = Math.min(batch.length - from, BATCH_ROWS - this.rows);
    for (const column of COLUMNS) {
      if (column.type === 'utf8') continue;
      // Both sides are the same kind of typed array: the key decides it.
      const part = batch[column.key].subarray(from, from + count) as Uint8Array;
      (this.batch[column.key] as Uint8Array).set(part, this.rows);
    }
    this.#appendComm(batch, from, count);
    this.rows += count;
    return count;
  }

  clear(): void {
    this.rows = 0;
  }

  commOffsets(): Uint8Array {
    return new Uint8Array(this.#offsets.buffer, 0, (this.rows + 1) * 4);
  }

  commBytes(): Uint8Array {
    return this.#text.subarray(0, this.#offsets[this.rows]);
  }

  #appendComm(batch: EventBatch, from: number, count: number): void {
    if (this.#strings !== batch.strings) {
      this.#strings = batch.strings;
      this.#encoded = [];
    }
    const offsets = this.#offsets;
    let row = this.rows;
    let end = offsets[row] ?? 0;
    for (let i = from; i < from + count; i++) {
      const index = batch.comm[i] ?? 0;
      if (index !== 0) {
        this.#encoded[index] ??= encoder.encode(batch.strings[index] ?? '');
        const bytes = this.#encoded[index];
        if (end + bytes.length > this.#text.length) this.#grow(end + bytes.length);
        this.#text.set(bytes, end);
        end += bytes.length;
      }
      offsets[++row] = end;
    }
  }

  #grow(needed: number): void {
    const text = new Uint8Array(Math.max(needed, this.#text.length * 2));
    text.set(this.#text);
    this.#text = text;
  }
}
