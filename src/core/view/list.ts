// SPDX-License-Identifier: MIT
/** A list one can walk through, sort, filter, copy and export: one definition for every table of the dashboard. */

import type { Snapshot } from '../aggregate/snapshot.js';
import type { Lifecycle } from '../lifecycle/lifecycle.js';
import { type Field, isInterval, type Value } from '../present/fields/field.js';
import type { Line, Style } from '../present/text.js';
import { type Facts, type Filter, keeps } from './filter.js';
import { fitFields, type HeadCell, table } from './frame.js';
import type { Sort, ViewId, ViewState } from './state.js';

/** What every list and panel is made from. */
export interface Figures {
  readonly now: Snapshot;
  readonly before: Snapshot | null;
  readonly state: ViewState;
}

/** What Enter on a row leads to. */
export type Opening =
  | { readonly kind: 'fault'; readonly fault: Lifecycle }
  | { readonly kind: 'filter'; readonly filter: string; readonly view: ViewId };

export interface ListSpec<Row> {
  readonly fields: readonly Field<Row>[];
  /** Fields by importance: the last ones go first when there is no room. Fields not named here go before those. */
  readonly priority: readonly string[];
  readonly sort: Sort | null;
  /** Said when there is no row; of figures where that depends on what could be seen. */
  readonly empty: string | ((now: Snapshot) => string);
  rows(figures: Figures): readonly Row[];
  /** What the row is about, unique in the list. */
  key(row: Row): string;
  facts(row: Row, figures: Figures): Facts;
  open?(row: Row): Opening | null;
  style?(row: Row, field: Field<Row>): Style;
}

/** The rows of a list as they stand now, after filter and sort. */
export interface Rows {
  readonly count: number;
  readonly sort: Sort | null;
  /** Ids of all fields. */
  readonly fields: readonly string[];
  keyAt(index: number): string | null;
  indexOf(key: string): number;
  open(index: number): Opening | null;
  /** A head and the rows [from, to), in `width` columns. `selected` is an index among all rows; -1 for none. */
  draw(width: number, from: number, to: number, selected: number): { lines: Line[]; head: readonly HeadCell[] };
  /** A row as people read it: `name value` pairs. */
  text(index: number): string;
  /** Every row with every field, as values. */
  values(): readonly (readonly Value[])[];
}

export type List = (figures: Figures, filter: Filter, sort: Sort | null) => Rows;

export function defineList<Row>(spec: ListSpec<Row>): List {
  const priority = [...spec.priority, ...spec.fields.map(({ id }) => id).filter((id) => !spec.priority.includes(id))];
  return (figures, filter, chosen) => {
    const all = spec.rows(figures);
    const kept = filter.terms.length === 0 ? all : all.filter((row) => keeps(filter, spec.facts(row, figures)));
    const sort = chosen ?? spec.sort;
    const rows = sorted(kept, spec.fields, sort);
    const at = (index: number): Row | undefined => rows[index];
    return {
      count: rows.length,
      sort,
      fields: spec.fields.map((field) => field.id),
      keyAt: (index) => {
        const row = at(index);
        return row === undefined ? null : spec.key(row);
      },
      indexOf: (key) => rows.findIndex((row) => spec.key(row) === key),
      open: (index) => {
        const row = at(index);
        return row === undefined ? null : (spec.open?.(row) ?? null);
      },
      draw: (width, from, to, selected) =>
        table(rows.slice(from, to), {
          fields: fitFields(spec.fields, priority, width),
          width,
          sort,
          selected: selected - from,
          empty: all.length > 0 ? 'nothing matches the filter' : emptyOf(spec.empty, figures.now),
          style: spec.style?.bind(spec) ?? zeroDim,
        }),
      text: (index) => {
        const row = at(index);
        if (row === undefined) return '';
        return spec.fields.map((field) => `${field.title} ${field.format(field.get(row))}`).join('  ');
      },
      values: () => rows.map((row) => spec.fields.map((field) => field.get(row))),
    };
  };
}

function emptyOf(empty: string | ((now: Snapshot) => string), now: Snapshot): string {
  return typeof empty === 'string' ? empty : empty(now);
}

export function zeroDim<Row>(row: Row, field: Field<Row>): Style {
  return field.get(row) === 0 ? 'dim' : 'plain';
}

/** Sorting is stable: rows that are equal keep the order the snapshot has them in. */
function sorted<Row>(rows: readonly Row[], fields: readonly Field<Row>[], sort: Sort | null): readonly Row[] {
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
