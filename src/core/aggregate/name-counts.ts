// SPDX-License-Identifier: MIT
/** Counts by name, where most have one name only: a page retries for one cause, and there may be 16 384 such pages. */

/** Adds `by` to a count; one that comes to nothing goes. */
export function add<K extends string>(counts: Partial<Record<K, number>>, key: K, by: number): void {
  const count = (counts[key] ?? 0) + by;
  if (count === 0) delete counts[key];
  else counts[key] = count;
}

export class NameCounts<K extends string> {
  /** The name that came first, and the count of that one; the others, once there are any. */
  #first: K | null = null;
  #count = 0;
  #others: Partial<Record<K, number>> | null = null;

  add(key: K, by: number): void {
    this.#first ??= key;
    if (key === this.#first) this.#count += by;
    else {
      this.#others ??= {};
      add(this.#others, key, by);
    }
  }

  /** As plain data, without what came to nothing. */
  counts(): Partial<Record<K, number>> {
    const counts = { ...this.#others } as Partial<Record<K, number>>;
    if (this.#first !== null && this.#count !== 0) counts[this.#first] = this.#count;
    return counts;
  }
}
