// SPDX-License-Identifier: MIT
import { VlKind } from '../../schema/events.gen.js';

/**
 * `EventBatch`: the one currency between sources, recordings and the lifecycle fold.
 *
 * Columns of equal length, a few thousand rows. A row is one step of one fault (`struct vl_step` of
 * bpf/events.h), what a task did to locks otherwise (`struct vl_writer`), or a row the user side wrote itself (kind >= `UserKind.Counter`).
 * A batch belongs to its source and is valid until the next one is asked for: rows to be kept are copied.
 */
export interface EventBatch {
  /** Rows in use; the columns may be longer. */
  length: number;
  /** `enum vl_kind`, or `UserKind`. */
  readonly kind: Uint8Array;
  /** `enum vl_step_flag`. */
  readonly flags: Uint8Array;
  readonly cpu: Uint16Array;
  readonly tid: Uint32Array;
  /** With `faultCpu`: the name of the lifecycle this step belongs to. */
  readonly fault: Uint32Array;
  readonly faultCpu: Uint16Array;
  /** Running number of the step within its lifecycle; a gap is a lost step. */
  readonly step: Uint16Array;
  /** Nanoseconds since `SessionInfo.baseNs`; an integer below 2^53. */
  readonly time: Float64Array;
  readonly a: Uint32Array;
  readonly b: Uint32Array;

  // The columns below are 0 (stacks -1, `acquired` NaN) except where `flags` has VL_F_INFO: the first step of a
  // lifecycle, or a `struct vl_writer`.
  readonly tgid: Uint32Array;
  /** Index into `strings`; 0 is the empty string. */
  readonly comm: Uint32Array;
  readonly depth: Uint8Array;
  /** Time lock_vma_under_rcu returned the VMA, ns since base; NaN when not known. */
  readonly acquired: Float64Array;
  /** Identity of the mm (the pointer's low 52 bits). */
  readonly mm: Float64Array;
  /** Page-aligned. */
  readonly address: Float64Array;
  readonly vmaStart: Float64Array;
  readonly vmaEnd: Float64Array;
  readonly vmFlags: BigUint64Array;
  readonly pte: BigUint64Array;
  readonly cgroup: Float64Array;

  // Of a `struct vl_writer` (VL_W_*, VL_L_*) alone.
  /** Ids of stacks (`UserKind.Frame`); -1 none. */
  readonly kernelStack: Int32Array;
  readonly userStack: Int32Array;
  /** VL_W_ACQUIRED: task->prio of the writer and of the holder it found (0 where `b` is 0). Lower goes first, -1 is SCHED_DEADLINE. */
  readonly prio: Int32Array;
  readonly holderPrio: Int32Array;
  /** VL_L_*, `UserKind.Lock`: the file of /proc that is read, the first 7 bytes of its name: index into `strings`. */
  readonly file: Uint32Array;
  /** VL_L_HELD of a fork: threads of the process, VMAs of the mm, VMAs write-locked meanwhile, ns spent in __vma_start_write. */
  readonly forkThreads: Uint32Array;
  readonly forkVmas: Uint32Array;
  readonly forkLocked: Uint32Array;
  readonly forkWait: Float64Array;

  /** Value of a user-side row (`UserKind.Counter`); 0 in kernel rows. */
  readonly value: Float64Array;
  /**
   * Append-only, `strings[0] === ''`. Batches of a source share it, but for a source that begins a new list when there
   * are too many: an index says nothing beside another batch's strings.
   */
  readonly strings: readonly string[];
}

/** Whether a kernel row is what a writer did (`VL_W_*` of bpf/events.h). */
export function isWriterEvent(kind: number): boolean {
  return kind >= VlKind.W_ACQUIRED && kind <= VlKind.W_VMA;
}

/** Whether it is about mmap_lock, by the task that holds or asks for it, or a VMA's lock that a writer waits for (`VL_L_*`). */
export function isLockEvent(kind: number): boolean {
  return kind >= VlKind.L_HELD && kind <= VlKind.L_COPIED;
}

/** Whether a kernel row is of no fault at all. */
export function isOfNoFault(kind: number): boolean {
  return isWriterEvent(kind) || isLockEvent(kind);
}

export const DEFAULT_BATCH_ROWS = 4096;

/** A batch of `rows` empty rows. */
export function createBatch(rows: number, strings: readonly string[]): EventBatch {
  return {
    length: 0,
    kind: new Uint8Array(rows),
    flags: new Uint8Array(rows),
    cpu: new Uint16Array(rows),
    tid: new Uint32Array(rows),
    fault: new Uint32Array(rows),
    faultCpu: new Uint16Array(rows),
    step: new Uint16Array(rows),
    time: new Float64Array(rows),
    a: new Uint32Array(rows),
    b: new Uint32Array(rows),
    tgid: new Uint32Array(rows),
    comm: new Uint32Array(rows),
    depth: new Uint8Array(rows),
    acquired: new Float64Array(rows).fill(Number.NaN),
    mm: new Float64Array(rows),
    address: new Float64Array(rows),
    vmaStart: new Float64Array(rows),
    vmaEnd: new Float64Array(rows),
    vmFlags: new BigUint64Array(rows),
    pte: new BigUint64Array(rows),
    cgroup: new Float64Array(rows),
    kernelStack: new Int32Array(rows).fill(-1),
    userStack: new Int32Array(rows).fill(-1),
    prio: new Int32Array(rows),
    holderPrio: new Int32Array(rows),
    file: new Uint32Array(rows),
    forkThreads: new Uint32Array(rows),
    forkVmas: new Uint32Array(rows),
    forkLocked: new Uint32Array(rows),
    forkWait: new Float64Array(rows),
    value: new Float64Array(rows),
    strings,
  };
}

/** Empties a batch for reuse: the info columns of the rows in use go back to 0 (`acquired` to NaN). */
export function clearBatch(batch: EventBatch): void {
  const n = batch.length;
  batch.tgid.fill(0, 0, n);
  batch.comm.fill(0, 0, n);
  batch.depth.fill(0, 0, n);
  batch.acquired.fill(Number.NaN, 0, n);
  batch.mm.fill(0, 0, n);
  batch.address.fill(0, 0, n);
  batch.vmaStart.fill(0, 0, n);
  batch.vmaEnd.fill(0, 0, n);
  batch.vmFlags.fill(0n, 0, n);
  batch.pte.fill(0n, 0, n);
  batch.cgroup.fill(0, 0, n);
  batch.kernelStack.fill(-1, 0, n);
  batch.userStack.fill(-1, 0, n);
  batch.prio.fill(0, 0, n);
  batch.holderPrio.fill(0, 0, n);
  batch.file.fill(0, 0, n);
  batch.forkThreads.fill(0, 0, n);
  batch.forkVmas.fill(0, 0, n);
  batch.forkLocked.fill(0, 0, n);
  batch.forkWait.fill(0, 0, n);
  batch.value.fill(0, 0, n);
  batch.length = 0;
}
