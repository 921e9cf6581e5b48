// SPDX-License-Identifier: MIT
/** One row an event, as it was recorded: steps of faults, what writers did, and the rows of the user side. */
import { VMA_WRITE_HOOK } from '../../core/aggregate/mmap-lock.js';
import { type EventBatch, isLockEvent, isOfNoFault } from '../../core/events/batch.js';
import { isHooked } from '../../core/events/session.js';
import { UserArgs, UserKind } from '../../core/events/user-rows.js';
import { VlArgs, VlKind, VlKindNames, VlLockFlag, VlStepFlag } from '../../schema/events.gen.js';
import { type Column, known } from '../base/column.js';
import type { Context } from '../base/context.js';
import { counterName } from './counter-names.js';
import { sessionColumns } from './lifecycles.js';

/** A place in a batch: valid until the next batch. */
export interface EventRow {
  readonly batch: EventBatch;
  readonly i: number;
}

const USER_KINDS: ReadonlyMap<number, string> = new Map(
  Object.entries(UserKind).map(([name, kind]) => [kind, snakeUpper(name)]),
);

function snakeUpper(name: string): string {
  return name.replace(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

function nameOfKind(kind: number): string {
  return VlKindNames[kind] ?? USER_KINDS.get(kind) ?? `kind ${kind}`;
}

const at = (
  row: EventRow,
  column: 'kind' | 'flags' | 'cpu' | 'tid' | 'fault' | 'faultCpu' | 'step' | 'a' | 'b' | 'value',
): number => row.batch[column][row.i] as number;

/** Who and where travel in the rows that are a `struct vl_open` or a `struct vl_writer`. */
const hasInfo = (row: EventRow): boolean => (at(row, 'flags') & VlStepFlag.INFO) !== 0;
const isVma = (row: EventRow): boolean => at(row, 'kind') === UserKind.Vma;
const info = (row: EventRow, value: number | undefined): number | null =>
  hasInfo(row) ? known(value ?? Number.NaN) : null;
/** Whose it is: in rows that name a VMA as well. */
const located = (row: EventRow, value: number | undefined): number | null =>
  isVma(row) ? known(value ?? Number.NaN) : info(row, value);
/** In the first step of a fault alone. */
const isFault = (row: EventRow): boolean => hasInfo(row) && !isOfNoFault(at(row, 'kind'));
const ofFault = (row: EventRow, value: number | undefined): number | null =>
  isFault(row) ? known(value ?? Number.NaN) : null;
const VMA_KINDS: ReadonlySet<number> = new Set([VlKind.W_VMA, VlKind.L_VMA, VlKind.L_COPIED]);
const ofVma = (row: EventRow, value: number | undefined): number | null => {
  if (isFault(row) || isVma(row) || VMA_KINDS.has(at(row, 'kind'))) return known(value ?? Number.NaN);
  // What the writer's system call names; 0 where it names nothing.
  return at(row, 'kind') === VlKind.W_ACQUIRED && value !== 0 ? (value ?? null) : null;
};
/** Those that a writer's wait or a hold has; null elsewhere. */
const hasStacks = (kind: number): boolean => kind === VlKind.W_ACQUIRED || isLockEvent(kind);
const stackOf = (row: EventRow, id: number | undefined): number | null =>
  hasStacks(at(row, 'kind')) && id !== undefined && id >= 0 ? id : null;
const ofAcquired = (row: EventRow, value: number | undefined): number | null =>
  at(row, 'kind') === VlKind.W_ACQUIRED ? (value ?? null) : null;
const ofFork = (row: EventRow, value: number | undefined): number | null =>
  at(row, 'kind') === VlKind.L_HELD && (at(row, 'flags') & VlLockFlag.FORK) !== 0 ? (value ?? null) : null;
/** Where the kernel shows who write-locks a VMA: a zero of elsewhere is none. */
const whereLocksAreSeen = ({ session }: Context, value: number | null): number | null =>
  isHooked(session, VMA_WRITE_HOOK) ? value : null;

function counterOf(row: EventRow, { session }: Context): string | null {
  if (at(row, 'kind') !== UserKind.Counter) return null;
  const { group, index } = UserArgs.Counter;
  return counterName(at(row, group), at(row, index), session.programs);
}

export const eventColumns: readonly Column<EventRow>[] = [
  ...sessionColumns<EventRow>(),
  { name: 'time', type: 'timestamp', about: 'wall clock', get: (r, c) => c.wallClock(r.batch.time[r.i] as number) },
  {
    name: 'time_ns',
    type: 'int64',
    about: 'ns since the session began',
    get: (r) => known(r.batch.time[r.i] as number),
  },
  {
    name: 'kind',
    type: 'uint32',
    about: '`enum vl_kind`; 128 and above: a row of the user side',
    get: (r) => at(r, 'kind'),
  },
  {
    name: 'name',
    type: 'string',
    about: 'its name: HMF_EXIT, FLOR_ENTER, …; COUNTER, END, …',
    get: (r) => nameOfKind(at(r, 'kind')),
  },
  {
    name: 'counter',
    type: 'string',
    about:
      'of a COUNTER row: group and name, as in kernel/VMA_RETRY or dropped/HMF_EXIT; cumulative: the last row of a name is its total',
    get: counterOf,
  },
  {
    name: 'value',
    type: 'double',
    about: 'value of a row of the user side; null in rows of the kernel',
    get: (r) => (at(r, 'kind') < UserKind.Counter ? null : known(r.batch.value[r.i] as number)),
  },
  { name: 'flags', type: 'uint32', about: '`enum vl_step_flag`', get: (r) => at(r, 'flags') },
  { name: 'cpu', type: 'uint32', about: 'where the hook ran', get: (r) => at(r, 'cpu') },
  { name: 'tid', type: 'uint32', about: 'thread', get: (r) => at(r, 'tid') },
  {
    name: 'id',
    type: 'int64',
    about: 'the lifecycle of which it is a step; 0 in rows that are no step',
    get: (r) => at(r, 'faultCpu') * 2 ** 32 + at(r, 'fault'),
  },
  { name: 'step', type: 'uint32', about: 'running number within it; a gap is a lost step', get: (r) => at(r, 'step') },
  {
    name: 'a',
    type: 'uint32',
    about: 'first value from the hook; docs/recording.md says what it is, by kind',
    get: (r) => at(r, 'a'),
  },
  { name: 'b', type: 'uint32', about: 'second value from the hook', get: (r) => at(r, 'b') },
  {
    name: 'tgid',
    type: 'uint32',
    about: 'process; this column and those below are null except in rows that say who and where',
    get: (r) => located(r, r.batch.tgid[r.i]),
  },
  {
    name: 'comm',
    type: 'string',
    about: 'task name, or the text of a row of the user side',
    get: (r) =>
      hasInfo(r) || at(r, 'kind') > UserKind.End ? (r.batch.strings[r.batch.comm[r.i] as number] ?? null) : null,
  },
  {
    name: 'depth',
    type: 'uint32',
    about: 'open lifecycles of the task it interrupted',
    get: (r) => ofFault(r, r.batch.depth[r.i]),
  },
  {
    name: 'acquired_ns',
    type: 'int64',
    about: 'when the lock was acquired; bpf/events.h says exactly when, by kind',
    get: (r) => info(r, r.batch.acquired[r.i]),
  },
  { name: 'mm', type: 'int64', about: 'identity of the mm', get: (r) => located(r, r.batch.mm[r.i]) },
  { name: 'address', type: 'int64', about: 'page of the fault', get: (r) => ofFault(r, r.batch.address[r.i]) },
  {
    name: 'vma_start',
    type: 'int64',
    about: 'first address of the VMA; of W_ACQUIRED: of what its system call names',
    get: (r) => ofVma(r, r.batch.vmaStart[r.i]),
  },
  { name: 'vma_end', type: 'int64', about: 'first address behind it', get: (r) => ofVma(r, r.batch.vmaEnd[r.i]) },
  {
    name: 'vm_flags',
    type: 'uint64',
    about: 'vma->vm_flags',
    get: (r) => (isFault(r) ? (r.batch.vmFlags[r.i] as bigint) : null),
  },
  {
    name: 'pte',
    type: 'uint64',
    about: 'vmf->orig_pte',
    get: (r) => (isFault(r) ? (r.batch.pte[r.i] as bigint) : null),
  },
  { name: 'cgroup', type: 'int64', about: 'cgroup v2 id', get: (r) => info(r, r.batch.cgroup[r.i]) },
  {
    name: 'kernel_stack',
    type: 'uint32',
    about: 'in W_ACQUIRED, L_HELD and L_WAITED: id of the kernel stack, whose frames are rows FRAME',
    get: (r) => stackOf(r, r.batch.kernelStack[r.i]),
  },
  {
    name: 'user_stack',
    type: 'uint32',
    about: 'in the same rows: id of the user stack',
    get: (r) => stackOf(r, r.batch.userStack[r.i]),
  },
  {
    name: 'prio',
    type: 'int32',
    about: 'in W_ACQUIRED: task->prio of the writer; the lower number goes first, -1 is SCHED_DEADLINE',
    get: (r) => ofAcquired(r, r.batch.prio[r.i]),
  },
  {
    name: 'holder_prio',
    type: 'int32',
    about: 'in W_ACQUIRED: priority of the holder it found, whose tid is `b`; null when not known',
    get: (r) => (at(r, VlArgs.W_ACQUIRED.holder) === 0 ? null : ofAcquired(r, r.batch.holderPrio[r.i])),
  },
  {
    name: 'file',
    type: 'string',
    about: 'in L_HELD, L_WAITED and LOCK: the /proc file that is being read, the first 7 bytes of its name',
    get: (r) => r.batch.strings[r.batch.file[r.i] as number] || null,
  },
  {
    name: 'fork_threads',
    type: 'uint32',
    about: 'for a fork (L_HELD): threads of the process',
    get: (r) => ofFork(r, r.batch.forkThreads[r.i]),
  },
  {
    name: 'fork_vmas',
    type: 'uint32',
    about: 'for a fork (L_HELD): VMAs of the mm',
    get: (r) => ofFork(r, r.batch.forkVmas[r.i]),
  },
  {
    name: 'fork_locked',
    type: 'uint32',
    about: 'for a fork (L_HELD): VMAs that were write-locked meanwhile; null where __vma_start_write is not hooked',
    get: (r, c) => whereLocksAreSeen(c, ofFork(r, r.batch.forkLocked[r.i])),
  },
  {
    name: 'fork_wait_ns',
    type: 'int64',
    about: 'for a fork (L_HELD): time in __vma_start_write, waiting for readers of VMAs; null where that is not hooked',
    get: (r, c) => whereLocksAreSeen(c, ofFork(r, r.batch.forkWait[r.i])),
  },
];
