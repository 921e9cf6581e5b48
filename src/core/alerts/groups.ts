// SPDX-License-Identifier: MIT
/** Fields of rules that are judged per process, per cgroup, or per cause. */

import type { Figures } from '../aggregate/figures.js';
import type { CounterfactualRow } from '../aggregate/snapshot-rows.js';
import { countOf, finalCount } from '../present/rows.js';
import { CAUSES } from '../vocabulary/causes.js';
import type { AlertGroup, Grouping } from './event.js';
import { type Interval, increase, type Reading, ratio } from './interval.js';
import { addWork, type ProcessWork, type Work } from './work.js';

export interface GroupReading {
  readonly group: AlertGroup;
  /** What distinguishes the group from others, for expressions. */
  readonly identity: Readonly<Record<string, string | number>>;
  readonly fields: Readonly<Record<string, Reading>>;
}

export interface GroupField {
  readonly id: string;
  readonly unit: '/s' | 's' | 'share' | 'count' | 's/s';
  readonly title: string;
}

interface WorkField extends GroupField {
  read(work: Work, seconds: number): Reading;
}

const WORK: readonly WorkField[] = [
  perSecond('lifecycle_rate', 'its faults that were followed', (work) => work.lifecycles),
  perSecond('swap_rate', 'of them, swap faults', (work) => work.swap),
  perSecond('retry_rate', 'RETRYs under a VMA lock', (work) => work.retries),
  perSecond('abort_rate', 'faults that got no VMA lock', (work) => work.aborts),
  waiting('folio_wait_ratio', 'time waited for folios: how many threads waited on average', (work) => work.folioWaitNs),
  waiting('mmap_lock_wait_ratio', 'the same for mmap_lock', (work) => work.mmapWaitNs),
  waiting('writer_wait_ratio', 'the same for its writers, of the waits sent', (work) => work.writerWaitNs),
  {
    id: 'avoidable_share',
    unit: 'share',
    title: 'avoidable ones among the judged retries',
    read: (work) => ratio(work.avoidable, work.judged, 'no retry was judged'),
  },
  { id: 'in_flight', unit: 'count', title: 'faults in flight', read: (work) => work.inFlight },
  {
    id: 'stuck_seconds',
    unit: 's',
    title: 'age of the oldest fault that is surely still in flight; 0 when there is none',
    read: (work) => work.stuckSeconds,
  },
];

function perSecond(id: string, title: string, of: (work: Work) => number): WorkField {
  return { id, unit: '/s', title, read: (work, seconds) => of(work) / seconds };
}

function waiting(id: string, title: string, ns: (work: Work) => number): WorkField {
  return { id, unit: 's/s', title, read: (work, seconds) => ns(work) / 1e9 / seconds };
}

export const GROUP_FIELDS: Readonly<Record<Grouping, readonly GroupField[]>> = {
  process: WORK,
  cgroup: WORK,
  cause: [
    { id: 'rate', unit: '/s', title: 'failed attempts of this cause: RETRYs, or ABORTs, once it is sure' },
    { id: 'share', unit: 'share', title: 'among all RETRYs and ABORTs whose cause is sure' },
    { id: 'avoidable_share', unit: 'share', title: 'avoidable ones among the judged retries' },
  ],
};

/** What distinguishes one group from the other, and its type. */
export const GROUP_IDENTITY: Readonly<Record<Grouping, Readonly<Record<string, 'string' | 'double'>>>> = {
  process: { comm: 'string', pid: 'double', cgroup: 'string' },
  cgroup: { cgroup: 'string' },
  cause: { cause: 'string' },
};

/** What a reader of groups is given. */
export interface GroupInputs {
  readonly interval: Interval;
  /** The fields that rules read. */
  readonly wanted: ReadonlySet<string>;
  /** What each process did, worked out once for all groupings. */
  works(): readonly ProcessWork[];
}

export const READ_GROUPS: Readonly<Record<Grouping, (inputs: GroupInputs) => GroupReading[]>> = {
  process: ({ interval, wanted, works }) =>
    works().map(({ row, work }) => ({
      group: { by: 'process', key: String(row.tgid), name: `${row.comm} (${row.tgid})` },
      identity: { comm: row.comm, pid: row.tgid, cgroup: row.cgroupName },
      fields: readWork(work, interval.seconds, wanted),
    })),
  cgroup: readCgroups,
  cause: ({ interval }) => readCauses(interval),
};

function readWork(work: Work, seconds: number, wanted: ReadonlySet<string>): Record<string, Reading> {
  const fields: Record<string, Reading> = {};
  for (const { id, read } of WORK) if (wanted.has(id)) fields[id] = read(work, seconds);
  return fields;
}

function readCgroups({ interval, wanted, works }: GroupInputs): GroupReading[] {
  const sums = new Map<number, { name: string; work: Work }>();
  for (const { row, work } of works()) {
    const sum = sums.get(row.cgroup);
    sums.set(row.cgroup, { name: row.cgroupName, work: sum === undefined ? work : addWork(sum.work, work) });
  }
  return [...sums].map(([id, { name, work }]) => ({
    group: { by: 'cgroup', key: String(id), name: name || `cgroup ${id}` },
    identity: { cgroup: name },
    fields: readWork(work, interval.seconds, wanted),
  }));
}

function readCauses(interval: Interval): GroupReading[] {
  const counts = CAUSES.map((cause) => increase(interval, (s) => finalCount(s, cause)));
  const all = counts.reduce((sum, count) => sum + count, 0);
  const groups: GroupReading[] = [];
  for (const [i, cause] of CAUSES.entries()) {
    if (countOf(interval.now, cause) === 0) continue;
    const count = counts[i] as number;
    const row = (s: Figures): CounterfactualRow | undefined =>
      s.counterfactual.byCause.find(({ key }) => key === cause);
    const avoidable = increase(interval, (s) => row(s)?.verdicts.avoidable ?? 0);
    const judged = increase(interval, (s) => (row(s)?.retries ?? 0) - (row(s)?.verdicts.unknown ?? 0));
    groups.push({
      group: { by: 'cause', key: cause, name: cause },
      identity: { cause },
      fields: {
        rate: count / interval.seconds,
        share: ratio(count, all, 'no RETRY and no ABORT'),
        avoidable_share: ratio(avoidable, judged, 'no retry was judged'),
      },
    });
  }
  return groups;
}
