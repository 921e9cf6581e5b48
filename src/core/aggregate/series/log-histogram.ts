// SPDX-License-Identifier: MIT
/** A sparse histogram of durations, small enough to keep one per time slice. 32 buckets per power of two. */

const PER_OCTAVE = 32;
/** Durations of 0 ns and below. */
const ZERO = -1;

/** Largest relative error of a percentile: half a bucket, 1.1 %. */
export const LOG_HISTOGRAM_ERROR: number = 2 ** (1 / (2 * PER_OCTAVE)) - 1;

export class LogHistogram {
  count = 0;
  readonly #buckets: Map<number, number> = new Map();

  /** ns; negative counts as 0. */
  record(ns: number): void {
    this.#add(ns < 1 ? ZERO : Math.floor(Math.log2(ns) * PER_OCTAVE), 1);
  }

  merge(other: LogHistogram): void {
    for (const [bucket, count] of other.#buckets) this.#add(bucket, count);
  }

  /** Bucket of the value that `share` (0 to 1) of the values do not exceed; NaN when there are none. */
  percentileBucket(share: number): number {
    if (this.count === 0) return Number.NaN;
    const rank = Math.max(1, Math.ceil(share * this.count));
    let seen = 0;
    for (const [bucket, count] of [...this.#buckets].sort(([x], [y]) => x - y)) {
      seen += count;
      if (seen >= rank) return bucket;
    }
    return Number.NaN;
  }

  /** ns: the middle of that bucket; NaN when there are no values. */
  percentile(share: number): number {
    const bucket = this.percentileBucket(share);
    return bucket === ZERO ? 0 : 2 ** ((bucket + 0.5) / PER_OCTAVE);
  }

  /** How many values lie in buckets above this one. */
  above(bucket: number): number {
    let sum = 0;
    for (const [at, count] of this.#buckets) if (at > bucket) sum += count;
    return sum;
  }

  #add(bucket: number, count: number): void {
    this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + count);
    this.count += count;
  }
}
