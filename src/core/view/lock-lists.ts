// SPDX-License-Identifier: MIT
/** Lists of who holds, awaits and held mmap_lock and the locks of VMAs. */

import { MMAP_LOCK_HOOK, whyNoBlockers, whyNotHooked } from '../aggregate/mmap-lock.js';
import type { Snapshot } from '../aggregate/snapshot.js';
import type { SessionInfo } from '../events/session.js';
import { blockerFields, lockNowFields } from '../present/fields/blocker.js';
import { writerFields } from '../present/fields/writer.js';
import { sanitise } from '../present/text.js';
import { defineList, type List } from './list.js';
import { cgroupOf, faultsOfProcess, groupOfProcess } from './list-groups.js';

/** `none` where it would have been seen. */
function unlessUnseen(none: string, why: (session: SessionInfo) => string = whyNoBlockers): (now: Snapshot) => string {
  return ({ session }) => {
    const unseen = why(session);
    return unseen === '' ? none : `not known: ${sanitise(unseen)}`;
  };
}

export const LOCK_LISTS: Readonly<Record<'blockers' | 'lockNow' | 'writers', List>> = {
  blockers: defineList({
    fields: blockerFields,
    sums: ['waits', 'blocked', 'holds', 'hold'],
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
    open: (row) => faultsOfProcess(row.owner || row.tgid),
    group: (row, { now }) => groupOfProcess(now, row.tgid),
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
    open: ({ row }) => faultsOfProcess(row.owner || row.tgid),
    group: ({ row }, { now }) => groupOfProcess(now, row.tgid),
    style: ({ row, time }, field) => (field.id === 'for' && time - row.since > 1e9 ? 'bad' : 'plain'),
  }),
  writers: defineList({
    fields: writerFields,
    sums: ['acquired', 'wait', 'hold', 'retriesDelayed'],
    priority:
      'comm name acquired wait waitMax behindReader vmas retriesLocked pid retriesDelayed hold waitP99 behindWriter vmaWait inverted worstHolder'.split(
        ' ',
      ),
    sort: { field: 'wait', descending: true },
    empty: unlessUnseen('no writer has waited or met a retry yet', (session) => whyNotHooked(session, MMAP_LOCK_HOOK)),
    rows: ({ now }) => now.writers,
    key: (row) => `${row.tgid}:${row.syscall}`,
    facts: (row, { now }) => ({ ids: [row.tgid], comm: row.comm, cgroup: cgroupOf(now, row.tgid), text: row.name }),
    open: (row) => faultsOfProcess(row.tgid),
    group: (row, { now }) => groupOfProcess(now, row.tgid),
  }),
};
