// SPDX-License-Identifier: MIT
/** A list one can walk through, sort, filter, copy and export: one definition for every table of the dashboard. */

import type { Snapshot } from '../aggregate/snapshot.js';
import type { Lifecycle } from '../lifecycle/lifecycle.js';
import type { Field, Value } from '../present/fields/field.js';
import { type Line, type Style, seg } from '../present/text.js';
import { type Facts, type Filter, keeps } from './filter.js';
import { fitFields, type HeadCell, table } from './frame.js';
import { GROUP_KEY, groupLine, type ListGroup, type ListItem, treeOf } from './list-tree.js';
import { sorted } from './sorted.js';
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

/** A word of the row, and what it means. */
export type About = readonly [word: string, meaning: string];

export interface ListSpec<Row> {
  readonly fields: readonly Field<Row>[];
  /** Fields by importance: the last ones go first when there is no room. Fields not named here go before those. */
  readonly priority: readonly string[];
  readonly sort: Sort | null;
  /** Said when there is no row; of figures where that depends on what could be seen. */
  readonly empty: string | ((now: Snapshot) => string);
  /** Fields whose sums stand at the head of a group. */
  readonly sums?: readonly string[];
  rows(figures: Figures): readonly Row[];
  /** What the row is about, unique in the list. */
  key(row: Row): string;
  facts(row: Row, figures: Figures): Facts;
  open?(row: Row): Opening | null;
  style?(row: Row, field: Field<Row>): Style;
  /** What the row belongs to where the list is shown as a tree; absent: the list has no groups. */
  group?(row: Row, figures: Figures): ListGroup;
  /** What the words of the row mean. */
  about?(row: Row): readonly About[];
}

/** A field of a row as people read it, in full. */
export interface Cell {
  readonly id: string;
  readonly title: string;
  readonly text: string;
  /** The columns it may need, with what other rows may hold. */
  readonly room: number;
}

/** The rows of a list as they stand now, after filter and sort. */
export interface Rows {
  /** Lines of the list: its rows, and the heads of groups. */
  readonly count: number;
  /** Heads of groups among them. */
  readonly groups: number;
  readonly sort: Sort | null;
  /** Ids of all fields. */
  readonly fields: readonly string[];
  /** Whether it can be shown as a tree. */
  readonly hasGroups: boolean;
  keyAt(index: number): string | null;
  indexOf(key: string): number;
  open(index: number): Opening | null;
  /** A head and the rows [from, to), in `width` columns. `selected` is an index among all rows; -1 for none. */
  draw(width: number, from: number, to: number, selected: number): { lines: Line[]; head: readonly HeadCell[] };
  /** A row as people read it: `name value` pairs. */
  text(index: number): string;
  /** All fields of a row, in full; of none where there is no row, with empty texts. */
  cells(index: number): readonly Cell[];
  about(index: number): readonly About[];
  /** Fields that a table of `width` columns does not show, or not whole in every row. */
  hiddenAt(width: number): readonly Cell[];
  /** The next row from `from` on, in a circle, that holds `text` whatever the case; -1 for none. */
  find(text: string, from: number): number;
  /** Every row with every field, as values. */
  values(): readonly (readonly Value[])[];
}

export type List = (figures: Figures, filter: Filter, sort: Sort | null) => Rows;

export function defineList<Row>(spec: ListSpec<Row>): List {
  const { fields } = spec;
  const priority = [...spec.priority, ...fields.map(({ id }) => id).filter((id) => !spec.priority.includes(id))];
  return (figures, filter, chosen) => {
    const all = spec.rows(figures);
    const kept = filter.terms.length === 0 ? all : all.filter((row) => keeps(filter, spec.facts(row, figures)));
    const sort = chosen ?? spec.sort;
    const rows = sorted(kept, fields, sort);
    const isTree = figures.state.tree && spec.group !== undefined;
    const items: readonly ListItem<Row>[] = isTree
      ? treeOf(rows, (row) => spec.group?.(row, figures) ?? { id: '', name: '', filter: '' })
      : rows.map((row) => ({ kind: 'row', row, mark: '  ' }));
    const keyOf = (item: ListItem<Row>): string =>
      item.kind === 'row' ? spec.key(item.row) : `${GROUP_KEY}${item.group.id}`;
    const rowAt = (index: number): Row | undefined => {
      const item = items[index];
      return item?.kind === 'row' ? item.row : undefined;
    };
    const sums = fields.filter(({ id }) => spec.sums?.includes(id) === true);
    const cell = (field: Field<Row>, row: Row | undefined): Cell => ({
      id: field.id,
      title: field.title,
      text: row === undefined ? '' : field.format(field.get(row)),
      room: Math.max(field.width, field.grow ?? 0),
    });
    const text = (index: number): string => {
      const item = items[index];
      if (item === undefined) return '';
      if (item.kind === 'group') return groupLine(item, sums);
      return fields.map((field) => `${field.title} ${field.format(field.get(item.row))}`).join('  ');
    };
    return {
      count: items.length,
      groups: items.length - rows.length,
      sort,
      fields: fields.map((field) => field.id),
      hasGroups: spec.group !== undefined,
      keyAt: (index) => {
        const item = items[index];
        return item === undefined ? null : keyOf(item);
      },
      indexOf: (key) => items.findIndex((item) => keyOf(item) === key),
      open: (index) => {
        const item = items[index];
        if (item === undefined) return null;
        if (item.kind === 'group') return { kind: 'filter', filter: item.group.filter, view: 'lifecycles' };
        return spec.open?.(item.row) ?? null;
      },
      draw: (width, from, to, selected) => {
        const visible = items.slice(from, to);
        const only = visible.filter((item) => item.kind === 'row');
        const chosenItem = items[selected];
        const { lines, head } = table(
          only.map(({ row }) => row),
          {
            fields: fitFields(fields, priority, width),
            width,
            sort,
            selected: chosenItem?.kind === 'row' ? only.indexOf(chosenItem) : -1,
            marks: only.map(({ mark }) => mark),
            empty:
              visible.length > 0
                ? ''
                : all.length > 0
                  ? 'nothing matches the filter'
                  : emptyOf(spec.empty, figures.now),
            style: spec.style?.bind(spec) ?? zeroDim,
          },
        );
        if (only.length === visible.length) return { lines, head };
        let at = 1;
        const withHeads = visible.map((item, i): Line => {
          if (item.kind === 'row') return lines[at++] ?? [];
          const isSelected = from + i === selected;
          return [seg(`${isSelected ? '▸' : '▾'} ${groupLine(item, sums)}`, isSelected ? 'selected' : 'strong')];
        });
        return { lines: [lines[0] ?? [], ...withHeads], head };
      },
      text,
      cells: (index) => {
        const row = rowAt(index);
        return fields.map((field) => cell(field, row));
      },
      hiddenAt: (width) => {
        const shown = new Map(fitFields(fields, priority, width).map((field) => [field.id, field.width]));
        return fields
          .filter(({ id, width: own, grow }) => (shown.get(id) ?? 0) < Math.max(own, grow ?? 0))
          .map((field) => cell(field, undefined));
      },
      about: (index) => {
        const row = rowAt(index);
        return row === undefined ? [] : (spec.about?.(row) ?? []);
      },
      find: (wanted, from) => {
        const low = wanted.toLowerCase();
        for (let i = 0; i < items.length; i++) {
          const index = (from + i) % items.length;
          if (text(index).toLowerCase().includes(low)) return index;
        }
        return -1;
      },
      values: () => rows.map((row) => fields.map((field) => field.get(row))),
    };
  };
}

function emptyOf(empty: string | ((now: Snapshot) => string), now: Snapshot): string {
  return typeof empty === 'string' ? empty : empty(now);
}

export function zeroDim<Row>(row: Row, field: Field<Row>): Style {
  return field.get(row) === 0 ? 'dim' : 'plain';
}
