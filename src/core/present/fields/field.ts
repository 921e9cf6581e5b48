// SPDX-License-Identifier: MIT
/**
 * A field: one figure of a row, with its name, its unit, and where it goes. The dashboard, `stat`, JSON, metrics, the
 * report and the exports of lists read fields and nothing else: a new row in a table of fields is a new column in each.
 * `get` gives the value as it is (ns, counts, shares in [0, 1]); `format` gives what people read.
 */

import type { Interval } from '../../lifecycle/lifecycle.js';
import {
  formatAddress,
  formatBytes,
  formatCount,
  formatDuration,
  formatExact,
  formatInterval,
  formatRate,
  formatShare,
} from '../format.js';
import { u64 } from '../json-values.js';
import { sanitise } from '../text.js';

export type Unit = '' | 'ns' | '/s' | 'share' | 'bytes' | 'address';
export type Value = string | number | boolean | null | Interval;

export interface Field<Row> {
  readonly id: string;
  readonly title: string;
  readonly unit: Unit;
  /** Columns it needs in a table. */
  readonly width: number;
  readonly align: 'left' | 'right';
  /** Columns it can make use of, where there is room. */
  readonly grow?: number;
  /** Where it is too long its beginning goes: of a path the file is what one looks for. */
  readonly keepsEnd?: true;
  /** Its key in JSON documents; absent where they say it otherwise or not at all. */
  readonly json?: string;
  /** A metric of the same value, cumulative over the session unless it is a gauge. */
  readonly metric?: Metric;
  get(row: Row): Value;
  format(value: Value): string;
}

export interface Metric {
  /** Without the prefix of the table's rows, and without unit: `retries`, `folio_wait`. */
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
}

/** Where a field goes beside a table. */
export type Places = Pick<Field<never>, 'json' | 'metric'>;

const FORMATS: Readonly<Record<Unit, (value: number) => string>> = {
  '': formatCount,
  ns: formatDuration,
  '/s': formatRate,
  share: formatShare,
  bytes: formatBytes,
  address: formatAddress,
};

export function isInterval(value: Value): value is Interval {
  return typeof value === 'object' && value !== null;
}

/** What people read, by unit: `–` for null, intervals as such. */
export function formatOf(unit: Unit): (value: Value) => string {
  return (value) => {
    if (value === null) return '–';
    if (isInterval(value)) return formatInterval(value);
    if (typeof value === 'number') return FORMATS[unit](value);
    return typeof value === 'boolean' ? (value ? 'yes' : 'no') : sanitise(value);
  };
}

/** A right-aligned figure. */
export function num<Row>(
  id: string,
  title: string,
  unit: Unit,
  width: number,
  get: (row: Row) => number | null,
  format: (value: Value) => string = formatOf(unit),
  places: Places = {},
): Field<Row> {
  return { id, title, unit, width, align: 'right', get, format, ...places };
}

/** A left-aligned word; `grow`: columns it can make use of. */
export function text<Row>(
  id: string,
  title: string,
  width: number,
  get: (row: Row) => string | null,
  grow: number = width,
  places: Places = {},
): Field<Row> {
  return { id, title, unit: '', width, align: 'left', grow, get, format: formatOf(''), ...places };
}

/** Numbers that are names (pids, indexes): every digit, no SI. */
export const whole = (value: Value): string => String(value);

/** As documents have it: counts to the unit, `–` for what is not known. */
export function exact<Row>({ unit, format, get }: Field<Row>, row: Row): string {
  const value = get(row);
  if (typeof value !== 'number' || unit !== '' || format === whole) return format(value);
  return Number.isFinite(value) ? formatExact(value) : '–';
}

/** A sum over threads may be larger than a double holds exactly: a string, as all of them in our JSON documents. */
function jsonValue(unit: Unit, value: Value): unknown {
  if (typeof value !== 'number') return value;
  if (!Number.isFinite(value)) return null;
  return unit === 'ns' ? u64(value) : value;
}

/** The fields with a place in JSON, in their order. */
export function jsonOf<Row>(fields: readonly Field<Row>[], row: Row): Record<string, unknown> {
  return Object.fromEntries(
    fields.flatMap(({ json, unit, get }) => (json === undefined ? [] : [[json, jsonValue(unit, get(row))]])),
  );
}

/** `fields` of a part of a row. */
export function lift<Part, Row>(fields: readonly Field<Part>[], part: (row: Row) => Part): Field<Row>[] {
  return fields.map((field) => ({ ...field, get: (row: Row) => field.get(part(row)) }));
}
