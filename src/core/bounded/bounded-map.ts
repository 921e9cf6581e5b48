// SPDX-License-Identifier: MIT
/** A map that never grows past its bound: when full, the quarter of least weight goes, and is counted. */
export class BoundedMap<K, V> {
  /** Rows dropped so far. A key dropped and seen again starts from nothing. */
  evicted = 0;
  readonly #rows: Map<K, V> = new Map();
  readonly #bound: number;
  readonly #weight: (row: V) => number;

  /** `bound` ≥ 1; rows of equal weight go oldest first. */
  constructor(bound: number, weight: (row: V) => number) {
    this.#bound = bound;
    this.#weight = weight;
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

  /** A quarter at a time, so that the sort is paid for once per bound/4 new keys. */
  #evict(): void {
    const rows = [...this.#rows].map(([key, row]) => ({ key, weight: this.#weight(row) }));
    rows.sort((x, y) => x.weight - y.weight);
    const goes = Math.max(1, rows.length >> 2);
    for (const { key } of rows.slice(0, goes)) this.#rows.delete(key);
    this.evicted += goes;
  }
}
