// SPDX-License-Identifier: MIT
/** The list at hand as data: values as they are (ns, counts, shares), not as they are shown. */

import type { Snapshot } from '../aggregate/snapshot.js';
import type { Lifecycle } from '../lifecycle/lifecycle.js';
import { cleanLine, csvCell, jsonOf } from '../present/clean.js';
import { isInterval, type Value } from '../present/fields/field.js';
import { plainText } from '../present/text.js';
import type { Rows } from './list.js';
import type { ViewState } from './state.js';
import { detailLines, namedBy } from './waterfall.js';

/** Version of the JSON below. */
const VERSION = 1;

/** JSON has no NaN and no infinities: what is not known is null. */
function plainValue(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  return typeof value === 'number' && !Number.isFinite(value) ? null : value;
}

export function exportJson(rows: Rows, snapshot: Snapshot, state: ViewState): string {
  const { session, time } = snapshot;
  const document = {
    v: VERSION,
    view: state.view,
    list: state.focus[state.view],
    filter: state.filter,
    timeNs: time,
    host: session.host,
    kernel: session.kernel,
    rows: rows.values().map((values) => Object.fromEntries(rows.fields.map((id, i) => [id, values[i]]))),
  };
  return jsonOf(document, plainValue, 2);
}

/** One fault with its attempts and waits, as the fold has it. */
export function exportFault(fault: Lifecycle, snapshot: Snapshot): string {
  const { session, time } = snapshot;
  return jsonOf({ v: VERSION, timeNs: time, host: session.host, kernel: session.kernel, fault }, plainValue, 2);
}

/** RFC 4180 with a head. A field whose values are intervals has two columns, `_lo` and `_hi`. */
export function exportCsv(rows: Rows): string {
  const values = rows.values();
  const wide = rows.fields.map((_, i) => values.some((row) => isInterval(row[i] ?? null)));
  const head = rows.fields.flatMap((id, i) => (wide[i] === true ? [`${id}_lo`, `${id}_hi`] : [id]));
  const lines = values.map((row) =>
    row.flatMap((value, i) => {
      if (wide[i] !== true) return [cell(value)];
      return isInterval(value) ? [cell(value.lo), cell(value.hi)] : ['', ''];
    }),
  );
  return [head, ...lines].map((line) => `${line.join(',')}\r\n`).join('');
}

function cell(value: Value): string {
  if (value === null || (typeof value === 'number' && !Number.isFinite(value))) return '';
  return typeof value === 'string' || typeof value === 'number' ? csvCell(value) : csvCell(String(value));
}

/** What `c` copies: the fault that is open, else the selected row. Empty when there is none. */
export function copyText(rows: Rows, selected: number, state: ViewState, now: Snapshot | null = null): string {
  if (state.detail === null) return cleanLine(rows.text(selected));
  return detailLines(state.detail, state.detailAt, 100, now === null ? undefined : namedBy(now))
    .map((line) => plainText(line).trimEnd())
    .join('\n');
}
