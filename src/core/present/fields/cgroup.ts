// SPDX-License-Identifier: MIT
/** One cgroup: the sums over its processes. */
import type { CgroupRow } from '../../aggregate/snapshot-rows.js';
import { type Field, lift, num, text, whole } from './field.js';
import { workFields } from './work.js';

export const cgroupFields: readonly Field<CgroupRow>[] = [
  text('cgroupName', 'container or unit', 20, (r) => r.cgroupName || null, 48, { json: 'cgroupName' }),
  num('cgroup', 'cgroup', '', 8, (r) => r.cgroup, whole, { json: 'cgroup' }),
  num('processes', 'processes', '', 9, (r) => r.processes, undefined, { json: 'processes' }),
  ...lift(workFields, (row: CgroupRow) => row),
];
