// SPDX-License-Identifier: MIT
/** The order of a list's rows. */
import { type Field, isInterval, type Value } from '../present/fields/field.js';
import type { Sort } from './state.js';

/** Sorting is stable: rows that are equal keep the order the snapshot has them in. */
export function sorted<Row>(rows: readonly Row[], fields: readonly Field<Row>[], sort: Sort | null): readonly Row[] {
  const field = fields.find((f) => f.id === sort?.field);
  if (field === undefined || sort === null) return rows;
  const sign = sort.descending ? -1 : 1;
  return [...rows].sort((a, b) => compare(orderOf(field.get(a)), orderOf(field.get(b)), sign));
}

/** What is not known comes last, whatever the direction. */
function compare(a: number | string, b: number | string, sign: number): number {
  if (typeof a === 'number' && typeof b === 'number') {
    if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
    return sign * (a - b);
  }
  const [x, y] = [String(a), String(b)];
  return sign * (x < y ? -1 : x > y ? 1 : 0);
}

function orderOf(value: Value): number | string {
  if (isInterval(value)) return value.lo;
  if (value === null) return Number.NaN;
  return typeof value === 'boolean' ? Number(value) : value;
}
