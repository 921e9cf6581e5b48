// SPDX-License-Identifier: MIT
/** Rows of the cgroups that faults began in. */
import type { Names } from '../events/names.js';
import type { CgroupRow } from './snapshot-rows.js';
import type { CgroupSums, ProcessSums } from './sums.js';

/** Groups are looked for a few times in so many ns. */
const NAMED_WITHIN = 10e9;

/** By retries, then traced faults, descending. */
export function cgroupRows(
  groups: Iterable<CgroupSums>,
  processes: Iterable<ProcessSums>,
  names: Names,
  time: number,
): readonly CgroupRow[] {
  const members = new Map<number, number>();
  for (const { cgroup } of processes) members.set(cgroup, (members.get(cgroup) ?? 0) + 1);
  return [...groups]
    .map(({ since, ...sums }) => {
      const { cgroup } = sums;
      const cgroupName = names.cgroup(cgroup);
      const late = names.cgroupNamedAt(cgroup) > since + NAMED_WITHIN;
      const label = !late ? cgroupName : time > since + NAMED_WITHIN ? '' : null;
      return { cgroupName, label, processes: members.get(cgroup) ?? 0, ...sums };
    })
    .sort((x, y) => y.retries - x.retries || y.lifecycles - x.lifecycles || y.swap - x.swap || x.cgroup - y.cgroup);
}
