// SPDX-License-Identifier: MIT
/**
 * Is a difference between two recordings more than noise? Faults come in bursts and are anything but independent, so
 * what is exchanged between the recordings is whole time slices, and all figures of a slice together. Few and long ones:
 * the longer a slice, the less it resembles its neighbours (batch means; Schmeiser 1982).
 *
 * Statistic: the studentised difference of (the logarithms of) two ratios of sums, the variance of each from its slices' residuals
 * (Cochran, Sampling Techniques, 6.4). Reference: the same over all ways to deal the slices out to the two sides.
 * Adjusted p: the share of deals in which the largest statistic of *any* figure that stands out no more than this one is at
 * least this one's (Westfall & Young 1993, step-down maxT), so that in 19 of 20 comparisons of like with like nothing is
 * named at all. What stands out most is held against all figures; once it is named, what it does under other deals is no
 * reason to doubt the next.
 */
import type { Ratio } from './figures.js';

/** Slices of both sides together, at most: 12 870 ways to deal them. */
const MAX_SLICES = 16;

/** Every way to choose `split` of `slices`, each as an order: the chosen ones first. The first is the one observed. */
function deals(slices: number, split: number): Uint16Array[] {
  const all: Uint16Array[] = [];
  // The next larger number with as many bits set (Gosper).
  for (let bits = 2 ** split - 1; bits < 2 ** slices; ) {
    const order = new Uint16Array(slices);
    let chosen = 0;
    let rest = split;
    for (let i = 0; i < slices; i++) order[(bits >> i) & 1 ? chosen++ : rest++] = i;
    all.push(order);
    const lowest = bits & -bits;
    const ripple = bits + lowest;
    bits = (((bits ^ ripple) >>> 2) / lowest) | ripple;
  }
  return all;
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

/**
 * |difference| / standard error for the slices `order[0..split)` against the rest; 0 when there is no difference.
 * Of the logarithms, where there are any: what is twice as much scatters twice as much as well.
 */
function statistic({ x, d }: Table, order: Uint16Array, split: number): number {
  const left = side(x, d, order, 0, split);
  const right = side(x, d, order, split, order.length);
  // A side without any denominator has no ratio to compare.
  if (left === null || right === null) return 0;
  const difference = Math.abs(left.ratio - right.ratio);
  // Sums of the same numbers in another order differ in their last bits.
  if (difference <= 1e-12 * Math.max(Math.abs(left.ratio), Math.abs(right.ratio))) return 0;
  if (left.ratio === 0 || right.ratio === 0) return difference / Math.sqrt(left.variance + right.variance);
  const relative = left.variance / left.ratio ** 2 + right.variance / right.ratio ** 2;
  return Math.abs(Math.log(left.ratio / right.ratio)) / Math.sqrt(relative);
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

/**
 * Adjusted p of each ratio, exact: in (0, 1]. All must have as many slices of A, and of B, as the first.
 * Throws a `RangeError` for more than 16 slices in all.
 */
export function adjustedP(ratios: readonly Ratio[]): number[] {
  const [first] = ratios;
  if (first === undefined) return [];
  const split = first.a.length;
  const slices = split + first.b.length;
  if (slices > MAX_SLICES) throw new RangeError(`${slices} slices: at most ${MAX_SLICES}`);
  const tables = ratios.map(tableOf);
  const orders = deals(slices, split);
  const observed = tables.map((table) => statistic(table, orders[0] ?? new Uint16Array(0), split));
  // What stands out least comes first: each figure's rivals are the ones before it.
  const rising = observed.map((_, i) => i).sort((x, y) => (observed[x] as number) - (observed[y] as number));
  const atLeast = observed.map(() => 0);
  for (const order of orders) {
    let largest = 0;
    for (const i of rising) {
      largest = Math.max(largest, statistic(tables[i] as Table, order, split));
      // A hair's breadth for rounding: the observed deal is one of those.
      if (largest >= (observed[i] as number) * (1 - 1e-9)) (atLeast[i] as number)++;
    }
  }
  // None is more certain than one that stands out more.
  const ps = atLeast.map((count) => count / orders.length);
  let least = 0;
  for (const i of rising.reverse()) {
    least = Math.max(least, ps[i] as number);
    ps[i] = least;
  }
  return ps;
}
