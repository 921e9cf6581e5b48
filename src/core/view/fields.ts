// SPDX-License-Identifier: MIT
/** Fields of the rows that only the dashboard has: they join parts of a snapshot, or two snapshots. */

import type { CauseCost } from '../aggregate/cause-costs.js';
import type { CounterfactualRow, ProcessRow, WaitStats, WriterRow } from '../aggregate/snapshot-rows.js';
import type { VmaRow } from '../aggregate/vmas.js';
import { type AlertStatus, formatValues } from '../alerts/event.js';
import {
  type Field,
  flightFields,
  type LifecycleRow,
  num,
  processFields,
  programFields,
  text,
  type Value,
  whole,
} from '../present/fields.js';
import { formatAddress, formatTime } from '../present/format.js';
import { causeOf } from '../present/lifecycle.js';
import type { ProgramRow } from '../present/rows.js';
import { flagWords } from '../present/words.js';
import type { Cause } from '../vocabulary/causes.js';
import { WAIT_FACTS, type WaitName } from '../vocabulary/waits.js';
import { lift } from './list.js';

export interface ProcessLine {
  readonly row: ProcessRow;
  /** Retries per second since the snapshot before; NaN without one. */
  readonly rate: number;
}

/** The fields all views share, with the rate behind the count. */
export const processLineFields: readonly Field<ProcessLine>[] = lift<ProcessRow, ProcessLine>(
  processFields.filter((field) => field.id !== 'cgroupName'),
  (line) => line.row,
).flatMap((field) =>
  field.id === 'retries'
    ? [field, num<ProcessLine>('rate', 'RETRY/s', '/s', 9, (line) => line.rate)]
    : field.id === 'cgroup'
      ? [field, text<ProcessLine>('cgroupName', 'container or unit', 20, (line) => line.row.cgroupName || null, 48)]
      : [field],
);

const size = (row: VmaRow): number => row.end - row.start;

export const vmaFields: readonly Field<VmaRow>[] = [
  num('pid', 'pid', '', 7, (r) => r.tgid, whole),
  text('comm', 'comm', 12, (r) => r.comm, 15),
  text('range', 'range', 25, (r) => `${formatAddress(r.start)}-${formatAddress(r.end)}`),
  num('size', 'size', 'bytes', 8, size),
  text('flags', 'flags', 4, (r) => flagWords(r.vmFlags), 10),
  text('backing', 'of', 7, (r) => (r.backing === 'unknown' ? '?' : r.backing)),
  num('retries', 'retries', '', 8, (r) => r.retries),
  num('aborts', 'aborts', '', 6, (r) => r.aborts),
  num('lifecycles', 'seen', '', 6, (r) => r.lifecycles),
  num('folioWait', 'folio', 'ns', 8, (r) => r.folioWaitNs),
  num('mmapWait', 'mmap', 'ns', 8, (r) => r.mmapWaitNs),
  num('otherWait', 'other', 'ns', 8, (r) => r.otherWaitNs),
  num('worst', 'worst', 'ns', 8, (r) => r.worstNs),
];

export interface CauseLine {
  readonly cause: Cause;
  readonly result: 'RETRY' | 'ABORT';
  readonly count: number;
  readonly rate: number;
  readonly share: number;
  readonly cost: CauseCost | null;
  readonly judged: CounterfactualRow | null;
}

/** Retries whose verdict is known. */
export function judgedOf(row: CounterfactualRow): number {
  return row.retries - row.verdicts.unknown;
}

/** Of the retries that could be judged; NaN when there was none. */
export function avoidableShare(row: CounterfactualRow): number {
  const known = judgedOf(row);
  return known > 0 ? row.verdicts.avoidable / known : Number.NaN;
}

export const causeLineFields: readonly Field<CauseLine>[] = [
  text('cause', 'cause', 26, (r) => r.cause),
  text('result', 'ends in', 7, (r) => r.result),
  num('count', 'count', '', 6, (r) => r.count),
  num('rate', 'rate', '/s', 9, (r) => r.rate),
  num('share', 'share', 'share', 6, (r) => r.share),
  num('lost', 'cost', 'ns', 8, (r) => r.cost?.lostNs ?? null),
  num('mean', 'each', 'ns', 8, (r) => (r.cost === null ? null : r.cost.lostNs / r.cost.faults)),
  num('avoidable', 'avoidable', 'share', 9, (r) => (r.judged === null ? null : avoidableShare(r.judged))),
  num('worst', 'worst', 'ns', 8, (r) => r.cost?.worstNs ?? null),
  num(
    'example',
    'by tid',
    '',
    7,
    (r) => r.cost?.worst.tid ?? null,
    (v) => (v === null ? '–' : whole(v)),
  ),
  num('saved', 'saved', 'ns', 8, (r) => (r.judged === null || judgedOf(r.judged) === 0 ? null : r.judged.savedNs)),
];

export interface WaitLine {
  readonly id: WaitName;
  readonly title: string;
  readonly stats: WaitStats;
}

const orNone = (stats: WaitStats, value: number): number | null => (stats.count === 0 ? null : value);

export const waitLineFields: readonly Field<WaitLine>[] = [
  text('wait', 'wait for', 14, (r) => r.title, 21),
  num('count', 'count', '', 6, (r) => r.stats.count),
  num('p50', 'p50', 'ns', 8, (r) => orNone(r.stats, r.stats.p50Ns)),
  num('p99', 'p99', 'ns', 8, (r) => orNone(r.stats, r.stats.p99Ns)),
  num('max', 'max', 'ns', 8, (r) => orNone(r.stats, r.stats.maxNs)),
  num('sum', 'sum', 'ns', 9, (r) => orNone(r.stats, r.stats.sumNs)),
  num('mean', 'mean', 'ns', 8, (r) => (r.stats.count === 0 ? null : r.stats.sumNs / r.stats.count)),
];

export const writerFields: readonly Field<WriterRow>[] = [
  num('pid', 'pid', '', 7, (r) => r.tgid, whole),
  text('comm', 'comm', 12, (r) => r.comm, 15),
  text('name', 'system call', 12, (r) => r.name, 18),
  num('acquired', 'locks', '', 6, (r) => r.acquired),
  num('wait', 'waited', 'ns', 8, (r) => orNone(r.wait, r.wait.sumNs)),
  num('waitP99', 'p99', 'ns', 8, (r) => orNone(r.wait, r.wait.p99Ns)),
  num('waitMax', 'max', 'ns', 8, (r) => orNone(r.wait, r.wait.maxNs)),
  num('hold', 'held', 'ns', 8, (r) => orNone(r.hold, r.hold.sumNs)),
  num('behindReader', 'b.reader', '', 8, (r) => r.behindReader),
  num('behindWriter', 'b.writer', '', 8, (r) => r.behindWriter),
  num('inverted', 'inv', '', 5, (r) => r.inverted),
  num('vmas', 'VMAs', '', 6, (r) => r.vmas),
  num('vmaWait', 'VMA wait', 'ns', 8, (r) => orNone(r.vmaWait, r.vmaWait.sumNs)),
  num('retriesLocked', 'locked', '', 7, (r) => r.retriesLocked),
  num('retriesDelayed', 'delayed', '', 7, (r) => r.retriesDelayed),
  num(
    'worstHolder',
    'behind',
    '',
    7,
    (r) => (r.worstHolder === 0 ? null : r.worstHolder),
    (v) => (v === null ? '–' : whole(v)),
  ),
];

/** What a fault in flight will be called, as far as it shows by now: a settled cause, or what it waits for. */
export function causeSoFar(row: LifecycleRow): string | null {
  const cause = causeOf(row.lifecycle);
  if (cause !== null) return cause;
  const open = row.lifecycle.waits.findLast((wait) => Number.isNaN(wait.end));
  if (open === undefined) return null;
  const { soFar } = WAIT_FACTS[open.kind];
  return soFar === undefined ? null : `${soFar} …`;
}

export const inFlightFields: readonly Field<LifecycleRow>[] = [
  ...flightFields.filter((field) => field.id !== 'address'),
  text('cause', 'cause so far', 16, causeSoFar, 23),
  num('address', 'address', 'address', 12, (r) => r.lifecycle.address),
  num('pid', 'pid', '', 7, (r) => r.lifecycle.tgid, whole),
  num('tries', 'tries', '', 5, (r) => r.lifecycle.attempts.length),
];

const orDash =
  (format: (value: number) => string) =>
  (value: Value): string =>
    typeof value === 'number' && !Number.isNaN(value) ? format(value) : '–';

/** A mark and a word for each phase: what is out is told from what is not without colour. */
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

/** What the rule reads now, or why it cannot be told. */
function valueWords({ values, unknown }: AlertStatus): string {
  const [why] = Object.values(unknown);
  return why ?? formatValues(values);
}

export const alertFields: readonly Field<AlertStatus>[] = [
  text('state', 'state', 10, phaseWord),
  text('rule', 'rule', 18, (r) => r.rule, 24),
  text('group', 'of', 14, (r) => r.group?.name ?? null, 24),
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
