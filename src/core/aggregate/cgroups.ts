// SPDX-License-Identifier: MIT
/** Rows of the cgroups that faults began in. */
import type { Names } from '../events/names.js';
import type { CgroupRow } from './snapshot-rows.js';
import type { CgroupSums, ProcessSums } from './sums.js';

/** By retries, then traced faults, descending. */
export function cgroupRows(
  groups: Iterable<CgroupSums>,
  processes: Iterable<ProcessSums>,
  names: Names,
): readonly CgroupRow[] {
  const members = new Map<number, number>();
  for (const { cgroup } of processes) members.set(cgroup, (members.get(cgroup) ?? 0) + 1);
  return [...groups]
    .map((sums) => ({ cgroupName: names.cgroup(sums.cgroup), processes: members.get(sums.cgroup) ?? 0, ...sums }))
    .sort((x, y) => y.retries - x.retries || y.lifecycles - x.lifecycles || x.cgroup - y.cgroup);
}
