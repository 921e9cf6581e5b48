// SPDX-License-Identifier: MIT
/** Keys of VMAs in the tables of faults: to make one takes two numbers in decimal, so those made last are remembered. */
import { vmaKey } from '../events/vma-names.js';
import { slotOf } from './page-slot.js';

/** Slots, a power of two. A slot is overwritten by the next VMA that falls on it. */
const SLOTS = 1 << 12;

export class VmaKeys {
  readonly #mm: Float64Array = new Float64Array(SLOTS).fill(Number.NaN);
  readonly #start: Float64Array = new Float64Array(SLOTS);
  readonly #keys: string[] = new Array<string>(SLOTS).fill('');

  of(mm: number, start: number): string {
    const slot = slotOf(mm, start) & (SLOTS - 1);
    if (this.#mm[slot] === mm && this.#start[slot] === start) return this.#keys[slot] as string;
    const key = vmaKey(mm, start);
    this.#mm[slot] = mm;
    this.#start[slot] = start;
    this.#keys[slot] = key;
    return key;
  }
}
