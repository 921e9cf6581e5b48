// SPDX-License-Identifier: MIT
/** One row a try: under which lock, since when, until when, what came of it and why. */
import type { Attempt, Lifecycle } from '../../core/lifecycle/lifecycle.js';
import { placeOf } from '../../core/present/lifecycle.js';
import { syscallName } from '../../core/vocabulary/syscalls.js';
import { type Column, known } from '../base/column.js';
import { sessionColumns, taskColumns } from './lifecycles.js';

export interface AttemptRow {
  readonly lifecycle: Lifecycle;
  readonly attempt: Attempt;
  /** 0, 1, … within the lifecycle, those that are left out counted. */
  readonly n: number;
}

export function attemptRows(lifecycle: Lifecycle): AttemptRow[] {
  return lifecycle.attempts.map((attempt, i) => ({ lifecycle, attempt, n: placeOf(lifecycle, 'attempts', i) }));
}

/** -1 stands for a step that was not seen. */
const seen = (value: number): number | null => (value === -1 ? null : value);

/** What an attempt says by itself: also the objects nested in a JSON line. */
export const attemptOwnColumns: readonly Column<AttemptRow>[] = [
  { name: 'n', type: 'int32', about: '0, 1, … within the lifecycle', get: (r) => r.n },
  { name: 'lock', type: 'string', about: 'vma or mmap', get: (r) => r.attempt.lock },
  {
    name: 'acquired_lo_ns',
    type: 'int64',
    about: 'the earliest time at which it can have had the lock; null when not known',
    get: (r) => known(r.attempt.acquired.lo),
  },
  {
    name: 'acquired_hi_ns',
    type: 'int64',
    about: 'the latest time at which it can have had the lock',
    get: (r) => known(r.attempt.acquired.hi),
  },
  {
    name: 'released_lo_ns',
    type: 'int64',
    about: 'the earliest time at which it can have released the lock',
    get: (r) => known(r.attempt.released.lo),
  },
  {
    name: 'released_hi_ns',
    type: 'int64',
    about: 'the latest time at which it can have released the lock; null when nothing that was seen bounds it',
    get: (r) => known(r.attempt.released.hi),
  },
  {
    name: 'rule',
    type: 'string',
    about: 'the rule by which the release was found; exact: it was seen',
    get: (r) => r.attempt.rule,
  },
  {
    name: 'exact_release_ns',
    type: 'int64',
    about: 'when the release was seen; null when it was not',
    get: (r) => known(r.attempt.exactRelease),
  },
  {
    name: 'flags',
    type: 'uint32',
    about: "handle_mm_fault's flags; null when its return was not seen",
    get: (r) => seen(r.attempt.flags),
  },
  { name: 'ret', type: 'uint32', about: 'its vm_fault_t', get: (r) => seen(r.attempt.ret) },
  {
    name: 'outcome',
    type: 'string',
    about: 'ok, retry, completed, error, abort, unknown, pending',
    get: (r) => r.attempt.outcome,
  },
  {
    name: 'cause',
    type: 'string',
    about: 'cause of the RETRY or ABORT; null when it ended otherwise',
    get: (r) => r.attempt.cause,
  },
  {
    name: 'innermost',
    type: 'string',
    about: 'innermost function that returned RETRY',
    get: (r) => r.attempt.innermost || null,
  },
  {
    name: 'verdict',
    type: 'string',
    about: 'the counterfactual; null when the fallback was not seen',
    get: (r) => r.attempt.verdict?.kind ?? null,
  },
  { name: 'verdict_why', type: 'string', about: 'why it is unknown', get: (r) => r.attempt.verdict?.why || null },
  {
    name: 'mm_writers',
    type: 'uint32',
    about: 'writers that held the mm meanwhile; null when not known',
    get: (r) => seen(r.attempt.verdict?.mmWriters ?? -1),
  },
  {
    name: 'writer_tid',
    type: 'uint32',
    about: 'who write-locked the VMA, or was the latest writer of the mm',
    get: (r) => r.attempt.verdict?.writer?.tid ?? null,
  },
  {
    name: 'writer_syscall',
    type: 'uint32',
    about: 'number of the system call it was in; null when in none',
    get: (r) => seen(r.attempt.verdict?.writer?.syscall ?? -1),
  },
  {
    name: 'writer_syscall_name',
    type: 'string',
    about: 'name of that system call where known: mprotect, munmap, …; null when in none',
    get: (r, c) => {
      const number = r.attempt.verdict?.writer?.syscall ?? -1;
      return number < 0 ? null : syscallName(number, c.session.arch);
    },
  },
  {
    name: 'writer_exact',
    type: 'bool',
    about: 'it write-locked this very VMA',
    get: (r) => r.attempt.verdict?.writer?.exact ?? null,
  },
  {
    name: 'fault_handler',
    type: 'uint64',
    about: 'address of vm_ops->fault; null where no cause needed it',
    get: (r) => r.attempt.faultHandler || null,
  },
  {
    name: 'folio',
    type: 'int64',
    about: 'the folio that was locked: equal numbers close in time mean the same folio; null when not known',
    get: (r) => r.attempt.folio || null,
  },
  {
    name: 'kernel_stack',
    type: 'int64',
    about: 'its stack in the kernel, as in `stacks`; null when none was taken',
    get: (r) => seen(r.attempt.kernelStack),
  },
  { name: 'user_stack', type: 'int64', about: 'its user stack, the same way', get: (r) => seen(r.attempt.userStack) },
];

export const attemptColumns: readonly Column<AttemptRow>[] = [
  ...sessionColumns<AttemptRow>(),
  ...taskColumns<AttemptRow>((r) => r.lifecycle),
  ...attemptOwnColumns,
];
