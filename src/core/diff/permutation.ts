// SPDX-License-Identifier: MIT
/**
 * Is a difference between two recordings more than noise? Faults come in bursts and are anything but independent, so
 * what is exchanged between the recordings is whole time slices, and all figures of a slice together. Few and long ones:
 * the longer a slice, the less it resembles its neighbours (batch means; Schmeiser 1982).
 *
 * Statistic: the studentised difference of two ratios of sums, the variance of each from its slices' residuals
 * (Cochran, Sampling Techniques, 6.4). Reference: the same over random assignments of the slices to the two sides.
 * Adjusted p: the share of assignments in which the largest statistic of *any* figure is at least this one's
 * (Westfall & Young 1993, single-step maxT), so that in 19 of 20 comparisons of like with like nothing is named at all.
 */
import type { Ratio } from './figures.js';

export const PERMUTATIONS = 4999;

/** xorshift32: the same recordings must give the same answer every time. */
class Random {
  #state = 0x9e37_79b9;

  /** An integer in [0, below). */
  below(below: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return (x >>> 0) % below;
  }
}

/** Numerators, then denominators, of the slices of A, then of B. */
interface Table {
  readonly x: Float64Array;
  readonly d: Float64Array;
}

function tableOf({ a, b }: Ratio): Table {
  const rows = [...a, ...b];
  return { x: Float64Array.from(rows, ([x]) => x), d: Float64Array.from(rows, ([, d]) => d) };
}

/** |difference| / standard error for the slices `order[0..split)` against the rest; 0 when there is no difference. */
function statistic({ x, d }: Table, order: Uint16Array, split: number): number {
  const left = side(x, d, order, 0, split);
  const right = side(x, d, order, split, order.length);
  // A side without any denominator has no ratio to compare.
  if (left === null || right === null) return 0;
  const difference = Math.abs(left.ratio - right.ratio);
  // Sums of the same numbers in another order differ in their last bits.
  if (difference <= 1e-12 * Math.max(Math.abs(left.ratio), Math.abs(right.ratio))) return 0;
  return difference / Math.sqrt(left.variance + right.variance);
}

function side(
  x: Float64Array,
  d: Float64Array,
  order: Uint16Array,
  from: number,
  to: number,
): { ratio: number; variance: number } | null {
  let sumX = 0;
  let sumD = 0;
  for (let i = from; i < to; i++) {
    sumX += x[order[i] as number] as number;
    sumD += d[order[i] as number] as number;
  }
  if (sumD === 0) return null;
  const ratio = sumX / sumD;
  let squares = 0;
  for (let i = from; i < to; i++) {
    const at = order[i] as number;
    const residual = (x[at] as number) - ratio * (d[at] as number);
    squares += residual * residual;
  }
  const n = to - from;
  return { ratio, variance: (squares * n) / (n - 1) / (sumD * sumD) };
}

/** Adjusted p of each ratio, in (0, 1]. All must have as many slices of A, and of B, as the first. */
export function adjustedP(ratios: readonly Ratio[]): number[] {
  const [first] = ratios;
  if (first === undefined) return [];
  const split = first.a.length;
  const tables = ratios.map(tableOf);
  const order = Uint16Array.from({ length: split + first.b.length }, (_, i) => i);
  const observed = tables.map((table) => statistic(table, order, split));
  const atLeast = observed.map(() => 1);
  const random = new Random();
  for (let round = 0; round < PERMUTATIONS; round++) {
    for (let i = order.length - 1; i > 0; i--) {
      const j = random.below(i + 1);
      const swap = order[i] as number;
      order[i] = order[j] as number;
      order[j] = swap;
    }
    let largest = 0;
    for (const table of tables) largest = Math.max(largest, statistic(table, order, split));
    // A hair's breadth for rounding: the observed assignment is one of those drawn.
    for (const [i, value] of observed.entries()) if (largest >= value * (1 - 1e-9)) (atLeast[i] as number)++;
  }
  return atLeast.map((count) => count / (PERMUTATIONS + 1));
}
