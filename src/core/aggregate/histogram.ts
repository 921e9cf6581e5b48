// SPDX-License-Identifier: MIT
/**
 * Log-linear histogram as in HdrHistogram: 128 linear buckets per power of two, so two significant digits.
 * A reported percentile is the middle of its bucket: at most 1/256 (0.4 %) away from the value, 0 below 128.
 */
import type { WaitStats } from './snapshot-rows.js';

const SUB_BITS = 7;
const SUB = 1 << SUB_BITS;
/** Values are integers below 2^53. */
const MAX_EXPONENT = 52;
/** One chunk of `SUB` buckets per power of two, made when it is first used: most histograms use a few. */
const CHUNKS = MAX_EXPONENT - SUB_BITS + 2;
const TWO_32 = 2 ** 32;
const NOTHING: (Float64Array | null)[] = new Array<Float64Array | null>(CHUNKS).fill(null);
/** So many values are kept as their buckets, a tenth of what a chunk takes: most histograms of most rows hold no more. */
const FEW = 16;
const NONE: number[] = [];

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

function chunkOf(chunks: (Float64Array | null)[], c: number): Float64Array {
  chunks[c] ??= new Float64Array(SUB);
  return chunks[c];
}

function countInto(chunks: (Float64Array | null)[], buckets: readonly number[]): void {
  for (const bucket of buckets) (chunkOf(chunks, bucket >>> SUB_BITS)[bucket & (SUB - 1)] as number)++;
}

/** A histogram as plain data. */
export interface Distribution {
  readonly count: number;
  readonly sum: number;
  readonly max: number;
  readonly min: number;
  /** `SUB` buckets each, by power of two; null where nothing was recorded. */
  readonly chunks: readonly (Float64Array | null)[];
}

export class Histogram {
  count = 0;
  sum = 0;
  max = 0;
  min: number = Number.POSITIVE_INFINITY;
  /** Shared until something is recorded, as `#chunks` is until there are more than a few. */
  #few: number[] = NONE;
  #chunks: (Float64Array | null)[] = NOTHING;

  /** Adds one duration (ns). Negative ones count as 0, fractions are cut, NaN and infinities are refused. */
  record(value: number): void {
    if (!Number.isFinite(value)) throw new RangeError(`not a duration: ${value}`);
    const v = Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, Math.floor(value)));
    this.#count(bucketOf(v));
    this.count++;
    this.sum += v;
    if (v > this.max) this.max = v;
    if (v < this.min) this.min = v;
  }

  merge(other: Histogram): void {
    for (const bucket of other.#few) this.#count(bucket);
    other.#chunks.forEach((from, c) => {
      if (from === null) return;
      const to = this.#chunk(c);
      for (let i = 0; i < SUB; i++) (to[i] as number) += from[i] as number;
    });
    this.count += other.count;
    this.sum += other.sum;
    this.max = Math.max(this.max, other.max);
    this.min = Math.min(this.min, other.min);
  }

  copy(): Distribution {
    const { count, sum, max, min } = this;
    const chunks = this.#chunks.map((chunk) => chunk?.slice() ?? null);
    countInto(chunks, this.#few);
    return { count, sum, max, min, chunks };
  }

  /** What was recorded between two copies of one histogram; its extremes are known to the bucket. */
  static between(earlier: Distribution | null, later: Distribution): Histogram {
    const histogram = new Histogram();
    later.chunks.forEach((chunk, c) => {
      const before = earlier?.chunks[c] ?? null;
      chunk?.forEach((count, i) => {
        const more = count - (before?.[i] ?? 0);
        if (more <= 0) return;
        histogram.#chunk(c)[i] = more;
        const middle = middleOf(c * SUB + i);
        histogram.min = Math.min(histogram.min, middle);
        histogram.max = Math.max(histogram.max, middle);
      });
    });
    histogram.count = later.count - (earlier?.count ?? 0);
    histogram.sum = later.sum - (earlier?.sum ?? 0);
    if (later.max > (earlier?.max ?? 0)) histogram.max = later.max;
    return histogram;
  }

  /** The value that `share` (in [0, 1]) of the values do not exceed; NaN when there are none. */
  percentile(share: number): number {
    if (this.count === 0) return Number.NaN;
    const rank = Math.max(1, Math.ceil(share * this.count));
    if (this.#chunks === NOTHING) return this.#within(this.#few.toSorted((x, y) => x - y)[rank - 1] as number);
    let seen = 0;
    for (let c = 0; c < CHUNKS; c++) {
      const chunk = this.#chunks[c] ?? null;
      if (chunk === null) continue;
      for (let i = 0; i < SUB; i++) {
        seen += chunk[i] as number;
        if (seen >= rank) return this.#within(c * SUB + i);
      }
    }
    return this.max;
  }

  /** The extremes are known exactly: no percentile lies outside them. */
  #within(bucket: number): number {
    return Math.min(this.max, Math.max(this.min, middleOf(bucket)));
  }

  #count(bucket: number): void {
    if (this.#chunks === NOTHING && this.#few.length < FEW) {
      if (this.#few === NONE) this.#few = [];
      this.#few.push(bucket);
      return;
    }
    (this.#chunk(bucket >>> SUB_BITS)[bucket & (SUB - 1)] as number)++;
  }

  #chunk(c: number): Float64Array {
    if (this.#chunks === NOTHING) {
      this.#chunks = NOTHING.slice();
      countInto(this.#chunks, this.#few);
      this.#few = NONE;
    }
    return chunkOf(this.#chunks, c);
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
