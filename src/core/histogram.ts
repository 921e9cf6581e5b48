// SPDX-License-Identifier: MIT
/**
 * Log-linear histogram as in HdrHistogram: 128 linear buckets per power of two, so two significant digits.
 * A reported percentile is the middle of its bucket: at most 1/256 (0.4 %) away from the value, 0 below 128.
 */
import type { WaitStats } from './snapshot.js';

const SUB_BITS = 7;
const SUB = 1 << SUB_BITS;
/** Values are integers below 2^53. */
const MAX_EXPONENT = 52;
const BUCKETS = (MAX_EXPONENT - SUB_BITS + 2) * SUB;
const TWO_32 = 2 ** 32;

/** Largest relative error of a percentile. */
export const HISTOGRAM_ERROR: number = 1 / (2 * SUB);

/** Bucket of a value in [0, 2^53). */
function bucketOf(value: number): number {
  if (value < SUB) return value;
  const exponent = value < TWO_32 ? 31 - Math.clz32(value) : 63 - Math.clz32(value / TWO_32);
  const shift = exponent - SUB_BITS;
  // A division, since bit operations keep 32 bits only.
  const sub = shift < 24 && value < TWO_32 ? value >>> shift : Math.floor(value / 2 ** shift);
  return (shift + 1) * SUB + (sub - SUB);
}

function middleOf(bucket: number): number {
  if (bucket < SUB) return bucket;
  const shift = (bucket >> SUB_BITS) - 1;
  const low = (SUB + (bucket & (SUB - 1))) * 2 ** shift;
  return low + (2 ** shift - 1) / 2;
}

export class Histogram {
  count = 0;
  sum = 0;
  max = 0;
  min: number = Number.POSITIVE_INFINITY;
  readonly #buckets: Float64Array = new Float64Array(BUCKETS);

  /** Adds one duration (ns). Negative ones count as 0, fractions are cut, NaN and infinities are refused. */
  record(value: number): void {
    if (!Number.isFinite(value)) throw new RangeError(`not a duration: ${value}`);
    const v = Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, Math.floor(value)));
    const bucket = bucketOf(v);
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1;
    this.count++;
    this.sum += v;
    if (v > this.max) this.max = v;
    if (v < this.min) this.min = v;
  }

  merge(other: Histogram): void {
    for (let i = 0; i < BUCKETS; i++) this.#buckets[i] = (this.#buckets[i] ?? 0) + (other.#buckets[i] ?? 0);
    this.count += other.count;
    this.sum += other.sum;
    this.max = Math.max(this.max, other.max);
    this.min = Math.min(this.min, other.min);
  }

  /** The value that `share` (in [0, 1]) of the values do not exceed; NaN when there are none. */
  percentile(share: number): number {
    if (this.count === 0) return Number.NaN;
    const rank = Math.max(1, Math.ceil(share * this.count));
    let seen = 0;
    for (let i = 0; i < BUCKETS; i++) {
      seen += this.#buckets[i] ?? 0;
      // The extremes are known exactly: no percentile lies outside them.
      if (seen >= rank) return Math.min(this.max, Math.max(this.min, middleOf(i)));
    }
    return this.max;
  }

  /** Percentiles and maximum are NaN (not known) while nothing was recorded. */
  stats(): WaitStats {
    return {
      count: this.count,
      sumNs: this.sum,
      p50Ns: this.percentile(0.5),
      p99Ns: this.percentile(0.99),
      maxNs: this.count === 0 ? Number.NaN : this.max,
    };
  }
}
