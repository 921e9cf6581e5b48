// SPDX-License-Identifier: MIT
/** Lists of faults: those that ended last, the longest, those in flight. */

import type { Snapshot } from '../aggregate/snapshot.js';
import { vmaKey } from '../events/vma-names.js';
import type { Lifecycle } from '../lifecycle/lifecycle.js';
import type { Field } from '../present/fields/field.js';
import { causeSoFar, inFlightFields, type LifecycleRow, lifecycleFields } from '../present/fields/lifecycle.js';
import { causeOf, lasted } from '../present/lifecycle.js';
import type { Style } from '../present/text.js';
import { isRetryCause } from '../vocabulary/causes.js';
import { type Facts, keeps, parseFilter } from './filter.js';
import { aboutFault } from './info.js';
import { defineList, type Figures, type List } from './list.js';
import { cgroupOf, groupOfCgroup } from './list-groups.js';
import type { ListGroup } from './list-tree.js';

const lifecycleFacts = ({ lifecycle: l, now }: LifecycleRow, { now: snapshot }: Pick<Figures, 'now'>): Facts => ({
  ids: [l.tgid, l.tid],
  comm: l.comm,
  cause: (l.how === 'in-flight' ? causeSoFar({ lifecycle: l, now }) : causeOf(l)) ?? '',
  cgroup: `${l.cgroup} ${cgroupOf(snapshot, l.tgid)}`,
  vma: [l.vmaStart, l.vmaEnd],
  text: `${l.how} ${snapshot.mappings[vmaKey(l.mm, l.vmaStart)] ?? ''}`,
});

function lifecycleStyle(row: LifecycleRow, field: Field<LifecycleRow>): Style {
  const { how } = row.lifecycle;
  if (field.id === 'end') {
    if (how === 'ok-vma') return 'good';
    if (how === 'incomplete' || how === 'error') return 'bad';
    return how === 'completed' ? 'completed' : 'plain';
  }
  if (field.id === 'cause') {
    const cause = causeOf(row.lifecycle);
    return cause === null || isRetryCause(cause) ? 'retry' : 'abort';
  }
  if (field.id === 'age' || field.id === 'total') return 'strong';
  return field.id === 'time' || field.id === 'address' ? 'dim' : 'plain';
}

/**
 * A filter asks for the faults of a process, a VMA, a cause: those that are kept of each come in beside the latest, or the
 * slowest, of all, and those that a recording was read again for.
 */
function matched({ now, state }: Figures): Lifecycle[] {
  const { latest, slowest, examples } = now;
  const found = state.found?.filter === state.filter ? state.found.faults : [];
  return once([...latest, ...slowest, ...examples, ...found.filter((fault) => fault.last <= now.time)]);
}

type LifecyclesOf = (figures: Figures) => readonly Lifecycle[];

const latestOf: LifecyclesOf = (figures) =>
  figures.state.filter === '' ? figures.now.latest : matched(figures).sort((x, y) => y.last - x.last);
const slowestOf: LifecyclesOf = (figures) =>
  figures.state.filter === ''
    ? figures.now.slowest
    : matched(figures).sort((x, y) => y.last - y.first - x.last + x.first);

/** Whether a filter leaves a fault, with names as `now` has them. */
export function faultFilter(filter: string, now: Snapshot): (fault: Lifecycle) => boolean {
  const parsed = parseFilter(filter);
  return (lifecycle) => keeps(parsed, lifecycleFacts({ lifecycle, now: now.time }, { now }));
}

function once(faults: readonly Lifecycle[]): Lifecycle[] {
  return [...new Map(faults.map((fault) => [fault.id, fault])).values()];
}

function lifecycleList(rows: LifecyclesOf, empty: string): List {
  return defineList<LifecycleRow>({
    fields: lifecycleFields,
    priority: 'time tid comm cause total end mmapWait folioWait address attempts userfaultWait'.split(' '),
    sort: null,
    empty,
    rows: (figures) => rows(figures).map((lifecycle) => ({ lifecycle, now: figures.now.time })),
    key: (row) => String(row.lifecycle.id),
    facts: lifecycleFacts,
    open: (row) => ({ kind: 'fault', fault: row.lifecycle }),
    style: lifecycleStyle,
    group: lifecycleGroup,
    about: (row) => aboutFault(row.lifecycle),
  });
}

function lifecycleGroup({ lifecycle: l }: LifecycleRow, { now }: Figures): ListGroup {
  return groupOfCgroup(l.cgroup, cgroupOf(now, l.tgid));
}

export const FAULT_LISTS: Readonly<Record<'latest' | 'slowest' | 'inFlight', List>> = {
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
    group: lifecycleGroup,
    about: (row) => aboutFault(row.lifecycle),
    style: (row, field) =>
      field.id === 'age' && lasted(row.lifecycle, row.now).lo > 1e9 ? 'bad' : lifecycleStyle(row, field),
  }),
};
