// SPDX-License-Identifier: MIT
/** One process. */
import type { ProcessRow } from '../../aggregate/snapshot-rows.js';
import { type Field, lift, num, text, whole } from './field.js';
import { workFields } from './work.js';

export const processFields: readonly Field<ProcessRow>[] = [
  num('pid', 'pid', '', 7, (r) => r.tgid, whole, { json: 'tgid' }),
  text('comm', 'comm', 12, (r) => r.comm, 15, { json: 'comm' }),
  ...lift(workFields, (row: ProcessRow) => row),
  num('cgroup', 'cgroup', '', 8, (r) => r.cgroup, whole, { json: 'cgroup' }),
  text('cgroupName', 'container or unit', 20, (r) => r.cgroupName || null, 48, { json: 'cgroupName' }),
];
