// SPDX-License-Identifier: MIT
/** Every list of the dashboard, by id. */

import { type AlertStatus, isOut } from '../alerts/event.js';
import { type CauseLine, causeLineFields } from '../present/fields/cause.js';
import type { Field } from '../present/fields/field.js';
import { vmaFields } from '../present/fields/vma.js';
import { waitLineFields } from '../present/fields/wait.js';
import { programRows } from '../present/rows.js';
import type { Style } from '../present/text.js';
import { FAULT_LISTS } from './fault-lists.js';
import { alertFields, hookFields, processLineFields, programLineFields } from './fields.js';
import { aboutCause, aboutWait } from './info.js';
import { defineList, type List, type Opening, zeroDim } from './list.js';
import { cgroupOf, faultsOfProcess, groupOfCgroup, groupOfProcess } from './list-groups.js';
import { LOCK_LISTS } from './lock-lists.js';
import { alertLines, causeLines, processLines, waitLines } from './rows.js';
import type { ListId } from './state.js';

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
    open: ({ row }) => faultsOfProcess(row.tgid),
    sums: ['retries', 'rate', 'aborts', 'inFlight', 'folioWait', 'mmapWait', 'total'],
    group: ({ row }) => groupOfCgroup(row.cgroup, row.cgroupName),
  }),
  vmas: defineList({
    fields: vmaFields,
    priority:
      'pid comm mapping retries aborts range folioWait mmapWait worst backing flags lifecycles name size otherWait'.split(
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
      text: `${row.backing} ${row.mapping} ${row.handler}`,
    }),
    open: (row) => faultsOfProcess(row.tgid, row.start),
    sums: ['retries', 'aborts', 'folioWait', 'mmapWait', 'otherWait'],
    group: (row, { now }) => groupOfProcess(now, row.tgid),
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
    about: (row) => aboutCause(row.cause),
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
    about: (row) => aboutWait(row.id),
    style: (row, field) => (row.stats.count === 0 ? 'dim' : zeroDim(row, field)),
  }),
  ...LOCK_LISTS,
  ...FAULT_LISTS,
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
