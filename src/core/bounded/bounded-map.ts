// SPDX-License-Identifier: MIT
/** A map that never grows past its bound: when full, the quarter of least weight goes, and is counted. */
export class BoundedMap<K, V> {
  /** Rows dropped so far. A key dropped and seen again starts from nothing. */
  evicted = 0;
  readonly #rows: Map<K, V> = new Map();
  readonly #bound: number;
  readonly #weight: (row: V) => number;
  readonly #gone: ((row: V) => void) | null;

  /** `bound` ≥ 1; rows of equal weight go oldest first. `gone`: hears of each row that is pushed out. */
  constructor(bound: number, weight: (row: V) => number, gone: ((row: V) => void) | null = null) {
    this.#bound = bound;
    this.#weight = weight;
    this.#gone = gone;
  }

  get size(): number {
    return this.#rows.size;
  }

  get(key: K): V | undefined {
    return this.#rows.get(key);
  }

  set(key: K, row: V): void {
    if (this.#rows.size >= this.#bound && !this.#rows.has(key)) this.#evict();
    this.#rows.set(key, row);
  }

  delete(key: K): void {
    this.#rows.delete(key);
  }

  entries(): IterableIterator<[K, V]> {
    return this.#rows.entries();
  }

  values(): IterableIterator<V> {
    return this.#rows.values();
  }

  /** A quarter at a time, so that the sort is paid for once per bound/4 new keys. Nothing is made for a row. */
  #evict(): void {
    const weights = new Float64Array(this.#rows.size);
    let i = 0;
    for (const row of this.#rows.values()) weights[i++] = this.#weight(row) || 0;
    const goes = Math.max(1, weights.length >> 2);
    const sorted = weights.slice().sort();
    const most = sorted[goes - 1] as number;
    // Of those as heavy as the last that goes, so many go as well.
    let equal = goes - sorted.indexOf(most);
    i = 0;
    this.#rows.forEach((row, key) => {
      const weight = weights[i++] as number;
      if (weight < most || (weight === most && equal-- > 0)) {
        this.#rows.delete(key);
        this.#gone?.(row);
      }
    });
    this.evicted += goes;
  }
}
