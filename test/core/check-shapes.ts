// SPDX-License-Identifier: MIT
/** Faults that obey every rule, as the kernel side sends them: on 7.x, on 6.12 with releases seen, and on 6.5. */
import type { SessionInfo } from '../../src/core/events/session.js';
import { VlFile, VlFound, VlInner, VlKind, VlStepFlag, VlWait } from '../../src/schema/events.gen.js';
import {
  FLAG,
  KERNEL_FLAGS,
  MMAP_FLAGS,
  RET,
  SWAP_DISK,
  SWAP_ZRAM,
  syntheticSession,
  TRIED_FLAGS,
  VMA_FLAGS,
} from './session.js';

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

const { VM_FAULT_RETRY: RETRY, VM_FAULT_MAJOR: MAJOR, VM_FAULT_COMPLETED: COMPLETED } = RET;
const { FAULT_FLAG_WRITE: WRITE } = FLAG;
export const GUP_NOWAIT: number = FLAG.FAULT_FLAG_ALLOW_RETRY | FLAG.FAULT_FLAG_RETRY_NOWAIT | FLAG.FAULT_FLAG_KILLABLE;
export const GUP_PLAIN: number = FLAG.FAULT_FLAG_WRITE | FLAG.FAULT_FLAG_REMOTE;
export const GUP_KILLABLE: number = FLAG.FAULT_FLAG_KILLABLE | FLAG.FAULT_FLAG_REMOTE;
/** A non-present PTE of swap type 0, of zram's type 1, and of a type above MAX_SWAPFILES. */
export const PTE_DISK = 0x07ff_ffff_ffff_fc0an;
export const PTE_ZRAM: bigint = (1n << 59n) | PTE_DISK;
export const PTE_PRIVATE: bigint = (28n << 59n) | PTE_DISK;
export const PRIVATE = 0x10_0073n;
export const SHARED = 0x10_00fbn;
const NOWHERE = 0xffffffff;

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

type Shape = (w: LifeWriter) => Life;
const disk = { pte: PTE_DISK } as const;
/** lock_mm_and_find_vma comes first: neither a lookup that found the VMA nor the VMA itself. */
const aborted = { looksUp: false, vmFlags: 0n } as const;

const EVERYWHERE: readonly Shape[] = [
  (w) => w.hmf(VMA_FLAGS, 0).life('ordinary'),
  (w) => w.hmf(VMA_FLAGS, RET.VM_FAULT_SIGBUS).life('sigbus'),
  (w) => w.add(VlKind.VMA_LOCK, 0).lock().hmf(MMAP_FLAGS, 0).life('abort', aborted),
  (w) =>
    w.add(VlKind.VMA_LOCK, 0).add(VlKind.MM_LOCK_ENTER, 1).add(VlKind.MM_LOCK_EXIT, 0).life('bad address', aborted),
];

const SWAPPING: readonly Shape[] = [
  (w) => w.swapOk(VMA_FLAGS).hmf(VMA_FLAGS, 0).life('swap', disk),
  (w) => w.swapOk(VMA_FLAGS, MAJOR).hmf(VMA_FLAGS, MAJOR).life('swap, read', disk),
  (w) => w.folioRetry(VMA_FLAGS, MAJOR).lock().hmf(TRIED_FLAGS, 0).life('own read', disk),
  (w) => w.folioRetry(VMA_FLAGS, 0).lock().swapOk(MMAP_FLAGS).hmf(MMAP_FLAGS, 0).life('read of another', disk),
  (w) =>
    w
      .folioRetry(VMA_FLAGS, 0)
      .lock()
      .folioRetry(MMAP_FLAGS, 0)
      .lock()
      .swapOk(TRIED_FLAGS)
      .hmf(TRIED_FLAGS, 0)
      .life('two retries', disk),
  (w) => {
    w.folioRetry(VMA_FLAGS, MAJOR).lock().swap(TRIED_FLAGS).add(VlKind.FLOR_ENTER, TRIED_FLAGS);
    w.add(VlKind.FLOR_SLEEP).add(VlKind.FLOR_EXIT).add(VlKind.SWAP_EXIT);
    return w.hmf(TRIED_FLAGS, 0).life('waits under mmap_lock', disk);
  },
  // Reclaim in the second pass takes the same mmap_lock and gives it back.
  (w) => {
    w.folioRetry(VMA_FLAGS, MAJOR).lock().add(VlKind.SWAP_ENTER, TRIED_FLAGS).add(VlKind.SWAP_DEVICE, 0, SWAP_DISK);
    w.add(VlKind.WAIT_ENTER, VlWait.MEMCG).unlock().add(VlKind.WAIT_EXIT, VlWait.MEMCG);
    w.add(VlKind.FLOR_ENTER, TRIED_FLAGS).add(VlKind.FLOR_EXIT).add(VlKind.SWAP_EXIT);
    return w.hmf(TRIED_FLAGS, 0).life('reclaim under mmap_lock', disk);
  },
  (w) =>
    w
      .flor(GUP_NOWAIT, RETRY)
      .add(VlKind.ABANDONED, VlKind.HMF_EXIT)
      .life('nowait', { ...disk, looksUp: false }),
  (w) => w.flor(GUP_PLAIN, 0).life('ksm', { ...disk, looksUp: false }),
  (w) => w.flor(GUP_KILLABLE, 0).life('killable', { ...disk, looksUp: false }),
  (w) => {
    w.add(VlKind.SWAP_ENTER, VMA_FLAGS).release().add(VlKind.SWAP_EXIT, 0, RETRY).hmf(VMA_FLAGS, RETRY).lock();
    w.add(VlKind.SWAP_ENTER, MMAP_FLAGS).add(VlKind.SWAP_EXIT);
    return w.hmf(MMAP_FLAGS, 0).life('device-private', { pte: PTE_PRIVATE });
  },
  (w) =>
    w
      .add(VlKind.INNER_RETRY, VlInner.DEVICE_PRIVATE, RETRY)
      .hmf(VMA_FLAGS, RETRY)
      .lock()
      .hmf(MMAP_FLAGS, 0)
      .life('device-private PMD'),
  (w) =>
    w
      .file(VMA_FLAGS, RETRY | MAJOR)
      .hmf(VMA_FLAGS, RETRY | MAJOR)
      .lock()
      .file(TRIED_FLAGS, RET.VM_FAULT_LOCKED)
      .hmf(TRIED_FLAGS, 0)
      .life('file'),
  (w) => {
    w.add(VlKind.UFFD_ENTER, VMA_FLAGS, 0x200).release().add(VlKind.UFFD_EXIT, 0, RETRY);
    return w.hmf(VMA_FLAGS, RETRY).lock().hmf(MMAP_FLAGS, 0).life('userfault');
  },
  (w) =>
    w.add(VlKind.ANON_PREPARE, 0, 0, 0, 40).hmf(VMA_FLAGS, RETRY).lock().hmf(MMAP_FLAGS, 0).life('anon_vma, noted'),
  (w) => w.hmf(VMA_FLAGS | WRITE, COMPLETED).life('completed', { vmFlags: 0n }),
  (w) =>
    w
      .file(VMA_FLAGS | WRITE, 0)
      .hmf(VMA_FLAGS | WRITE, COMPLETED)
      .life('completed, shared', { vmFlags: SHARED }),
  (w) =>
    w
      .add(VlKind.VMA_LOCK, 0)
      .lock()
      .unlock()
      .hmf(MMAP_FLAGS | WRITE, COMPLETED)
      .life('completed under mmap_lock', aborted),
  (w) =>
    w
      .folioRetry(VMA_FLAGS, MAJOR, VlStepFlag.REGS | VlStepFlag.SIGPENDING)
      .add(VlKind.SIGNAL, 9)
      .life('signal', disk),
  (w) =>
    w
      .folioRetry(VMA_FLAGS, 0, VlStepFlag.REGS | VlStepFlag.SIGPENDING)
      .add(VlKind.ABANDONED, VlKind.SWAP_ENTER)
      .life('signal not delivered', disk),
  // The signal ended the exception, and the next one came at the same address before anything else did.
  (w) =>
    w
      .folioRetry(VMA_FLAGS, MAJOR, VlStepFlag.REGS | VlStepFlag.SIGPENDING)
      .hmf(VMA_FLAGS, 0)
      .life('signal, then again', disk),
  (w) =>
    w
      .swapOk(KERNEL_FLAGS)
      .hmf(KERNEL_FLAGS, 0)
      .life('kernel mode', { ...disk, looksUp: false }),
  (w) =>
    w
      .folioRetry(KERNEL_FLAGS, 0)
      .lock(0)
      .hmf(KERNEL_FLAGS | FLAG.FAULT_FLAG_TRIED, 0)
      .life('kernel mode, retry', { ...disk, looksUp: false }),
  (w) =>
    w
      .add(VlKind.SWAP_ENTER, VMA_FLAGS)
      .add(VlKind.SWAP_DEVICE, NOWHERE)
      .add(VlKind.SWAP_EXIT)
      .hmf(VMA_FLAGS, 0)
      .life('swapoff', disk),
  (w) => {
    w.add(VlKind.SWAP_ENTER, VMA_FLAGS).add(VlKind.SWAP_DEVICE, 1, SWAP_ZRAM);
    w.add(VlKind.WAIT_ENTER, VlWait.RECLAIM).add(VlKind.MM_INSIDE, 0, 1).add(VlKind.WAIT_EXIT, VlWait.RECLAIM);
    w.add(VlKind.WAIT_ENTER, VlWait.SYNC_READ).add(VlKind.WAIT_EXIT, VlWait.SYNC_READ).add(VlKind.SWAP_EXIT);
    return w.hmf(VMA_FLAGS, 0).life('zram after reclaim', { pte: PTE_ZRAM });
  },
];

/** Before 6.6: do_swap_page refuses, and the arch code gives the lock back after handle_mm_fault. */
const REFUSED: readonly Shape[] = [
  (w) =>
    w
      .add(VlKind.SWAP_ENTER, VMA_FLAGS)
      .add(VlKind.SWAP_EXIT, 0, RETRY)
      .hmf(VMA_FLAGS, RETRY)
      .lock()
      .swapOk(MMAP_FLAGS)
      .hmf(MMAP_FLAGS, 0)
      .life('refused', disk),
];

/** Every shape this kernel can send, each once. */
export function shapesOf(flavour: Flavour): readonly Life[] {
  const makers = [...EVERYWHERE, ...(flavour === '6.5' ? REFUSED : SWAPPING)];
  return makers.map((make) => make(new LifeWriter(flavour === '6.12')));
}
