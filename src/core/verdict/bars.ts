// SPDX-License-Identifier: MIT
/** A distribution as bars: one of zeros, then one per factor of two, none left out between the first and the last. */
import type { Histogram } from '../aggregate/histogram.js';

export interface Bar {
  /** [lo, hi) in ns. */
  readonly lo: number;
  readonly hi: number;
  readonly count: number;
}

export function barsOf(histogram: Histogram): Bar[] {
  const counts = new Map<number, number>();
  histogram.copy().chunks.forEach((chunk, c) => {
    chunk?.forEach((count, i) => {
      if (count === 0) return;
      const exponent = c === 0 ? exponentOf(i) : c + 6;
      counts.set(exponent, (counts.get(exponent) ?? 0) + count);
    });
  });
  const bars: Bar[] = [];
  const zeros = counts.get(-1);
  if (zeros !== undefined) bars.push({ lo: 0, hi: 1, count: zeros });
  counts.delete(-1);
  const exponents = [...counts.keys()];
  for (let e = Math.min(...exponents); e <= Math.max(...exponents); e++)
    bars.push({ lo: 2 ** e, hi: 2 ** (e + 1), count: counts.get(e) ?? 0 });
  return bars;
}

/** -1 for 0. */
function exponentOf(value: number): number {
  return value === 0 ? -1 : Math.floor(Math.log2(value));
}
