// SPDX-License-Identifier: MIT
/** Rows of the synthetic stream as batches, and the counters a kernel would have kept of them. */
import { createBatch, type EventBatch } from '../../src/core/events/batch.js';
import { ABORT_CAUSES, type Cause } from '../../src/core/vocabulary/causes.js';
import { VlCounter, VlFile, VlKind, VlStepFlag } from '../../src/schema/events.gen.js';
import type { Script } from './scripts.js';
import { FLAG, RET, SWAP_ZRAM } from './session.js';

/** One kernel row, before it goes into a batch. */
export interface SyntheticRow {
  readonly kind: number;
  readonly flags: number;
  readonly tid: number;
  readonly cpu: number;
  readonly fault: number;
  readonly faultCpu: number;
  readonly step: number;
  readonly time: number;
  readonly a: number;
  readonly b: number;
  readonly who: Who;
  /** Place in the ring: grows along each task's steps. */
  readonly order: number;
  readonly dropped: boolean;
}

export interface Who {
  readonly tgid: number;
  readonly comm: number;
  readonly depth: number;
  readonly acquired: number;
  readonly mm: number;
  readonly address: number;
  readonly pte: bigint;
  readonly vmFlags: bigint;
}

/** What a lifecycle was, whatever of it was sent. */
export interface Truth {
  readonly id: number;
  readonly tid: number;
  readonly script: Script;
  readonly unfinished: boolean;
}

export const COMMS: readonly string[] = ['', 'postgres', 'java', 'swapload', '数据库-worker', 'chrome\x1b[31m'];

const isAbort = (cause: Cause | null | undefined): boolean => ABORT_CAUSES.some((one) => one === cause);

/** The kernel counter a row raises, as bpf/ does it; -1 for none. */
export function counterOf(row: SyntheticRow, truth: Truth | undefined): number {
  const retry = (row.b & RET.VM_FAULT_RETRY) !== 0;
  switch (row.kind) {
    case VlKind.HMF_EXIT: {
      if (!(row.flags & VlStepFlag.REGS)) return VlCounter.GUP;
      if (!(row.a & FLAG.FAULT_FLAG_USER)) return retry ? VlCounter.KERNEL_RETRY : VlCounter.KERNEL;
      const base = row.a & FLAG.FAULT_FLAG_VMA_LOCK ? VlCounter.VMA_OK : VlCounter.MMAP_OK;
      if (retry) return base + 1;
      if (row.b & RET.VM_FAULT_COMPLETED) return base + 2;
      return row.b & RET.VM_FAULT_SIGBUS ? base + 3 : base;
    }
    case VlKind.MM_LOCK_ENTER:
      return isAbort(truth?.script.cause) ? VlCounter.ABORT : VlCounter.FALLBACK;
    case VlKind.SWAP_ENTER:
      return VlCounter.SWAP;
    case VlKind.SWAP_DEVICE:
      return row.b === SWAP_ZRAM ? VlCounter.SWAP_SYNC : VlCounter.SWAP_ASYNC;
    case VlKind.FLOR_ENTER:
      return VlCounter.FLOR;
    case VlKind.FLOR_EXIT:
      return retry ? VlCounter.FLOR_RETRY : VlCounter.FLOR_LOCKED;
    case VlKind.UFFD_ENTER:
      return VlCounter.UFFD;
    case VlKind.FILE_ENTER:
      return row.b & VlFile.SHMEM ? VlCounter.SHMEM : VlCounter.FILE;
    case VlKind.FILE_EXIT:
      if (!retry) return -1;
      return row.a & VlFile.SHMEM ? VlCounter.SHMEM_RETRY : VlCounter.FILE_RETRY;
    default:
      return -1;
  }
}

export class Packer {
  readonly batches: EventBatch[] = [];
  readonly #rows: number;
  #batch: EventBatch | null = null;

  constructor(rows: number) {
    this.#rows = rows;
  }

  room(): EventBatch {
    if (this.#batch === null || this.#batch.length === this.#rows) {
      this.#batch = createBatch(this.#rows, COMMS);
      this.batches.push(this.#batch);
    }
    return this.#batch;
  }

  add(row: SyntheticRow): void {
    const batch = this.room();
    const i = batch.length++;
    batch.kind[i] = row.kind;
    batch.flags[i] = row.flags;
    batch.cpu[i] = row.cpu;
    batch.tid[i] = row.tid;
    batch.fault[i] = row.fault;
    batch.faultCpu[i] = row.faultCpu;
    batch.step[i] = row.step;
    batch.time[i] = row.time;
    batch.a[i] = row.a;
    batch.b[i] = row.b;
    if (!(row.flags & VlStepFlag.INFO)) return;
    const { who } = row;
    batch.tgid[i] = who.tgid;
    batch.comm[i] = who.comm;
    batch.depth[i] = who.depth;
    batch.acquired[i] = who.acquired;
    batch.mm[i] = who.mm;
    batch.address[i] = who.address;
    batch.vmaStart[i] = 0x7f00_0000_0000;
    batch.vmaEnd[i] = 0x7f40_0000_0000;
    batch.vmFlags[i] = who.vmFlags;
    batch.pte[i] = row.step === 0 ? who.pte : 0n;
    batch.cgroup[i] = 4000 + who.tgid;
  }
}
