// SPDX-License-Identifier: MIT
/** A fault for tests of check: its steps, written one by one, and their session. */
import type { SessionInfo } from '../../src/core/events/session.js';
import { VlFile, VlFound, VlKind, VlStepFlag } from '../../src/schema/events.gen.js';
import { FLAG, RET, SWAP_DISK, syntheticSession } from './session.js';

export interface LifeStep {
  readonly kind: number;
  readonly a: number;
  readonly b: number;
  readonly flags: number;
  /** Sent now, but telling of what was this many ns ago. */
  readonly ago?: number;
}

export interface Life {
  readonly name: string;
  readonly steps: readonly LifeStep[];
  readonly depth: number;
  /** From user mode under the VMA lock: lock_vma_under_rcu comes before it. `stale`: the time it left is an older one. */
  readonly looksUp: boolean | 'stale';
  readonly vmFlags: bigint;
  readonly pte: bigint;
  /** Its address lies outside its VMA. */
  readonly astray?: boolean;
  /** At the address of the fault before it. */
  readonly sameAddress?: boolean;
}

export type Flavour = '7.3' | '6.12' | '6.5';
export const FLAVOURS: readonly Flavour[] = ['7.3', '6.12', '6.5'];

export const TARGETS: readonly string[] = [
  'handle_mm_fault',
  'lock_mm_and_find_vma',
  'do_swap_page',
  '__folio_lock_or_retry',
  'lock_vma_under_rcu',
  'io_schedule',
  'get_swap_device',
  'handle_userfault',
  'filemap_fault',
  'shmem_fault',
  'do_huge_pmd_device_private',
  'swapin_readahead',
  'swapin_sync',
  'mm_vmscan_direct_reclaim_begin',
  'mm_vmscan_memcg_reclaim_begin',
  'mmap_lock_start_locking',
  'mmap_lock_acquire_returned',
  'mmap_lock_released',
  '__vmf_anon_prepare',
  'signal_deliver',
  'sched_process_exit',
];

/** Everything attached, scope all. */
export function sessionOf(flavour: Flavour, changes: Partial<SessionInfo> = {}): SessionInfo {
  const observed = flavour === '6.12';
  const targets = observed ? [...TARGETS, 'up_read'] : TARGETS;
  return syntheticSession({
    kernel: `${flavour}.4-synthetic`,
    arch: 'x64',
    release: observed ? 'observed' : 'derived',
    hooks: targets.map((target) => ({ target, attached: true, note: '' })),
    programs: targets.map((target) => ({ name: `fexit_${target}`, target, method: 'fexit' })),
    ...changes,
  });
}

const { VM_FAULT_RETRY: RETRY, VM_FAULT_COMPLETED: COMPLETED } = RET;
export const GUP_NOWAIT: number = FLAG.FAULT_FLAG_ALLOW_RETRY | FLAG.FAULT_FLAG_RETRY_NOWAIT | FLAG.FAULT_FLAG_KILLABLE;
export const GUP_PLAIN: number = FLAG.FAULT_FLAG_WRITE | FLAG.FAULT_FLAG_REMOTE;
export const GUP_KILLABLE: number = FLAG.FAULT_FLAG_KILLABLE | FLAG.FAULT_FLAG_REMOTE;
/** A non-present PTE of swap type 0, of zram's type 1, and of a type above MAX_SWAPFILES. */
export const PTE_DISK = 0x07ff_ffff_ffff_fc0an;
export const PTE_ZRAM: bigint = (1n << 59n) | PTE_DISK;
export const PTE_PRIVATE: bigint = (28n << 59n) | PTE_DISK;
export const PRIVATE = 0x10_0073n;
export const SHARED = 0x10_00fbn;
export const NOWHERE = 0xffffffff;

/** Steps of one fault, written down in order. */
export class LifeWriter {
  readonly steps: LifeStep[] = [];
  readonly observed: boolean;

  constructor(observed: boolean) {
    this.observed = observed;
  }

  add(kind: number, a = 0, b = 0, flags = 0, ago = 0): this {
    this.steps.push({ kind, a: a >>> 0, b: b >>> 0, flags, ...(ago > 0 && { ago }) });
    return this;
  }

  /** handle_mm_fault returned, and the lock it had goes where it is kept until then. */
  hmf(flags: number, ret: number, stepFlags: number = VlStepFlag.REGS): this {
    this.add(VlKind.HMF_EXIT, flags, ret, stepFlags);
    if (ret & (RETRY | COMPLETED) || !(stepFlags & VlStepFlag.REGS)) return this;
    return flags & FLAG.FAULT_FLAG_VMA_LOCK ? this.release() : this.unlock();
  }

  release(): this {
    return this.observed ? this.add(VlKind.VMA_RELEASE, 1) : this;
  }

  unlock(): this {
    return this.add(VlKind.MM_RELEASED);
  }

  lock(user = 1): this {
    return this.add(VlKind.MM_LOCK_ENTER, user).add(VlKind.MM_LOCK_EXIT, VlFound.FOUND | VlFound.FOUND_COVERS);
  }

  swap(flags: number): this {
    return this.add(VlKind.SWAP_ENTER, flags | FLAG.FAULT_FLAG_ORIG_PTE_VALID).add(VlKind.SWAP_DEVICE, 0, SWAP_DISK);
  }

  swapOk(flags: number, ret = 0): this {
    return this.swap(flags).add(VlKind.SWAP_EXIT, 0, ret);
  }

  /** do_swap_page that drops the fault lock, waits for the folio and returns RETRY. */
  folioRetry(flags: number, major: number, stepFlags: number = VlStepFlag.REGS): this {
    this.swap(flags).add(VlKind.FLOR_ENTER, flags | FLAG.FAULT_FLAG_ORIG_PTE_VALID);
    if (flags & FLAG.FAULT_FLAG_VMA_LOCK) this.release();
    else this.unlock();
    return this.add(VlKind.FLOR_SLEEP)
      .add(VlKind.FLOR_EXIT, 0, RETRY)
      .add(VlKind.SWAP_EXIT, 0, RETRY | major)
      .hmf(flags, RETRY | major, stepFlags);
  }

  flor(flags: number, ret: number): this {
    return this.swap(flags)
      .add(VlKind.FLOR_ENTER, flags)
      .add(VlKind.FLOR_EXIT, 0, ret)
      .add(VlKind.SWAP_EXIT, 0, ret)
      .hmf(flags, ret, 0);
  }

  file(flags: number, ret: number): this {
    return this.add(VlKind.FILE_ENTER, flags, VlFile.FILEMAP)
      .add(VlKind.FILE_SLEEP)
      .add(VlKind.FILE_EXIT, VlFile.FILEMAP | VlFile.READ, ret);
  }

  life(name: string, more: Partial<Life> = {}): Life {
    return { name, steps: this.steps, depth: 0, looksUp: true, vmFlags: PRIVATE, pte: 0n, ...more };
  }
}
