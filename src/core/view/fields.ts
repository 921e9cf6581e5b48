// SPDX-License-Identifier: MIT
/** Fields of the rows that only the dashboard has: they join parts of a snapshot, or two snapshots. */

import type { ProcessRow } from '../aggregate/snapshot-rows.js';
import { type AlertStatus, formatValues } from '../alerts/event.js';
import { type Field, lift, num, text, type Value } from '../present/fields/field.js';
import { processFields } from '../present/fields/process.js';
import { programFields } from '../present/fields/program.js';
import { formatTime } from '../present/format.js';
import type { ProgramRow } from '../present/rows.js';

export interface ProcessLine {
  readonly row: ProcessRow;
  /** Retries per second since the snapshot before; over the session without one. */
  readonly rate: number;
}

/** The fields all views share, with the rate behind the count. */
export const processLineFields: readonly Field<ProcessLine>[] = lift(
  processFields,
  (line: ProcessLine) => line.row,
).flatMap((field) =>
  field.id === 'retries' ? [field, num<ProcessLine>('rate', 'RETRY/s', '/s', 9, (line) => line.rate)] : [field],
);

const orDash =
  (format: (value: number) => string) =>
  (value: Value): string =>
    typeof value === 'number' && !Number.isNaN(value) ? format(value) : '–';

/** A mark and a word for each phase: what fires is distinguished from what does not without colour. */
function phaseWord({ phase, unknown }: AlertStatus): string {
  switch (phase) {
    case 'firing':
      return '▲ FIRING';
    case 'clearing':
      return '▲ clearing';
    case 'pending':
      return '△ pending';
    case 'cooldown':
      return '✓ over';
    case 'inactive':
      return Object.keys(unknown).length > 0 ? '? unknown' : '✓ quiet';
  }
}

/** What the rule reads now, or why that is not known. */
function valueWords({ values, unknown }: AlertStatus): string {
  const [why] = Object.values(unknown);
  return why ?? formatValues(values);
}

export const alertFields: readonly Field<AlertStatus>[] = [
  text('state', 'state', 10, phaseWord),
  text('rule', 'rule', 18, (r) => r.rule, 24),
  text('group', 'group', 14, (r) => r.group?.name ?? null, 24),
  text('values', 'now', 26, valueWords, 60),
  num('since', 'since (s)', 'ns', 10, (r) => r.since, orDash(formatTime)),
  text('severity', 'severity', 8, (r) => r.severity),
  text('expression', 'fires when', 30, (r) => r.expression, 60),
  text('summary', 'that is', 30, (r) => r.summary, 90),
];

/** Where no run time was taken, there are no figures of it. */
export const programLineFields: readonly Field<ProgramRow>[] = programFields.map((field) =>
  field.id === 'runs' || field.id === 'runTime'
    ? { ...field, get: (row: ProgramRow) => (row.measuredNs > 0 ? field.get(row) : null) }
    : field,
);

export interface HookLine {
  readonly target: string;
  readonly attached: boolean;
  readonly how: string;
  readonly note: string;
}

export const hookFields: readonly Field<HookLine>[] = [
  text('attached', 'hook', 6, (r) => (r.attached ? '✓ on' : '– off')),
  text('target', 'function or tracepoint', 26, (r) => r.target, 34),
  text('how', 'how', 8, (r) => r.how || null, 29),
  text('note', 'note', 12, (r) => r.note || null, 110),
];
