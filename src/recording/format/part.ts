// SPDX-License-Identifier: MIT
/** One of the parts of a rotated recording, or what a flight recorder wrote out: the metadata that says so. */
import type { BaselineState } from './baseline.js';
import { outOfRange } from './row-ranges.js';

export interface Part {
  /** From 1. */
  readonly number: number;
  /** What the session had before this; null where it begins with the session. */
  readonly before: BaselineState | null;
  /** Of a flight recorder: why it was written out, and when, ns since the session's base. */
  readonly written: { readonly why: string; readonly time: number } | null;
}

const MAX_ENTRIES = 1_048_576;

/** Null when this describes no part: the metadata of a damaged file may hold anything. */
export function parsePart(json: string): Part | null {
  let part: unknown;
  try {
    part = JSON.parse(json);
  } catch {
    return null;
  }
  if (typeof part !== 'object' || part === null) return null;
  const { number, before, written } = part as Record<string, unknown>;
  if (!isCount(number) || number === 0) return null;
  if (before !== null && !isBaseline(before)) return null;
  if (written !== null && !isWritten(written)) return null;
  return { number, before, written };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isWritten(value: unknown): value is NonNullable<Part['written']> {
  if (typeof value !== 'object' || value === null) return false;
  const { why, time } = value as Record<string, unknown>;
  return typeof why === 'string' && isCount(time);
}

function isBaseline(value: unknown): value is BaselineState {
  if (typeof value !== 'object' || value === null) return false;
  const { time, rows, counters, faults } = value as Record<string, unknown>;
  return (
    isCount(time) &&
    isTuples(rows, (it) => it.length === 2 && isCount(it[0]) && it[0] < 256 && isCount(it[1])) &&
    isTuples(counters, (it) => it.length === 3 && isU32(it[0]) && isU32(it[1]) && isCounter(it[2])) &&
    isTuples(faults, (it) => it.length === 2 && isCount(it[0]) && it[0] < 65_536 && isU32(it[1]))
  );
}

/** As the column `value` of a counter's row. */
function isCounter(value: unknown): boolean {
  return typeof value === 'number' && outOfRange('value', Float64Array.of(value), 1) === -1;
}

function isU32(value: unknown): boolean {
  return isCount(value) && value < 2 ** 32;
}

function isTuples(value: unknown, valid: (tuple: unknown[]) => boolean): boolean {
  return Array.isArray(value) && value.length <= MAX_ENTRIES && value.every((it) => Array.isArray(it) && valid(it));
}
