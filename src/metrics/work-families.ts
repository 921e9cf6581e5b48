// SPDX-License-Identifier: MIT
/** What processes, cgroups and blockers did, as metrics: every field of theirs that is one. */
import type { BlockerRow } from '../core/aggregate/blocker-rows.js';
import type { Snapshot } from '../core/aggregate/snapshot.js';
import type { ProcessRow } from '../core/aggregate/snapshot-rows.js';
import { blockerFields } from '../core/present/fields/blocker.js';
import { cgroupFields } from '../core/present/fields/cgroup.js';
import type { Field } from '../core/present/fields/field.js';
import { processFields } from '../core/present/fields/process.js';
import { kubernetesOf } from '../core/present/kubernetes.js';
import { counter, type Family, gauge, type Labels, NS } from './family.js';

/** A family for each field that is a metric: `process_retries`, `process_folio_wait_seconds`. */
function fieldFamilies<Row>(
  what: 'process' | 'cgroup' | 'blocker',
  most: string,
  rows: readonly Row[],
  fields: readonly Field<Row>[],
  labels: (row: Row) => Labels,
): Family[] {
  return fields.flatMap(({ unit, metric, get }) => {
    if (metric === undefined) return [];
    const [suffix, scale] = unit === 'ns' ? (['seconds', NS] as const) : (['', 1] as const);
    const samples = rows.flatMap((row) => {
      const value = get(row);
      return typeof value === 'number' && !Number.isNaN(value) ? [{ labels: labels(row), value: value * scale }] : [];
    });
    const name = [what, metric.name, suffix].filter((part) => part !== '').join('_');
    const help = `By ${what}, of those with most ${most}: ${metric.help}.`;
    return [(metric.type === 'gauge' ? gauge : counter)(name, help, samples, suffix)];
  });
}

/**
 * The `top` processes and cgroups by retries, blockers by time others waited. One that leaves that list takes its series
 * with it. A series keeps its labels while it lasts: what may change, or is found out later, stands in a family of its own,
 * or is waited for.
 */
export function workFamilies({ processes, cgroups, blockers }: Snapshot, top: number): Family[] {
  const rows = processes.slice(0, top);
  const who = ({ tgid, comm }: ProcessRow): Labels => ({ pid: String(tgid), comm });
  // Who only waited blocks nobody: of those there may be many.
  const blocking = blockers.rows
    .filter(({ blocked, hold, untimed }) => blocked.count + hold.count + untimed > 0)
    .slice(0, top);
  const by = ({ tgid, comm, what, isWrite, lock, mm }: BlockerRow): Labels => ({
    pid: String(tgid),
    comm,
    what,
    mode: lock === 'vma' ? 'vma' : isWrite ? 'write' : 'read',
    mm: mm.toString(16),
  });
  return [
    ...fieldFamilies('process', 'retries', rows, processFields, who),
    gauge(
      'process_info',
      'The cgroup of a process; always 1.',
      rows.map((row) => ({
        labels: { ...who(row), cgroup: row.cgroupName, ...kubernetesOf(row.cgroupName) },
        value: 1,
      })),
    ),
    ...fieldFamilies(
      'cgroup',
      'retries',
      cgroups.filter(({ label }) => label !== null).slice(0, top),
      cgroupFields,
      ({ label, cgroup }) => ({ cgroup: label ?? '', id: String(cgroup), ...kubernetesOf(label ?? '') }),
    ),
    ...fieldFamilies('blocker', 'time others waited', blocking, blockerFields, by),
    gauge(
      'blocker_mm_info',
      'The process whose mm a blocker locks, 0 not known; always 1.',
      blocking.map((row) => ({ labels: { ...by(row), mm_pid: String(row.owner) }, value: 1 })),
    ),
  ];
}
