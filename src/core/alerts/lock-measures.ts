// SPDX-License-Identifier: MIT
/** Fields of rules about who holds mmap_lock while others queue for it. */
import type { LockNowRow } from '../aggregate/blocker-rows.js';
import type { Figures } from '../aggregate/figures.js';
import { whyNoBlockers } from '../aggregate/mmap-lock.js';
import { increase, type Measure, type Reading, ratio, unknown } from './interval.js';

function ifKnown({ session, blockers }: Figures, read: () => Reading): Reading {
  return blockers.known ? read() : unknown(whyNoBlockers(session));
}

/** For how long the oldest of those that `of` picks has lasted, s; 0 when there is none. */
function oldest(snapshot: Figures, of: (row: LockNowRow) => boolean): Reading {
  return ifKnown(snapshot, () => {
    const since = snapshot.blockers.now.filter(of).map((row) => row.since);
    return since.length === 0 ? 0 : Math.max(0, snapshot.time - Math.min(...since)) / 1e9;
  });
}

export const LOCK_MEASURES: readonly Measure[] = [
  {
    id: 'mmap_lock_held_seconds',
    unit: 's',
    title:
      'for how long an mmap_lock that others queue for has been held by the same task by now; 0 when nobody queues',
    read: ({ now }) => oldest(now, ({ isWaiting }) => !isWaiting),
  },
  {
    id: 'mmap_lock_queued_seconds',
    unit: 's',
    title: 'how long the longest waiter for an mmap_lock has queued by now; 0 when nobody queues',
    read: ({ now }) => oldest(now, ({ isWaiting }) => isWaiting),
  },
  {
    id: 'mmap_lock_queued_ratio',
    unit: 's/s',
    title: 'time spent queued for mmap_lock, of the waits that ended: how many queued on average',
    read: (i) => ifKnown(i.now, () => increase(i, (s) => s.blockers.all.waits.sumNs) / 1e9 / i.seconds),
  },
  {
    id: 'mmap_lock_convoy_rate',
    unit: '/s',
    title: 'holds of mmap_lock for read behind which a writer queued, and readers behind that one',
    read: (i) => ifKnown(i.now, () => increase(i, (s) => s.blockers.convoys) / i.seconds),
  },
  {
    id: 'mmap_lock_unnamed_share',
    unit: 'share',
    title: 'waits that queued for mmap_lock and have no holder',
    read: (i) =>
      ifKnown(i.now, () =>
        ratio(
          increase(i, ({ blockers: { all } }) => all.waits.count - all.named),
          increase(i, (s) => s.blockers.all.waits.count),
          'nobody queued for mmap_lock',
        ),
      ),
  },
];
