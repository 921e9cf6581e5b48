// SPDX-License-Identifier: MIT
/**
 * Every field of every view, once: the dashboard, `stat` and the exports read these and nothing else.
 * `get` gives the value as it is (ns, counts, shares in [0, 1]); `format` gives what people read.
 */

import type { ProcessRow } from '../aggregate/snapshot-rows.js';
import type { Interval, Lifecycle } from '../lifecycle/lifecycle.js';
import {
  formatAddress,
  formatBytes,
  formatCount,
  formatDuration,
  formatInterval,
  formatLower,
  formatRate,
  formatShare,
  formatTime,
} from './format.js';
import { causeOf, heldNow, lasted, lockName, waited } from './lifecycle.js';
import type { OutcomeRow, ProgramRow } from './rows.js';
import { sanitise } from './text.js';

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
  get(row: Row): Value;
  format(value: Value): string;
}

/** A lifecycle beside the time of the snapshot it is shown in, for clocks that run. */
export interface LifecycleRow {
  readonly lifecycle: Lifecycle;
  readonly now: number;
}

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
): Field<Row> {
  return { id, title, unit, width, align: 'right', get, format };
}

/** A left-aligned word; `grow`: columns it can make use of. */
export function text<Row>(
  id: string,
  title: string,
  width: number,
  get: (row: Row) => string | null,
  grow: number = width,
): Field<Row> {
  return { id, title, unit: '', width, align: 'left', grow, get, format: formatOf('') };
}

/** Numbers that are names (pids, indexes): every digit, no SI. */
export const whole = (value: Value): string => String(value);

export const outcomeFields: readonly Field<OutcomeRow>[] = [
  text('outcome', 'outcome', 11, (r) => r.title),
  num('count', 'count', '', 6, (r) => r.count),
  num('rate', 'rate', '/s', 9, (r) => r.rate),
  num('share', 'share', 'share', 7, (r) => r.share),
];

export const processFields: readonly Field<ProcessRow>[] = [
  num('pid', 'pid', '', 7, (r) => r.tgid, whole),
  text('comm', 'comm', 12, (r) => r.comm, 15),
  num('retries', 'retries', '', 8, (r) => r.retries),
  num('aborts', 'aborts', '', 6, (r) => r.aborts),
  num('inFlight', 'flying', '', 7, (r) => r.inFlight),
  num('folioWait', 'folio', 'ns', 8, (r) => r.folioWaitNs),
  num('mmapWait', 'mmap', 'ns', 8, (r) => r.mmapWaitNs),
  num('lifecycles', 'seen', '', 6, (r) => r.lifecycles),
  num('swap', 'swap', '', 6, (r) => r.swap),
  num('total', 'total', 'ns', 9, (r) => r.totalNs),
  num('cgroup', 'cgroup', '', 8, (r) => r.cgroup, whole),
];

const wait = (row: LifecycleRow, kind: 'folio' | 'mmapLock' | 'userfault'): number | null =>
  row.lifecycle.waits.some((w) => w.kind === kind) ? waited(row.lifecycle, kind, row.now) : null;

export const lifecycleFields: readonly Field<LifecycleRow>[] = [
  num(
    'time',
    'time (s)',
    'ns',
    11,
    (r) => r.lifecycle.first,
    (value) => formatTime(Number(value)),
  ),
  num('tid', 'tid', '', 7, (r) => r.lifecycle.tid, whole),
  text('comm', 'comm', 12, (r) => r.lifecycle.comm, 15),
  num('address', 'address', 'address', 12, (r) => r.lifecycle.address),
  text('cause', 'cause', 20, (r) => causeOf(r.lifecycle), 26),
  num('attempts', 'tries', '', 5, (r) => r.lifecycle.attempts.length),
  num('folioWait', 'folio', 'ns', 8, (r) => wait(r, 'folio')),
  num('mmapWait', 'mmap', 'ns', 8, (r) => wait(r, 'mmapLock')),
  num('userfaultWait', 'uffd', 'ns', 8, (r) => wait(r, 'userfault')),
  {
    id: 'total',
    title: 'total',
    unit: 'ns',
    width: 9,
    align: 'right',
    get: (r) => lasted(r.lifecycle, r.now),
    format: (value) => (isInterval(value) ? formatLower(value) : formatOf('ns')(value)),
  },
  text('end', 'end', 10, (r) => r.lifecycle.how),
];

export const flightFields: readonly Field<LifecycleRow>[] = [
  num('tid', 'tid', '', 7, (r) => r.lifecycle.tid, whole),
  text('comm', 'comm', 10, (r) => r.lifecycle.comm, 15),
  num('age', 'age', 'ns', 8, (r) => lasted(r.lifecycle, r.now).lo),
  text('held', 'holds', 9, (r) => lockName(heldNow(r.lifecycle))),
  text('state', 'state', 16, (r) => r.lifecycle.state, 40),
  num('address', 'address', 'address', 12, (r) => r.lifecycle.address),
];

export const programFields: readonly Field<ProgramRow>[] = [
  text('program', 'program', 20, (r) => r.cost.name, 30),
  text('target', 'target', 24, (r) => r.cost.target, 34),
  text('method', 'method', 14, (r) => r.cost.method, 22),
  num('runs', 'runs', '', 7, (r) => r.cost.runCount),
  num('runTime', 'run time', 'ns', 9, (r) => r.cost.runTimeNs),
  num('perRun', 'per run', 'ns', 9, (r) => (r.cost.runCount > 0 ? r.cost.runTimeNs / r.cost.runCount : null)),
  num('cpu', 'cpu', 'share', 6, (r) => (r.measuredNs > 0 ? r.cost.runTimeNs / r.measuredNs : null)),
  num('missed', 'missed', '', 7, (r) => r.cost.missed),
];
