// SPDX-License-Identifier: MIT
/**
 * The rows that name things (stack frames, swap devices, cgroups), as they stand: a recording that begins later needs
 * them too.
 */
import { createBatch, type EventBatch, pushUserRow, UserKind } from '../core/batch.js';

interface NameRow {
  readonly kind: number;
  readonly a: number;
  readonly b: number;
  readonly value: number;
  readonly name: string;
}

/** Rows kept at most; the names said longest ago go first. */
const MAX_ROWS = 262_144;

export function isName(kind: number): boolean {
  return (
    kind === UserKind.Frame || kind === UserKind.SwapDevice || kind === UserKind.Cgroup || kind === UserKind.Handler
  );
}

function keyOf({ kind, a, b, value }: NameRow): string | number {
  if (kind === UserKind.Cgroup) return value;
  return kind === UserKind.Handler ? `${a}.${b}` : a;
}

export class NamesSoFar {
  /** By what is named; the frames of one stack together. In the order they were last said. */
  readonly #named: Map<string, NameRow[]> = new Map();
  #rows = 0;

  get rows(): number {
    return this.#rows;
  }

  /** Row `i`, which `isName`. */
  add(batch: EventBatch, i: number): void {
    this.#put({
      kind: batch.kind[i] as number,
      a: batch.a[i] as number,
      b: batch.b[i] as number,
      value: batch.value[i] as number,
      name: batch.strings[batch.comm[i] as number] ?? '',
    });
  }

  /** Takes over what was said later. */
  merge(later: NamesSoFar): void {
    for (const rows of later.#named.values()) for (const row of rows) this.#put(row);
  }

  #put(row: NameRow): void {
    const key = `${row.kind}:${keyOf(row)}`;
    const known = this.#named.get(key);
    this.#rows++;
    if (known !== undefined && row.kind === UserKind.Frame && row.b !== 0) {
      known.push(row);
    } else {
      // Ids of stacks are used again: the innermost frame begins another one.
      this.#rows -= known?.length ?? 0;
      this.#named.delete(key);
      this.#named.set(key, [row]);
    }
    if (this.#rows > MAX_ROWS) this.#forgetOldest();
  }

  /** All of them as rows of `time`. */
  batch(time: number): EventBatch {
    const strings = [''];
    const batch = createBatch(Math.max(this.#rows, 1), strings);
    for (const rows of this.#named.values()) {
      for (const row of rows) {
        batch.comm[batch.length] = strings.push(row.name) - 1;
        pushUserRow(batch, row.kind, time, row.a, row.b, row.value);
      }
    }
    return batch;
  }

  #forgetOldest(): void {
    for (const [key, rows] of this.#named) {
      this.#named.delete(key);
      this.#rows -= rows.length;
      return;
    }
  }
}
