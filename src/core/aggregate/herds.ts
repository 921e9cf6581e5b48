// SPDX-License-Identifier: MIT
/** How many wait for one folio at a time. Typed arrays: nothing is allocated per wait. */

/** Slots, a power of two. A slot is overwritten by the next folio that falls on it. */
const FOLIOS = 1 << 13;
/** Herds of one folio that a wait which ends late may still join. */
const PAST_HERDS = 4;

export function mix(x: number): number {
  const h = Math.imul(x ^ (x >>> 16), 0x45d9f3b);
  return (h ^ (h >>> 15)) >>> 0;
}

/**
 * Waits for one folio that overlap, one with the next, are one herd. They are pushed as they end, so a herd grows with
 * each, and a wait that ends late may make one herd of two.
 */
export class Herds {
  /** Herds by the power of two of their size. */
  readonly sizes: number[] = [];
  largest = 0;
  /** Folios pushed out of their slot while others still waited for them. */
  evicted = 0;
  /** Per slot: its folio, and how many of its `PAST_HERDS` places are in use, in order of time. */
  readonly #folio: Uint32Array = new Uint32Array(FOLIOS);
  readonly #used: Uint8Array = new Uint8Array(FOLIOS);
  readonly #start: Float64Array = new Float64Array(FOLIOS * PAST_HERDS);
  readonly #end: Float64Array = new Float64Array(FOLIOS * PAST_HERDS);
  readonly #size: Uint32Array = new Uint32Array(FOLIOS * PAST_HERDS);

  /** A wait for `folio` (u32) in [start, end]. `again`: this fault waited for it before, and is counted there. */
  waited(folio: number, start: number, end: number, again: boolean): void {
    const slot = mix(folio) & (FOLIOS - 1);
    const first = slot * PAST_HERDS;
    let used = this.#used[slot] as number;
    if (used > 0 && this.#folio[slot] !== folio) {
      if ((this.#end[first + used - 1] as number) > start) this.evicted++;
      used = 0;
    }
    this.#folio[slot] = folio;
    let from = start;
    let to = end;
    let size = 0;
    for (; used > 0; used--) {
      const past = first + used - 1;
      const began = this.#start[past] as number;
      const ended = this.#end[past] as number;
      if (!(ended > start && began < end)) break;
      const joined = this.#size[past] as number;
      this.#count(joined, -1);
      from = Math.min(from, began);
      to = Math.max(to, ended);
      size += joined;
    }
    if (!again || size === 0) size++;
    if (used === PAST_HERDS) {
      for (const column of [this.#start, this.#end, this.#size]) column.copyWithin(first, first + 1, first + used);
      used--;
    }
    this.#start[first + used] = from;
    this.#end[first + used] = to;
    this.#size[first + used] = size;
    this.#used[slot] = used + 1;
    this.#count(size, 1);
    if (size > this.largest) this.largest = size;
  }

  #count(size: number, by: number): void {
    const bucket = 31 - Math.clz32(size);
    while (this.sizes.length <= bucket) this.sizes.push(0);
    this.sizes[bucket] = (this.sizes[bucket] as number) + by;
  }
}
