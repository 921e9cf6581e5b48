// SPDX-License-Identifier: MIT
/** Ring buffer records (bpf/events.h) → rows of an `EventBatch`. */

import { RING_DISCARD, RING_HEADER, RING_LENGTH, type RingBuffer } from 'ebpf-ts';
import { createBatch, DEFAULT_BATCH_ROWS, type EventBatch, isOfNoFault } from '../core/events/batch.js';
import { VlKindNames, VlNote, VlOpen, VlStep, VlStepFlag, VlVma, VlWriter } from '../schema/events.gen.js';
import { CommTable } from './names/comms.js';
import { decodeVma } from './names/vma-record.js';

// Where the fields are, counted in u32 words from a record's header, and within a word in bits. A record begins on
// 8 bytes, so a u64 is two words, and small fields share one. Names of this file rather than imports of the generated
// objects: the loop below runs tens of millions of times a second.
const word = (offset: number): number => (RING_HEADER + offset) >>> 2;
const bits = (offset: number): number => (offset & 3) * 8;

const KIND = word(VlStep.kind);
const KIND_BIT = bits(VlStep.kind);
const FLAGS = word(VlStep.flags);
const FLAGS_BIT = bits(VlStep.flags);
const CPU = word(VlStep.cpu);
const CPU_BIT = bits(VlStep.cpu);
const TID = word(VlStep.tid);
const FAULT = word(VlStep.fault);
const FAULT_CPU = word(VlStep.faultCpu);
const FAULT_CPU_BIT = bits(VlStep.faultCpu);
const STEP = word(VlStep.step);
const STEP_BIT = bits(VlStep.step);
const TS = word(VlStep.ts);
const A = word(VlStep.a);
const B = word(VlStep.b);
const ACQUIRED = word(VlOpen.acquired);
const MM = word(VlOpen.mm);
const ADDRESS = word(VlOpen.address);
const VMA_START = word(VlOpen.vmaStart);
const VMA_END = word(VlOpen.vmaEnd);
const CGROUP = word(VlOpen.cgroup);
const TGID = word(VlOpen.tgid);
const DEPTH = word(VlOpen.depth);
const DEPTH_BIT = bits(VlOpen.depth);
const COMM = word(VlOpen.comm);
/** These two keep all their 64 bits; indexes of a BigUint64Array. */
const VM_FLAGS = word(VlOpen.vmFlags) >>> 1;
const PTE = word(VlOpen.pte) >>> 1;

const W_ACQUIRED = word(VlWriter.acquired);
const W_MM = word(VlWriter.mm);
const W_VMA_START = word(VlWriter.vmaStart);
const W_VMA_END = word(VlWriter.vmaEnd);
const W_CGROUP = word(VlWriter.cgroup);
const W_FORK_WAIT = word(VlWriter.forkWait);
const W_TGID = word(VlWriter.tgid);
const W_KERNEL_STACK = word(VlWriter.kernelStack);
const W_USER_STACK = word(VlWriter.userStack);
const W_FORK_THREADS = word(VlWriter.forkThreads);
const W_FORK_VMAS = word(VlWriter.forkVmas);
const W_FORK_LOCKED = word(VlWriter.forkLocked);
const W_PRIO = word(VlWriter.prio);
const W_PRIO_BIT = bits(VlWriter.prio);
const W_HOLDER_PRIO = word(VlWriter.holderPrio);
const W_HOLDER_PRIO_BIT = bits(VlWriter.holderPrio);
const W_FILE = word(VlWriter.file);
const W_COMM = word(VlWriter.comm);

const STEP_SIZE = VlStep.size;
const KINDS = VlKindNames.length;
/** Of a record with VL_F_INFO, by kind. */
const INFO_SIZE = Uint8Array.from({ length: KINDS }, (_, kind) => (isOfNoFault(kind) ? VlWriter.size : VlOpen.size));
const WRITER_SIZE = VlWriter.size;
const INFO = VlStepFlag.INFO;
const HIGH = 2 ** 32;

export class EventDecoder {
  /** Records decoded, by `enum vl_kind`. */
  readonly decoded: Float64Array = new Float64Array(64);
  /** Records of an unknown kind or of a size that does not go with their flags: skipped, and a sign of a defect. */
  malformed = 0;
  readonly #ring: RingBuffer;
  readonly #rows: number;
  readonly #baseLow: number;
  readonly #baseHigh: number;
  #comms = new CommTable();

  /** `baseNs`: CLOCK_MONOTONIC ns that become time 0. `rows`: of the batches `createBatch` makes. */
  constructor(ring: RingBuffer, baseNs: bigint, rows: number = DEFAULT_BATCH_ROWS) {
    this.#ring = ring;
    this.#rows = rows;
    this.#baseLow = Number(baseNs & 0xffff_ffffn);
    this.#baseHigh = Number(baseNs >> 32n);
  }

  /**
   * Begins a new list of strings, if the one there is has become long: what takes a stream for months must not grow with
   * the names in it. Only while no batch of the old one has rows that were not handed on. Returns whether it did.
   */
  renewStrings(): boolean {
    if (!this.#comms.full) return false;
    this.#comms = new CommTable();
    return true;
  }

  /** Task names of new batches: the table `strings` belongs to. */
  get comms(): CommTable {
    return this.#comms;
  }

  /** What `comm` columns of new batches refer to. Append-only; `strings[0] === ''`. */
  get strings(): string[] {
    return this.#comms.strings;
  }

  /** An empty batch that shares this decoder's strings. */
  createBatch(): EventBatch {
    return createBatch(this.#rows, this.#comms.strings);
  }

  /**
   * Appends what the ring holds to `batch`, until the batch is full, the ring is empty, or a record is still being written.
   * Rows of `batch` beyond its length must be as `createBatch` and `clearBatch` leave them: a step's info columns are not touched.
   * `until`: an end of the ring as it was before; nothing behind it is taken.
   * Returns the number of rows added; what was read is the kernel's again.
   */
  drainInto(batch: EventBatch, until?: number): number {
    const before = batch.length;
    const { start, end } = this.#ring.begin();
    const bytes = until === undefined ? (end - start) >>> 0 : Math.max(0, (until - start) | 0);
    const read = this.#decode(batch, start, bytes);
    this.#ring.commit((start + read) >>> 0);
    return batch.length - before;
  }

  /**
   * The loop; returns the bytes read. Nothing but the return stands behind it: V8 compiles a long loop while it runs, and code
   * behind it that has never run makes each later call fall back to the interpreter.
   */
  #decode(batch: EventBatch, start: number, bytes: number): number {
    const { u32, mask } = this.#ring;
    const { decoded } = this;
    const baseLow = this.#baseLow;
    const baseHigh = this.#baseHigh;
    const { kind, flags, cpu, tid, fault, faultCpu, step, time, a, b } = batch;
    const rows = kind.length;
    let row = batch.length;
    let read = 0;
    while (read < bytes && row < rows) {
      const at = ((start + read) & mask) >>> 2;
      // Pairs with the xchg of the header in bpf_ringbuf_commit: without BUSY the record's bytes are all there.
      const header = Atomics.load(u32, at) | 0;
      if (header < 0) break;
      const length = header & RING_LENGTH;
      read += (length + RING_HEADER + 7) & ~7;
      if ((header & RING_DISCARD) !== 0) continue;
      const k = ((u32[at + KIND] as number) >>> KIND_BIT) & 0xff;
      const f = ((u32[at + FLAGS] as number) >>> FLAGS_BIT) & 0xff;
      if (k === 0 || k >= KINDS || length !== ((f & INFO) === 0 ? STEP_SIZE : INFO_SIZE[k])) {
        if (k !== VlNote.VMA || length !== VlVma.size) {
          this.malformed++;
          continue;
        }
      }
      kind[row] = k;
      flags[row] = f;
      cpu[row] = (u32[at + CPU] as number) >>> CPU_BIT;
      tid[row] = u32[at + TID] as number;
      fault[row] = u32[at + FAULT] as number;
      faultCpu[row] = (u32[at + FAULT_CPU] as number) >>> FAULT_CPU_BIT;
      step[row] = (u32[at + STEP] as number) >>> STEP_BIT;
      // Exact while a session lasts less than 2^53 ns (104 days): both differences are integers, and so is their sum.
      time[row] = ((u32[at + TS + 1] as number) - baseHigh) * HIGH + ((u32[at + TS] as number) - baseLow);
      a[row] = u32[at + A] as number;
      b[row] = u32[at + B] as number;
      if ((f & INFO) !== 0) {
        if (length === WRITER_SIZE) this.#writer(batch, row, at);
        else this.#info(batch, row, at);
      }
      if (k >= KINDS) decodeVma(u32, at, batch, row, this.#comms);
      else decoded[k] = (decoded[k] as number) + 1;
      batch.length = ++row;
    }
    return read;
  }

  /** The columns only a `struct vl_open` has. */
  #info(batch: EventBatch, row: number, at: number): void {
    const { u32, u64 } = this.#ring;
    const high = u32[at + ACQUIRED + 1] as number;
    const low = u32[at + ACQUIRED] as number;
    batch.acquired[row] = high === 0 && low === 0 ? Number.NaN : (high - this.#baseHigh) * HIGH + (low - this.#baseLow);
    batch.mm[row] = (u32[at + MM + 1] as number) * HIGH + (u32[at + MM] as number);
    batch.address[row] = (u32[at + ADDRESS + 1] as number) * HIGH + (u32[at + ADDRESS] as number);
    batch.vmaStart[row] = (u32[at + VMA_START + 1] as number) * HIGH + (u32[at + VMA_START] as number);
    batch.vmaEnd[row] = (u32[at + VMA_END + 1] as number) * HIGH + (u32[at + VMA_END] as number);
    batch.cgroup[row] = (u32[at + CGROUP + 1] as number) * HIGH + (u32[at + CGROUP] as number);
    batch.vmFlags[row] = u64[(at >>> 1) + VM_FLAGS] as bigint;
    batch.pte[row] = u64[(at >>> 1) + PTE] as bigint;
    batch.tgid[row] = u32[at + TGID] as number;
    batch.depth[row] = (u32[at + DEPTH] as number) >>> DEPTH_BIT;
    batch.comm[row] = this.#comms.id(
      u32[at + COMM] as number,
      u32[at + COMM + 1] as number,
      u32[at + COMM + 2] as number,
      u32[at + COMM + 3] as number,
    );
  }

  /** Those of a `struct vl_writer`. */
  #writer(batch: EventBatch, row: number, at: number): void {
    const { u32 } = this.#ring;
    const high = u32[at + W_ACQUIRED + 1] as number;
    const low = u32[at + W_ACQUIRED] as number;
    batch.acquired[row] = high === 0 && low === 0 ? Number.NaN : (high - this.#baseHigh) * HIGH + (low - this.#baseLow);
    batch.mm[row] = (u32[at + W_MM + 1] as number) * HIGH + (u32[at + W_MM] as number);
    batch.vmaStart[row] = (u32[at + W_VMA_START + 1] as number) * HIGH + (u32[at + W_VMA_START] as number);
    batch.vmaEnd[row] = (u32[at + W_VMA_END + 1] as number) * HIGH + (u32[at + W_VMA_END] as number);
    batch.cgroup[row] = (u32[at + W_CGROUP + 1] as number) * HIGH + (u32[at + W_CGROUP] as number);
    batch.forkWait[row] = (u32[at + W_FORK_WAIT + 1] as number) * HIGH + (u32[at + W_FORK_WAIT] as number);
    batch.tgid[row] = u32[at + W_TGID] as number;
    // ~0, which is none, becomes -1.
    batch.kernelStack[row] = u32[at + W_KERNEL_STACK] as number;
    batch.userStack[row] = u32[at + W_USER_STACK] as number;
    batch.forkThreads[row] = u32[at + W_FORK_THREADS] as number;
    batch.forkVmas[row] = u32[at + W_FORK_VMAS] as number;
    batch.forkLocked[row] = u32[at + W_FORK_LOCKED] as number;
    // 16 bits with a sign.
    batch.prio[row] = (((u32[at + W_PRIO] as number) >>> W_PRIO_BIT) << 16) >> 16;
    batch.holderPrio[row] = (((u32[at + W_HOLDER_PRIO] as number) >>> W_HOLDER_PRIO_BIT) << 16) >> 16;
    batch.file[row] = this.#comms.id(u32[at + W_FILE] as number, u32[at + W_FILE + 1] as number, 0, 0);
    batch.comm[row] = this.#comms.id(
      u32[at + W_COMM] as number,
      u32[at + W_COMM + 1] as number,
      u32[at + W_COMM + 2] as number,
      u32[at + W_COMM + 3] as number,
    );
  }
}
