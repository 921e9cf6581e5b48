// SPDX-License-Identifier: MIT
/** Fields of rules about the whole host. One line each: what expressions, events and the documentation know of it. */

import type { Figures } from '../aggregate/figures.js';
import { MMAP_LOCK_HOOK, whyNotHooked } from '../aggregate/mmap-lock.js';
import { vmaAttempts } from '../aggregate/outcomes.js';
import { increase, type Measure, ratio, unknown } from './interval.js';
import { LOCK_MEASURES } from './lock-measures.js';
import { oldestSeconds, readUntil } from './stuck.js';
import { WAIT_MEASURES } from './wait-measures.js';

const attempts = ({ counts: { vmaLock } }: Figures): number => vmaAttempts(vmaLock);
const judged = ({ retry }: Figures): number => retry.avoidable + retry.notAvoidable;

function rate(id: string, title: string, of: (s: Figures) => number): Measure {
  return { id, unit: '/s', title, read: (interval) => increase(interval, of) / interval.seconds };
}

function count(id: string, title: string, of: (s: Figures) => number): Measure {
  return { id, unit: 'count', title, read: (interval) => increase(interval, of) };
}

function share(
  id: string,
  title: string,
  part: (s: Figures) => number,
  whole: (s: Figures) => number,
  why: string,
): Measure {
  return { id, unit: 'share', title, read: (i) => ratio(increase(i, part), increase(i, whole), why) };
}

function lockRatio(side: 'read' | 'write'): Measure {
  return {
    id: `mmap_lock_${side}_wait_ratio`,
    unit: 's/s',
    title: `time waited for mmap_lock for ${side}, by everybody: how many waited on average`,
    read: (i) =>
      i.now.mmapLock.known
        ? increase(i, (s) => s.mmapLock[side].waitNs) / 1e9 / i.seconds
        : unknown(whyNotHooked(i.now.session, MMAP_LOCK_HOOK)),
  };
}

export const MEASURES: readonly Measure[] = [
  rate('fault_rate', 'page faults', (s) => s.counts.faults),
  rate('retry_rate', 'RETRYs under a VMA lock', (s) => s.counts.vmaLock.retry),
  share(
    'retry_ratio',
    'RETRYs among attempts under a VMA lock',
    (s) => s.counts.vmaLock.retry,
    attempts,
    'no attempt under a VMA lock',
  ),
  rate('abort_rate', 'faults that got no VMA lock', (s) => s.counts.vmaLock.abort),
  share(
    'abort_ratio',
    'ABORTs among faults that tried for a VMA lock',
    (s) => s.counts.vmaLock.abort,
    (s) => attempts(s) + s.counts.vmaLock.abort,
    'no fault tried for a VMA lock',
  ),
  rate('mmap_lock_rate', 'attempts under mmap_lock', (s) => s.counts.mmapLock),
  count('judged_retries', 'retries whose counterfactual was judged', judged),
  share(
    'avoidable_share',
    'avoidable ones among the judged retries',
    (s) => s.retry.avoidable,
    judged,
    'no retry was judged',
  ),
  rate('avoidable_rate', 'avoidable retries', (s) => s.retry.avoidable),
  {
    id: 'avoidable_wait_ratio',
    unit: 's/s',
    title: 'time in the fallback of avoidable retries: how many threads were there on average',
    read: (i) => increase(i, ({ counterfactual: { all } }) => (all.savedNs ?? 0) + all.lookupNs) / 1e9 / i.seconds,
  },
  share(
    'unknown_cause_share',
    'retries without a known cause',
    (s) => s.retry.byCause.unknown,
    (s) => s.retry.total,
    'no retry',
  ),
  {
    id: 'swap_rate',
    unit: '/s',
    title: 'swap faults',
    read: (i) =>
      i.now.swap.faults === null
        ? unknown('short faults are not followed (--min-us)')
        : increase(i, (s) => s.swap.faults ?? 0) / i.seconds,
  },
  {
    id: 'refault_rate',
    unit: '/s',
    title: 'swap faults on pages that were mapped less than 1 s before',
    read: (i) =>
      i.now.progress.refaults === null
        ? unknown('ordinary swap faults are counted and not followed (--scope swap or all)')
        : increase(i, (s) => s.progress.refaults ?? 0) / i.seconds,
  },
  ...WAIT_MEASURES,
  lockRatio('read'),
  lockRatio('write'),
  ...LOCK_MEASURES,
  {
    id: 'inverted_waits',
    unit: 'count',
    title: "writers' waits for mmap_lock behind a holder of lower priority, of those sent",
    read: (i) =>
      i.now.mmapLock.known || i.now.waits.writer.count > 0
        ? increase(i, (s) => s.writers.reduce((sum, row) => sum + row.inverted, 0))
        : unknown(whyNotHooked(i.now.session, MMAP_LOCK_HOOK)),
  },
  {
    id: 'stuck_seconds',
    unit: 's',
    title: 'age of the oldest fault that is surely still in flight; 0 when there is none',
    read: ({ now, losses }) => oldestSeconds(now.inFlight, readUntil(now), losses),
  },
  { id: 'in_flight', unit: 'count', title: 'faults in flight', read: ({ now }) => now.inFlightTotal },
  count('dropped', 'records dropped since the ring was full', (s) => s.events.dropped),
  count('missed', 'program runs the kernel skipped', (s) => s.events.missed),
  count('state_lost', 'lifecycles not opened: no room for per-task state', (s) => s.events.stateLost),
  count('incomplete', 'lifecycles that lack steps', (s) => s.lifecycles.incomplete),
  count('evicted', 'open lifecycles given up: too many at once', (s) => s.lifecycles.evicted),
  {
    id: 'violations',
    unit: 'count',
    title: 'violated rules of `check`',
    read: ({ findings, findingsBefore }) =>
      findings === null ? unknown('nothing is checked here') : findings.violated - (findingsBefore?.violated ?? 0),
  },
  {
    id: 'release_outside',
    unit: 'count',
    title: 'releases seen outside the interval derived for them',
    read: (i) =>
      sumOf(i.now, 'checked') === 0
        ? unknown('no release is seen exactly in this session')
        : increase(i, (s) => sumOf(s, 'outside')),
  },
  {
    id: 'ring_used_share',
    unit: 'share',
    title: 'of the ring in use',
    read: ({ now }) => ratio(now.ringUsedBytes, now.session.ringBytes, 'the session has no ring'),
  },
  {
    id: 'self_cpu_ratio',
    unit: 's/s',
    title: 'CPU time of vmalocktop itself',
    read: (i) => increase(i, (s) => s.overhead.selfCpuNs) / 1e9 / i.seconds,
  },
  {
    id: 'self_rss_bytes',
    unit: 'bytes',
    title: 'memory of vmalocktop itself',
    read: ({ now }) => now.overhead.selfRssBytes,
  },
];

function sumOf(snapshot: Figures, what: 'checked' | 'outside'): number {
  let sum = 0;
  for (const rule of Object.values(snapshot.release)) sum += rule[what];
  return sum;
}
