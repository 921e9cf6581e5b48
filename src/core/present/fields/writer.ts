// SPDX-License-Identifier: MIT
/** One writer: a system call of a process. */
import type { WriterRow } from '../../aggregate/snapshot-rows.js';
import { type Field, num, text, whole } from './field.js';
import { orNone } from './wait.js';

export const writerFields: readonly Field<WriterRow>[] = [
  num('pid', 'pid', '', 7, (r) => r.tgid, whole),
  text('comm', 'comm', 12, (r) => r.comm, 15),
  text('name', 'system call', 12, (r) => r.name, 18),
  num('acquired', 'locks', '', 6, (r) => r.acquired),
  num('wait', 'waited', 'ns', 8, (r) => orNone(r.wait, r.wait.sumNs)),
  num('waitP99', 'p99', 'ns', 8, (r) => orNone(r.wait, r.wait.p99Ns)),
  num('waitMax', 'max', 'ns', 8, (r) => orNone(r.wait, r.wait.maxNs)),
  num('hold', 'held', 'ns', 8, (r) => orNone(r.hold, r.hold.sumNs)),
  num('behindReader', 'after readers', '', 13, (r) => r.behindReader),
  num('behindWriter', 'after writers', '', 13, (r) => r.behindWriter),
  num('inverted', 'inverted', '', 8, (r) => r.inverted),
  num('vmas', 'VMAs', '', 6, (r) => r.vmas),
  num('vmaWait', 'VMA wait', 'ns', 8, (r) => orNone(r.vmaWait, r.vmaWait.sumNs)),
  num('retriesLocked', 'retries locked', '', 14, (r) => r.retriesLocked),
  num('retriesDelayed', 'retries delayed', '', 15, (r) => r.retriesDelayed),
  num(
    'worstHolder',
    'worst holder',
    '',
    12,
    (r) => (r.worstHolder === 0 ? null : r.worstHolder),
    (v) => (v === null ? '–' : whole(v)),
  ),
];
