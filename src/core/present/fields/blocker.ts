// SPDX-License-Identifier: MIT
/** One blocker: what a process did with an mmap_lock; one of its victims; a task that holds or awaits one now. */
import type { BlockerRow, LockNowRow, VictimRow } from '../../aggregate/blocker-rows.js';
import type { WaitStats } from '../../aggregate/snapshot-rows.js';
import { type Field, formatOf, type Metric, num, text, whole } from './field.js';
import { orNone } from './wait.js';

const mode = (isWrite: boolean): string => (isWrite ? 'write' : 'read');
const lockMode = ({ lock, isWrite }: BlockerRow): string => (lock === 'vma' ? 'VMA' : mode(isWrite));

/** Whose mm it is: `self`, `comm pid`, or what of that is known. */
function mmOf(tgid: number, owner: number, ownerComm: string): string | null {
  if (owner === 0) return null;
  return owner === tgid ? 'self' : ownerComm === '' ? String(owner) : `${ownerComm} ${owner}`;
}

/** Of waits for the VMAs of forks; null where they are not seen, or there was none. */
function forkWait({ forks }: BlockerRow, of: (waits: WaitStats) => number): number | null {
  const waits = forks?.waits ?? null;
  return waits === null ? null : orNone(waits, of(waits));
}

const counter = (name: string, help: string): Metric => ({ name, help, type: 'counter' });
const orNull = (value: string): string | null => (value === '' ? null : value);

export const blockerFields: readonly Field<BlockerRow>[] = [
  num('pid', 'pid', '', 7, (r) => r.tgid, whole, { json: 'tgid' }),
  text('comm', 'comm', 12, (r) => r.comm, 15, { json: 'comm' }),
  text('what', 'by', 14, (r) => r.what, 22, { json: 'what' }),
  text('mode', 'mode', 5, lockMode, 5, { json: 'mode' }),
  text('mm', 'mm of', 12, (r) => mmOf(r.tgid, r.owner, r.ownerComm), 23),
  num('waits', 'blocked', '', 7, (r) => r.blocked.count, undefined, {
    json: 'waits',
    metric: counter('blocked_waits', 'waits for mmap_lock spent behind its holds'),
  }),
  num('blocked', 'for', 'ns', 8, (r) => orNone(r.blocked, r.blocked.sumNs), formatOf('ns'), {
    json: 'blockedNs',
    metric: counter('blocked', 'time others waited for mmap_lock behind its holds'),
  }),
  num('blockedMax', 'at most', 'ns', 8, (r) => orNone(r.blocked, r.blocked.maxNs)),
  num('holds', 'holds', '', 7, (r) => r.hold.count + r.untimed, undefined, {
    metric: counter('holds', 'holds of mmap_lock that others queued behind, or that were long'),
  }),
  num('hold', 'held', 'ns', 8, (r) => orNone(r.hold, r.hold.sumNs), formatOf('ns'), {
    metric: counter('held', 'time of those holds'),
  }),
  num('holdMax', 'longest', 'ns', 8, (r) => orNone(r.hold, r.hold.maxNs)),
  num('convoys', 'convoys', '', 7, (r) => r.convoys, undefined, {
    json: 'convoys',
    metric: counter('convoys', 'holds for read behind which readers queued, for a writer had queued before'),
  }),
  num('convoyWaits', 'in convoys', '', 10, (r) => r.convoyWaits, undefined, { json: 'convoyWaits' }),
  text('convoyVia', 'behind writer', 14, (r) => orNull(r.convoyVia), 30, { json: 'convoyVia' }),
  num('queued', 'queued', '', 7, (r) => r.waited.count),
  num('queuedFor', 'queued for', 'ns', 10, (r) => orNone(r.waited, r.waited.sumNs)),
  num('forks', 'forks', '', 6, (r) => r.forks?.count ?? null),
  num('forkThreads', 'threads', '', 7, (r) => r.forks?.maxThreads ?? null),
  num('forkVmas', 'VMAs', '', 7, (r) => r.forks?.maxVmas ?? null),
  num('forkLocked', 'locked', '', 7, (r) => r.forks?.locked ?? null),
  num('forkWaits', 'VMA waits', '', 9, (r) => r.forks?.waits?.count ?? null),
  num('forkWait', 'VMA wait', 'ns', 8, (r) => forkWait(r, ({ sumNs }) => sumNs)),
  num('forkWaitMax', 'VMA most', 'ns', 8, (r) => forkWait(r, ({ maxNs }) => maxNs)),
];

export const victimFields: readonly Field<VictimRow>[] = [
  num('pid', 'pid', '', 7, (r) => r.tgid, whole, { json: 'tgid' }),
  text('comm', 'comm', 12, (r) => r.comm, 15, { json: 'comm' }),
  text('what', 'in', 14, (r) => r.what, 22, { json: 'what' }),
  text('mode', 'mode', 5, (r) => mode(r.isWrite), 5, { json: 'mode' }),
  num('waits', 'waits', '', 7, (r) => r.waits, undefined, { json: 'waits' }),
  num('sum', 'for', 'ns', 8, (r) => r.sumNs, undefined, { json: 'sumNs' }),
  num('max', 'at most', 'ns', 8, (r) => r.maxNs, undefined, { json: 'maxNs' }),
];

/** A row of what is held and awaited, at `time`. */
export interface LockNowLine {
  readonly row: LockNowRow;
  readonly time: number;
}

export const lockNowFields: readonly Field<LockNowLine>[] = [
  text('state', 'now', 5, ({ row }) => (row.isWaiting ? 'waits' : 'holds'), 5, { json: 'state' }),
  num('tid', 'tid', '', 7, ({ row }) => row.tid, whole, { json: 'tid' }),
  num('pid', 'pid', '', 7, ({ row }) => row.tgid, whole, { json: 'tgid' }),
  text('comm', 'comm', 12, ({ row }) => row.comm, 15, { json: 'comm' }),
  text('what', 'by', 14, ({ row }) => row.what, 22, { json: 'what' }),
  text('mode', 'mode', 5, ({ row }) => mode(row.isWrite), 5, { json: 'mode' }),
  text('mm', 'mm of', 12, ({ row }) => mmOf(row.tgid, row.owner, row.ownerComm), 23),
  num('for', 'for', 'ns', 8, ({ row, time }) => Math.max(0, time - row.since)),
  num('since', 'since', 'ns', 9, ({ row }) => row.since),
];
