// SPDX-License-Identifier: MIT
/** One row a wait: what for, under which lock, how long, behind whom. */
import type { Lifecycle, Wait } from '../../core/lifecycle/lifecycle.js';
import { placeOf } from '../../core/present/lifecycle.js';
import { type Column, known } from '../base/column.js';
import { sessionColumns, taskColumns } from './lifecycles.js';

export interface WaitRow {
  readonly lifecycle: Lifecycle;
  readonly wait: Wait;
  /** 0, 1, … within the lifecycle, those that are left out counted. */
  readonly n: number;
}

export function waitRows(lifecycle: Lifecycle): WaitRow[] {
  return lifecycle.waits.map((wait, i) => ({ lifecycle, wait, n: placeOf(lifecycle, 'waits', i) }));
}

/** What a wait says by itself: also the objects nested in a JSON line. */
export const waitOwnColumns: readonly Column<WaitRow>[] = [
  { name: 'n', type: 'int32', about: '0, 1, … within the lifecycle', get: (r) => r.n },
  { name: 'kind', type: 'string', about: 'folio, mmapLock, userfault, … (`WAIT_KINDS`)', get: (r) => r.wait.kind },
  {
    name: 'held',
    type: 'string',
    about: 'lock of the fault that was held meanwhile: vma, mmap, none, unknown',
    get: (r) => r.wait.held,
  },
  { name: 'start_ns', type: 'int64', about: 'ns since the session began', get: (r) => known(r.wait.start) },
  {
    name: 'end_ns',
    type: 'int64',
    about: 'null while it lasts, or when its end was lost',
    get: (r) => known(r.wait.end),
  },
  {
    name: 'duration_ns',
    type: 'int64',
    about: 'null where its end is not known',
    get: (r) => known(r.wait.end - r.wait.start),
  },
  { name: 'slept', type: 'bool', about: 'folio and file waits: the task was seen to sleep', get: (r) => r.wait.slept },
  {
    name: 'contended_ns',
    type: 'int64',
    about: 'mmapLock: when it began to queue; null when it got the lock at once, or when that was not seen',
    get: (r) => known(r.wait.contended),
  },
  {
    name: 'holder_tid',
    type: 'uint32',
    about: 'mmapLock: the holder it found then; null when not known',
    get: (r) => r.wait.holder || null,
  },
];

export const waitColumns: readonly Column<WaitRow>[] = [
  ...sessionColumns<WaitRow>(),
  ...taskColumns<WaitRow>((r) => r.lifecycle),
  ...waitOwnColumns,
];
