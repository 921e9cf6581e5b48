// SPDX-License-Identifier: MIT
/** A column of an exported table: defined once, read by Parquet, JSON Lines and CSV alike. */
import type { Context } from './context.js';

/**
 * `int64`: an integer of magnitude below 2^53, so a JavaScript number. `uint64`: a bigint, all 64 bits.
 * `timestamp`: ns since the epoch, UTC, as a bigint.
 */
export type ColumnType = 'string' | 'bool' | 'int32' | 'uint32' | 'int64' | 'uint64' | 'double' | 'timestamp';

/** null: not known, or it does not apply; the column's `about` says which. */
export type Value = string | number | bigint | boolean | null;

export interface Column<Row> {
  readonly name: string;
  readonly type: ColumnType;
  /** What it says and in which unit: the table in docs/export.md is held to it. */
  readonly about: string;
  get(row: Row, context: Context): Value;
}

/** NaN and infinities stand for what is not known. */
export function known(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

/** A value as JSON and CSV write it: a u64 never as a number that lost bits, a time as people and databases read it. */
export function asText(type: ColumnType, value: Value): string | number | boolean | null {
  if (typeof value !== 'bigint') return value;
  return type === 'timestamp' ? isoTime(value) : value.toString();
}

const BILLION = 1_000_000_000n;

/** `2026-01-02T03:04:05.123456789Z` */
export function isoTime(epochNs: bigint): string {
  const ns = ((epochNs % BILLION) + BILLION) % BILLION;
  const seconds = Number((epochNs - ns) / BILLION);
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${ns.toString().padStart(9, '0')}Z`;
}
