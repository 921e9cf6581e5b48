// SPDX-License-Identifier: MIT
/** Faults of one row (a process, a VMA, a cause) that lost the VMA lock or never had it, over the session. */
import type { Attempt, Lifecycle } from '../lifecycle/lifecycle.js';
import { merge } from './timeline.js';

/** In slices from the session's base on. */
export interface LostSeries {
  readonly sliceNs: number;
  /** Faults that ended in each slice; those after the last one are empty. */
  readonly counts: readonly number[];
}

/** Whether one of its attempts lost the VMA lock, or had none. */
export function hasLost({ attempts }: Pick<Lifecycle, 'attempts'>): boolean {
  for (let i = 0; i < attempts.length; i++) {
    const { lock, outcome } = attempts[i] as Attempt;
    if (lock === 'vma' && (outcome === 'retry' || outcome === 'abort')) return true;
  }
  return false;
}

const SLICES = 64;
const FIRST_SLICE_NS = 100e6;

/** 64 counters; the slice doubles when they run out. */
export class LostSums {
  #sliceNs = FIRST_SLICE_NS;
  readonly #counts: Uint32Array = new Uint32Array(SLICES);
  #used = 0;

  /** A fault that ended at `time`, ns since base; one before the base counts into the first slice. */
  add(time: number): void {
    let at = Math.max(0, Math.floor(time / this.#sliceNs));
    while (at >= SLICES) {
      this.#halve();
      at = Math.floor(time / this.#sliceNs);
    }
    this.#counts[at] = (this.#counts[at] as number) + 1;
    this.#used = Math.max(this.#used, at + 1);
  }

  copy(): LostSeries {
    return { sliceNs: this.#sliceNs, counts: Array.from(this.#counts.subarray(0, this.#used)) };
  }

  #halve(): void {
    merge(this.#counts, 1);
    this.#sliceNs *= 2;
    this.#used = (this.#used + 1) >> 1;
  }
}
