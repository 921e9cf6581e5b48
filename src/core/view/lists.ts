// SPDX-License-Identifier: MIT
/** Every list of the dashboard, by id. */

import { MMAP_LOCK_HOOK, whyNoBlockers, whyNotHooked } from '../aggregate/mmap-lock.js';
import type { Snapshot } from '../aggregate/snapshot.js';
import { type AlertStatus, isOut } from '../alerts/event.js';
import type { SessionInfo } from '../events/session.js';
import type { Lifecycle } from '../lifecycle/lifecycle.js';
import { blockerFields, lockNowFields } from '../present/fields/blocker.js';
import { type CauseLine, causeLineFields } from '../present/fields/cause.js';
import type { Field } from '../present/fields/field.js';
import { causeSoFar, inFlightFields, type LifecycleRow, lifecycleFields } from '../present/fields/lifecycle.js';
import { waitLineFields } from '../present/fields/wait.js';
import { writerFields } from '../present/fields/writer.js';
import { causeOf, lasted } from '../present/lifecycle.js';
import { programRows } from '../present/rows.js';
import { type Style, sanitise } from '../present/text.js';
import { alertFields, hookFields, processLineFields, programLineFields, vmaFields } from './fields.js';
import type { Facts } from './filter.js';
import { defineList, type Figures, type List, type Opening, zeroDim } from './list.js';
import { alertLines, causeLines, processLines, waitLines } from './rows.js';
import type { ListId } from './state.js';

const lifecycleFacts = ({ lifecycle: l, now }: LifecycleRow, { now: snapshot }: Figures): Facts => ({
  ids: [l.tgid, l.tid],
  comm: l.comm,
  cause: (l.how === 'in-flight' ? causeSoFar({ lifecycle: l, now }) : causeOf(l)) ?? '',
  cgroup: `${l.cgroup} ${cgroupOf(snapshot, l.tgid)}`,
  vma: [l.vmaStart, l.vmaEnd],
  text: l.how,
});

function cgroupOf(snapshot: Snapshot, tgid: number): string {
  return snapshot.processes.find((row) => row.tgid === tgid)?.cgroupName ?? '';
}

function lifecycleStyle(row: LifecycleRow, field: Field<LifecycleRow>): Style {
  const { how } = row.lifecycle;
  if (field.id === 'end') {
    if (how === 'ok-vma') return 'good';
    if (how === 'incomplete' || how === 'error') return 'bad';
    return how === 'completed' ? 'completed' : 'plain';
  }
  if (field.id === 'cause') return 'retry';
  if (field.id === 'age' || field.id === 'total') return 'strong';
  return field.id === 'time' || field.id === 'address' ? 'dim' : 'plain';
}

/**
 * A filter asks for the faults of a process, a VMA, a cause: those that are kept of each come in beside the latest, or the
 * slowest, of all. `isFiltered`: one is set.
 */
type LifecyclesOf = (snapshot: Snapshot, isFiltered: boolean) => readonly Lifecycle[];

const latestOf: LifecyclesOf = ({ latest, slowest, examples }, isFiltered) =>
  isFiltered ? once([...latest, ...slowest, ...examples]).sort((x, y) => y.last - x.last) : latest;
const slowestOf: LifecyclesOf = ({ latest, slowest, examples }, isFiltered) =>
  isFiltered ? once([...slowest, ...latest, ...examples]).sort((x, y) => y.last - y.first - x.last + x.first) : slowest;

function once(faults: readonly Lifecycle[]): Lifecycle[] {
  return [...new Map(faults.map((fault) => [fault.id, fault])).values()];
}

function lifecycleList(rows: LifecyclesOf, empty: string): List {
  return defineList<LifecycleRow>({
    fields: lifecycleFields,
    priority: 'time tid comm cause total end mmapWait folioWait address attempts userfaultWait'.split(' '),
    sort: null,
    empty,
    rows: ({ now, state }) => rows(now, state.filter !== '').map((lifecycle) => ({ lifecycle, now: now.time })),
    key: (row) => String(row.lifecycle.id),
    facts: lifecycleFacts,
    open: (row) => ({ kind: 'fault', fault: row.lifecycle }),
    style: lifecycleStyle,
  });
}

/** `none` where it would have been seen. */
function unlessUnseen(none: string, why: (session: SessionInfo) => string = whyNoBlockers): (now: Snapshot) => string {
  return ({ session }) => {
    const unseen = why(session);
    return unseen === '' ? none : `not known: ${sanitise(unseen)}`;
  };
}

function causeStyle(row: CauseLine, field: Field<CauseLine>): Style {
  if (row.count === 0) return 'dim';
  if (field.id !== 'cause' && field.id !== 'result') return zeroDim(row, field);
  return row.cause === 'unknown' ? 'bad' : row.result === 'ABORT' ? 'abort' : 'retry';
}

function alertStyle(row: AlertStatus, field: Field<AlertStatus>): Style {
  if (field.id !== 'state' && field.id !== 'rule') return 'plain';
  if (isOut(row.phase)) return row.severity === 'critical' ? 'bad' : 'retry';
  return field.id === 'state' && Object.keys(row.unknown).length === 0 ? 'good' : 'dim';
}

/** The faults of what it is about; those in flight for a rule about the whole host. */
function alertOpening({ group }: AlertStatus): Opening {
  const filters = { process: 'pid:', cgroup: 'cgroup:', cause: 'cause:' } as const;
  if (group === null) return { kind: 'filter', filter: '', view: 'lifecycles' };
  return { kind: 'filter', filter: `${filters[group.by]}"${group.key}"`, view: 'lifecycles' };
}

export const LISTS: Readonly<Record<ListId, List>> = {
  processes: defineList({
    fields: processLineFields,
    priority: 'pid comm retries aborts folioWait mmapWait rate inFlight lifecycles total swap cgroup cgroupName'.split(
      ' ',
    ),
    sort: { field: 'retries', descending: true },
    empty: 'no process has faulted in scope yet',
    rows: processLines,
    key: ({ row }) => String(row.tgid),
    facts: ({ row }) => ({ ids: [row.tgid], comm: row.comm, cgroup: `${row.cgroup} ${row.cgroupName}` }),
    open: ({ row }) => ({ kind: 'filter', filter: `pid:${row.tgid}`, view: 'lifecycles' }),
  }),
  vmas: defineList({
    fields: vmaFields,
    priority: 'pid comm range retries aborts backing flags folioWait mmapWait worst lifecycles size otherWait'.split(
      ' ',
    ),
    sort: { field: 'retries', descending: true },
    empty: 'no VMA has faulted in scope yet',
    rows: ({ now }) => now.vmas,
    key: (row) => `${row.mm}:${row.start}`,
    facts: (row, { now }) => ({
      ids: [row.tgid],
      comm: row.comm,
      cgroup: cgroupOf(now, row.tgid),
      vma: [row.start, row.end],
      text: row.backing,
    }),
    open: (row) => ({ kind: 'filter', filter: `pid:${row.tgid} vma:${row.start.toString(16)}`, view: 'lifecycles' }),
  }),
  causes: defineList({
    fields: causeLineFields,
    priority: 'cause count share lost avoidable worst rate mean result example saved'.split(' '),
    sort: { field: 'count', descending: true },
    empty: 'no attempt has failed yet',
    rows: causeLines,
    key: (row) => row.cause,
    facts: (row) => ({ cause: row.cause, text: row.result }),
    open: (row) => (row.cost === null ? null : { kind: 'fault', fault: row.cost.worst }),
    style: causeStyle,
  }),
  waits: defineList({
    fields: waitLineFields,
    priority: 'wait count p50 p99 max sum mean'.split(' '),
    sort: null,
    empty: 'nothing was waited for yet',
    rows: ({ now }) => waitLines(now),
    key: (row) => row.id,
    facts: (row) => ({ text: row.title }),
    style: (row, field) => (row.stats.count === 0 ? 'dim' : zeroDim(row, field)),
  }),
  blockers: defineList({
    fields: blockerFields,
    priority:
      'comm what blocked waits mm holdMax hold holds convoys pid mode blockedMax convoyVia convoyWaits forks forkVmas forkWait forkThreads'.split(
        ' ',
      ),
    sort: { field: 'blocked', descending: true },
    empty: unlessUnseen('no hold of mmap_lock that others queued behind was recorded'),
    rows: ({ now }) => now.blockers.rows,
    key: (row) => `${row.tgid}:${row.mm}:${row.lock}:${row.isWrite}:${row.what}`,
    facts: (row, { now }) => ({
      ids: [row.tgid, row.owner],
      comm: `${row.comm} ${row.ownerComm}`,
      cgroup: cgroupOf(now, row.tgid),
      text: `${row.what} ${row.victims.map(({ comm, what }) => `${comm} ${what}`).join(' ')}`,
    }),
    open: (row) => ({ kind: 'filter', filter: `pid:${row.owner || row.tgid}`, view: 'lifecycles' }),
  }),
  lockNow: defineList({
    fields: lockNowFields,
    priority: 'state comm what for mm tid pid mode since'.split(' '),
    sort: null,
    empty: unlessUnseen('no queue for an mmap_lock is recorded at this moment'),
    rows: ({ now }) => now.blockers.now.map((row) => ({ row, time: now.time })),
    key: ({ row }) => `${row.tid}:${row.mm}:${row.isWaiting}`,
    facts: ({ row }, { now }) => ({
      ids: [row.tgid, row.tid, row.owner],
      comm: `${row.comm} ${row.ownerComm}`,
      cgroup: cgroupOf(now, row.tgid),
      text: row.what,
    }),
    style: ({ row, time }, field) => (field.id === 'for' && time - row.since > 1e9 ? 'bad' : 'plain'),
  }),
  writers: defineList({
    fields: writerFields,
    priority:
      'comm name acquired wait waitMax behindReader vmas retriesLocked pid retriesDelayed hold waitP99 behindWriter vmaWait inverted worstHolder'.split(
        ' ',
      ),
    sort: { field: 'wait', descending: true },
    empty: unlessUnseen('no writer has waited or met a retry yet', (session) => whyNotHooked(session, MMAP_LOCK_HOOK)),
    rows: ({ now }) => now.writers,
    key: (row) => `${row.tgid}:${row.syscall}`,
    facts: (row, { now }) => ({ ids: [row.tgid], comm: row.comm, cgroup: cgroupOf(now, row.tgid), text: row.name }),
    open: (row) => ({ kind: 'filter', filter: `pid:${row.tgid}`, view: 'lifecycles' }),
  }),
  latest: lifecycleList(latestOf, 'no fault in scope has ended yet'),
  slowest: lifecycleList(slowestOf, 'no fault in scope has ended yet'),
  inFlight: defineList<LifecycleRow>({
    fields: inFlightFields,
    priority: 'tid comm age held state cause address pid tries'.split(' '),
    sort: null,
    empty: 'no fault is in flight at the moment',
    rows: ({ now }) => now.inFlight.map((lifecycle) => ({ lifecycle, now: now.time })),
    key: (row) => String(row.lifecycle.id),
    facts: lifecycleFacts,
    open: (row) => ({ kind: 'fault', fault: row.lifecycle }),
    style: (row, field) =>
      field.id === 'age' && lasted(row.lifecycle, row.now).lo > 1e9 ? 'bad' : lifecycleStyle(row, field),
  }),
  alerts: defineList({
    fields: alertFields,
    priority: 'state rule values since group expression severity summary'.split(' '),
    sort: null,
    empty: 'no alert rules are watched here',
    rows: alertLines,
    key: (row) => `${row.rule} ${row.group?.key ?? ''}`,
    facts: (row) => ({ text: `${row.rule} ${row.severity} ${row.summary} ${row.group?.name ?? ''}` }),
    open: alertOpening,
    style: alertStyle,
  }),
  hooks: defineList({
    fields: hookFields,
    priority: 'attached target how note'.split(' '),
    sort: null,
    empty: 'no hook was asked for',
    rows: ({ now: { session } }) =>
      session.hooks.map((hook) => ({
        ...hook,
        how: [...new Set(session.programs.filter((p) => p.target === hook.target).map((p) => p.method))].join(', '),
      })),
    key: (row) => row.target,
    facts: (row) => ({ text: `${row.target} ${row.how} ${row.note}` }),
    style: (row, field) => (row.attached ? (field.id === 'attached' ? 'good' : 'plain') : 'dim'),
  }),
  programs: defineList({
    fields: programLineFields,
    priority: 'program target missed runs perRun cpu runTime method'.split(' '),
    sort: null,
    empty: 'no program is attached',
    rows: ({ now }) => programRows(now),
    key: (row) => row.cost.name,
    facts: (row) => ({ text: `${row.cost.name} ${row.cost.target} ${row.cost.method}` }),
    style: (row, field) => (field.id === 'missed' && row.cost.missed > 0 ? 'bad' : zeroDim(row, field)),
  }),
};
