// SPDX-License-Identifier: MIT
/** What the numbers of a row may be, where their Arrow type allows more: one row a column of doubles. */
import type { EventBatch } from '../../core/events/batch.js';
import type { FixedKey } from './columns.js';

type DoubleKey = { [K in FixedKey]: EventBatch[K] extends Float64Array ? K : never }[FixedKey];

interface Range {
  /** Whole numbers, ends included. */
  readonly min: number;
  readonly max: number;
  /** NaN stands for what is not known. */
  readonly unknown?: true;
}

const { MAX_SAFE_INTEGER } = Number;
/** The largest double below 2^63: tables hold them as int64, and no user address has the top bit. */
const I64 = 2 ** 63 - 2 ** 10;

export const ROW_RANGES: Readonly<Record<DoubleKey, Range>> = {
  time: { min: 0, max: MAX_SAFE_INTEGER },
  // Of a cut recording it may lie before the beginning.
  acquired: { min: -MAX_SAFE_INTEGER, max: MAX_SAFE_INTEGER, unknown: true },
  // The pointer's low 52 bits.
  mm: { min: 0, max: 2 ** 52 },
  address: { min: 0, max: I64 },
  vmaStart: { min: 0, max: I64 },
  vmaEnd: { min: 0, max: I64 },
  cgroup: { min: 0, max: I64 },
  value: { min: 0, max: I64 },
  forkWait: { min: 0, max: MAX_SAFE_INTEGER },
};

/** The first row whose value is out of its column's range, or −1. */
export function outOfRange(key: FixedKey, values: EventBatch[FixedKey], rows: number): number {
  const range = (ROW_RANGES as Readonly<Partial<Record<FixedKey, Range>>>)[key];
  if (range === undefined || !(values instanceof Float64Array)) return -1;
  const { min, max, unknown } = range;
  for (let i = 0; i < rows; i++) {
    const value = values[i] as number;
    if (value === Math.floor(value) && value >= min && value <= max) continue;
    if (unknown === undefined || !Number.isNaN(value)) return i;
  }
  return -1;
}

/** `a whole number from 0 to 4503599627370496` */
export function rangeText(key: FixedKey): string {
  const range = (ROW_RANGES as Readonly<Partial<Record<FixedKey, Range>>>)[key];
  return range === undefined ? '' : `a whole number from ${range.min} to ${range.max}`;
}
