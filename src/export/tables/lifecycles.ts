// SPDX-License-Identifier: MIT
/** One row a fault: who and where, how it ended, why it retried, what it waited for. */
import type { Attempt, Lifecycle } from '../../core/lifecycle/lifecycle.js';
import { causeOf, lasted, retriesOf, triesOf, waited } from '../../core/present/lifecycle.js';
import type { WaitKind } from '../../core/vocabulary/waits.js';
import { WAIT_KINDS } from '../../core/vocabulary/waits.js';
import { type Column, known } from '../base/column.js';
import type { Context } from '../base/context.js';

/** Session columns stand in every table, so that files of many hosts can be queried as one. */
export function sessionColumns<Row>(): Column<Row>[] {
  return [
    { name: 'host', type: 'string', about: 'host of the recording', get: (_, c) => c.session.host },
    { name: 'kernel', type: 'string', about: 'its kernel release', get: (_, c) => c.session.kernel },
    {
      name: 'boot_id',
      type: 'string',
      about: 'its boot id; times are comparable within one boot',
      get: (_, c) => c.session.bootId,
    },
  ];
}

/** Who: the same columns in every table made of lifecycles. `of` gives the lifecycle of a row. */
export function taskColumns<Row>(of: (row: Row) => Lifecycle): Column<Row>[] {
  return [
    { name: 'id', type: 'int64', about: 'the lifecycle; unique within a session', get: (r) => of(r).id },
    { name: 'tid', type: 'uint32', about: 'thread', get: (r) => of(r).tid },
    {
      name: 'tgid',
      type: 'uint32',
      about: 'process; null when the first step was lost',
      get: (r) => of(r).tgid || null,
    },
    {
      name: 'comm',
      type: 'string',
      about: "the thread's own name; null when the first step was lost",
      get: (r) => of(r).comm || null,
    },
    {
      name: 'process',
      type: 'string',
      about: "name of its process, the leader's where known; null when the first step was lost",
      get: (r) => of(r).processName || null,
    },
  ];
}

/** The attempt whose cause is the lifecycle's. */
function failed(lifecycle: Lifecycle): Attempt | undefined {
  return lifecycle.attempts.find((attempt) => attempt.cause !== null);
}

/** Sum of a wait kind; 0: it had none. null: one was not over, its end was lost, or nothing was hooked that shows them. */
function waitSum(lifecycle: Lifecycle, kind: WaitKind, context: Context): number | null {
  return context.seesWait(kind) ? known(waited(lifecycle, kind, Number.NaN)) : null;
}

/** `mmapLock` → `mmap_lock` */
function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

const NOT_NULL_ADDRESS = 'null when the first step was lost';

/** Of a lifecycle whose first step was lost nothing is known of where. */
const where = (lifecycle: Lifecycle, value: number): number | null =>
  Number.isNaN(lifecycle.address) ? null : known(value);

export const lifecycleColumns: readonly Column<Lifecycle>[] = [
  ...sessionColumns<Lifecycle>(),
  ...taskColumns<Lifecycle>((l) => l),
  { name: 'time', type: 'timestamp', about: 'wall clock of the first step seen', get: (l, c) => c.wallClock(l.first) },
  { name: 'first_ns', type: 'int64', about: 'the same, ns since the session began', get: (l) => known(l.first) },
  {
    name: 'start_lo_ns',
    type: 'int64',
    about: 'the earliest time at which the fault can have begun; null when not known',
    get: (l) => known(l.start.lo),
  },
  {
    name: 'start_hi_ns',
    type: 'int64',
    about: 'the latest time at which it can have begun',
    get: (l) => known(l.start.hi),
  },
  {
    name: 'end_ns',
    type: 'int64',
    about: 'when the fault ended; null while it is in flight',
    get: (l) => known(l.end),
  },
  {
    name: 'duration_ns',
    type: 'int64',
    about: 'it took at least this long: from start_hi_ns to its end, or to its latest step while it is in flight',
    get: (l) => known(lasted(l, l.last).lo),
  },
  {
    name: 'how',
    type: 'string',
    about: 'how it ended: ok-vma, ok-mmap, completed, error, signal, incomplete, in-flight',
    get: (l) => l.how,
  },
  { name: 'origin', type: 'string', about: 'user, kernel, gup or unknown', get: (l) => l.origin },
  { name: 'cgroup', type: 'int64', about: 'cgroup v2 id', get: (l) => where(l, l.cgroup) },
  {
    name: 'cgroup_path',
    type: 'string',
    about: 'its path; null until the recording has named it',
    get: (l, c) => c.cgroupPath(l.cgroup),
  },
  {
    name: 'cgroup_name',
    type: 'string',
    about: 'its container or unit; null where `cgroup` is, or when not known',
    get: (l, c) => c.cgroupName(l.cgroup),
  },
  { name: 'mm', type: 'int64', about: `identity of the mm; ${NOT_NULL_ADDRESS}`, get: (l) => where(l, l.mm) },
  { name: 'address', type: 'int64', about: `page of the fault; ${NOT_NULL_ADDRESS}`, get: (l) => where(l, l.address) },
  {
    name: 'vma_start',
    type: 'int64',
    about: 'first address of the VMA; null when not known',
    get: (l) => (l.vmaEnd === 0 ? null : where(l, l.vmaStart)),
  },
  {
    name: 'vma_end',
    type: 'int64',
    about: 'first address behind it',
    get: (l) => (l.vmaEnd === 0 ? null : where(l, l.vmaEnd)),
  },
  {
    name: 'vm_flags',
    type: 'uint64',
    about: 'vma->vm_flags; null where the VMA is not known',
    get: (l) => (l.vmaEnd === 0 ? null : l.vmFlags),
  },
  {
    name: 'mapping',
    type: 'string',
    about: 'what the VMA maps: a file, [heap], [stack], [anon:NAME] or [anon]; null when not known',
    get: (l, c) => c.mapping(l),
  },
  { name: 'pte', type: 'uint64', about: 'vmf->orig_pte of a swap fault, else 0', get: (l) => l.pte },
  { name: 'depth', type: 'int32', about: 'open lifecycles of the task it interrupted', get: (l) => l.depth },
  { name: 'entered_swap', type: 'bool', about: 'do_swap_page was entered', get: (l) => l.enteredSwap },
  {
    name: 'swap_type',
    type: 'uint32',
    about: 'index of the swap device; null when none was seen',
    get: (l) => l.swap?.type ?? null,
  },
  {
    name: 'swap_device',
    type: 'string',
    about: 'its name; null until the recording has named it',
    get: (l, c) => (l.swap === null ? null : c.swapDevice(l.swap.type)),
  },
  {
    name: 'swap_synchronous',
    type: 'bool',
    about: 'whether the device reads in place (zram); null where swap_type is null',
    get: (l) => l.swap?.synchronous ?? null,
  },
  { name: 'major', type: 'bool', about: 'VM_FAULT_MAJOR: it started a read', get: (l) => l.major },
  { name: 'tries', type: 'int32', about: 'attempts, aborted ones too', get: triesOf },
  {
    name: 'retries',
    type: 'int32',
    about: 'tries that returned RETRY',
    get: retriesOf,
  },
  {
    name: 'cause',
    type: 'string',
    about: 'cause of its first RETRY or ABORT; null when it had neither',
    get: (l) => causeOf(l),
  },
  {
    name: 'innermost',
    type: 'string',
    about: 'innermost function that returned RETRY',
    get: (l) => failed(l)?.innermost || null,
  },
  {
    name: 'verdict',
    type: 'string',
    about: 'verdict on that RETRY: avoidable, write-locked, replaced, gone, by design, unknown',
    get: (l) => failed(l)?.verdict?.kind ?? null,
  },
  ...WAIT_KINDS.map(
    (kind): Column<Lifecycle> => ({
      name: `${snake(kind)}_ns`,
      type: 'int64',
      about: 'ns in waits of this kind; null when no hook shows them, when one did not end, or when its end was lost',
      get: (l, c) => waitSum(l, kind, c),
    }),
  ),
  {
    name: 'lost',
    type: 'string',
    about: 'what is missing of the lifecycle; null when it is complete',
    get: (l) => l.lost.join('; ') || null,
  },
];
