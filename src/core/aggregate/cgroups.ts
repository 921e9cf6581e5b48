// SPDX-License-Identifier: MIT
/** Processes summed by their cgroup. */
import type { Names } from '../events/names.js';
import type { CgroupRow, WorkFigures } from './snapshot-rows.js';
import type { ProcessSums } from './sums.js';

const NO_WORK: Readonly<Record<keyof WorkFigures, number>> = {
  lifecycles: 0,
  swap: 0,
  retries: 0,
  aborts: 0,
  inFlight: 0,
  folioWaitNs: 0,
  mmapWaitNs: 0,
  totalNs: 0,
};
const WORK_FIGURES = Object.keys(NO_WORK) as (keyof WorkFigures)[];

/** By retries, then traced faults, descending. */
export function cgroupRows(processes: Iterable<ProcessSums>, names: Names): CgroupRow[] {
  const sums = new Map<number, { -readonly [K in keyof WorkFigures | 'processes']: number }>();
  for (const row of processes) {
    let sum = sums.get(row.cgroup);
    if (sum === undefined) {
      sum = { processes: 0, ...NO_WORK };
      sums.set(row.cgroup, sum);
    }
    sum.processes++;
    for (const key of WORK_FIGURES) sum[key] += row[key];
  }
  return [...sums]
    .map(([cgroup, sum]) => ({ cgroup, cgroupName: names.cgroup(cgroup), ...sum }))
    .sort((x, y) => y.retries - x.retries || y.lifecycles - x.lifecycles || x.cgroup - y.cgroup);
}
