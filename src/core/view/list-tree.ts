// SPDX-License-Identifier: MIT
/** A list as a tree: its rows below what they belong to, the group of the first row first. */
import type { Field } from '../present/fields/field.js';
import { sanitise } from '../present/text.js';

/** The cgroup of a row: a container, a pod, a unit. */
export interface ListGroup {
  /** Unique among groups. */
  readonly id: string;
  readonly name: string;
  /** Filter that leaves its rows. */
  readonly filter: string;
}

/** Keys of groups begin with it. */
export const GROUP_KEY = 'group ';

export interface GroupItem<Row> {
  readonly kind: 'group';
  readonly group: ListGroup;
  readonly rows: readonly Row[];
}

/** `mark`: two columns before the row: where it stands below the head of its group. */
export type ListItem<Row> = { readonly kind: 'row'; readonly row: Row; readonly mark: string } | GroupItem<Row>;

export function treeOf<Row>(rows: readonly Row[], groupOf: (row: Row) => ListGroup): ListItem<Row>[] {
  const groups = new Map<string, { readonly group: ListGroup; readonly rows: Row[] }>();
  for (const row of rows) {
    const group = groupOf(row);
    const found = groups.get(group.id);
    if (found === undefined) groups.set(group.id, { group, rows: [row] });
    else found.rows.push(row);
  }
  return [...groups.values()].flatMap(({ group, rows: own }): ListItem<Row>[] => [
    { kind: 'group', group, rows: own },
    ...own.map((row, i): ListItem<Row> => ({ kind: 'row', row, mark: i === own.length - 1 ? '└ ' : '├ ' })),
  ]);
}

/** `web  3 rows  retries 12  folio lock 2.3 s`: its name, how many rows, and their sums. */
export function groupLine<Row>({ group, rows }: GroupItem<Row>, sums: readonly Field<Row>[]): string {
  const words = sums.map((field) => {
    const sum = rows.reduce((total, row) => total + (Number(field.get(row)) || 0), 0);
    return `${field.title} ${field.format(sum)}`;
  });
  return [sanitise(group.name), `${rows.length} row${rows.length === 1 ? '' : 's'}`, ...words].join('  ');
}
