// SPDX-License-Identifier: MIT
/** The three tables one can walk through: processes, latest lifecycles, faults in flight. */
import { type Field, flightFields, type LifecycleRow, lifecycleFields, processFields, type Value } from './fields.js';
import type { Lifecycle } from './lifecycle.js';
import type { ProcessRow, Snapshot } from './snapshot.js';
import { keepsLifecycle, keepsProcess, parseFilter } from './view-filter.js';
import { formatCount } from './view-format.js';
import { BOX_COLUMNS, BOX_ROWS, box, fitFields, MARK_COLUMNS, scrollTo, table } from './view-frame.js';
import { TABLES, type TableId, type TableState, type ViewState } from './view-state.js';
import { type Line, type Segment, type Style, seg } from './view-text.js';

export const TABLE_TITLES: Readonly<Record<TableId, string>> = {
  processes: 'Processes',
  latest: 'Latest faults',
  inFlight: 'In flight',
};

/** Fields by importance: the last ones go first when there is no room. */
const PRIORITY: Readonly<Record<TableId, readonly string[]>> = {
  processes: [
    'pid',
    'comm',
    'retries',
    'aborts',
    'folioWait',
    'mmapWait',
    'inFlight',
    'lifecycles',
    'total',
    'swap',
    'cgroup',
  ],
  latest: [
    'time',
    'tid',
    'comm',
    'cause',
    'total',
    'end',
    'mmapWait',
    'folioWait',
    'address',
    'attempts',
    'userfaultWait',
  ],
  inFlight: ['tid', 'comm', 'age', 'held', 'state'],
};

/** Columns the process table can be sorted by, in the order `s` goes through them. */
export const SORT_FIELDS: readonly string[] = processFields.map((field) => field.id);

/** The rows of a table after filter and sort. */
export interface TableRows {
  readonly processes: readonly ProcessRow[];
  readonly latest: readonly Lifecycle[];
  readonly inFlight: readonly Lifecycle[];
}

export function tableRows(snapshot: Snapshot | null, state: ViewState): TableRows {
  if (snapshot === null) return { processes: [], latest: [], inFlight: [] };
  const filter = parseFilter(state.filter);
  const keep = (l: Lifecycle): boolean => keepsLifecycle(filter, l);
  const none = filter.terms.length === 0;
  return {
    processes: sorted(
      snapshot.processes.filter((row) => keepsProcess(filter, row)),
      state.sort,
    ),
    latest: none ? snapshot.latest : snapshot.latest.filter(keep),
    inFlight: none ? snapshot.inFlight : snapshot.inFlight.filter(keep),
  };
}

function sorted(rows: ProcessRow[], sort: ViewState['sort']): ProcessRow[] {
  const field = processFields.find((f) => f.id === sort.field);
  if (field === undefined) return rows;
  const sign = sort.descending ? -1 : 1;
  // Equal rows keep an order of their own, so that they do not swap places between two frames.
  return rows.sort((a, b) => sign * compare(field.get(a), field.get(b)) || a.tgid - b.tgid);
}

function compare(a: Value, b: Value): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const [x, y] = [String(a), String(b)];
  return x < y ? -1 : x > y ? 1 : 0;
}

export interface TableView {
  readonly lines: Line[];
  /** Selection and scroll as drawn, clamped to the rows there are. */
  readonly state: TableState;
  /** Rows that fit. */
  readonly page: number;
}

export interface TableContext {
  readonly snapshot: Snapshot | null;
  readonly state: ViewState;
  readonly rows: TableRows;
  /** The other tables are hidden: their names stand in the title. */
  readonly tabbed: boolean;
}

export function tableView(id: TableId, context: TableContext, width: number, height: number): TableView {
  const { snapshot, state, rows } = context;
  const page = Math.max(1, height - BOX_ROWS - 1);
  const count = rows[id].length;
  const selected = Math.max(0, Math.min(state.tables[id].selected, count - 1));
  const scroll = scrollTo(selected, state.tables[id].scroll, page, count);
  const focused = state.focus === id;
  const mark = focused ? selected - scroll : -1;
  const inner = width - BOX_COLUMNS - MARK_COLUMNS;
  const now = snapshot?.time ?? 0;
  const body =
    id === 'processes'
      ? processTable(rows.processes.slice(scroll, scroll + page), mark, inner, state)
      : lifecycleTable(id, rows[id].slice(scroll, scroll + page), mark, inner, now, state);
  const lines = box(
    { title: titleOf(id, context), info: infoOf(id, context, scroll, page), focused },
    body,
    width,
    height,
  );
  return { lines, state: { selected, scroll }, page };
}

function processTable(rows: readonly ProcessRow[], selected: number, inner: number, state: ViewState): Line[] {
  return table(rows, {
    fields: fitFields(processFields, PRIORITY.processes, inner),
    width: inner,
    sort: state.sort,
    selected,
    empty: emptyText(state, 'no process has faulted in scope yet'),
    style: (row, field) => (field.get(row) === 0 ? 'dim' : 'plain'),
  });
}

function lifecycleTable(
  id: 'latest' | 'inFlight',
  rows: readonly Lifecycle[],
  selected: number,
  inner: number,
  now: number,
  state: ViewState,
): Line[] {
  const fields = id === 'latest' ? lifecycleFields : flightFields;
  return table(
    rows.map((lifecycle) => ({ lifecycle, now })),
    {
      fields: fitFields(fields, PRIORITY[id], inner),
      width: inner,
      selected,
      empty: emptyText(state, id === 'latest' ? 'no fault in scope has ended yet' : 'no fault is stuck at the moment'),
      style: lifecycleStyle,
    },
  );
}

function lifecycleStyle(row: LifecycleRow, field: Field<LifecycleRow>): Style {
  const { how } = row.lifecycle;
  if (field.id === 'end')
    return how === 'ok-vma'
      ? 'good'
      : how === 'incomplete' || how === 'error'
        ? 'bad'
        : how === 'completed'
          ? 'completed'
          : 'plain';
  if (field.id === 'cause') return field.get(row) === 'VMA lock unavailable' ? 'abort' : 'retry';
  if (field.id === 'age') return 'strong';
  return field.id === 'time' || field.id === 'address' ? 'dim' : 'plain';
}

function emptyText(state: ViewState, text: string): string {
  return state.filter === '' ? text : 'nothing matches the filter';
}

function titleOf(id: TableId, { tabbed, state }: TableContext): Line {
  if (!tabbed) return [seg(TABLE_TITLES[id], 'strong')];
  return TABLES.flatMap((other, i): Segment[] => {
    const name = other === state.focus ? seg(`[${TABLE_TITLES[other]}]`, 'strong') : seg(TABLE_TITLES[other], 'dim');
    return i === 0 ? [name] : [seg(' '), name];
  });
}

function infoOf(id: TableId, { snapshot, rows }: TableContext, scroll: number, page: number): Line {
  const count = rows[id].length;
  if (count === 0) return [];
  const shown = `${scroll + 1}–${Math.min(count, scroll + page)} of ${count}`;
  // The snapshot keeps a bounded number of them; what it does not keep is still counted.
  const more = id === 'inFlight' && snapshot !== null && snapshot.inFlightTotal > snapshot.inFlight.length;
  return [seg(more ? `${shown}, ${formatCount(snapshot.inFlightTotal)} in all` : shown, 'dim')];
}
