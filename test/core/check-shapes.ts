import { VlInner, VlKind, VlStepFlag, VlWait } from '../../src/schema/events.gen.js';
import {
  type Flavour,
  GUP_KILLABLE,
  GUP_NOWAIT,
  GUP_PLAIN,
  type Life,
  LifeWriter,
  NOWHERE,
  PTE_DISK,
  PTE_PRIVATE,
  PTE_ZRAM,
  SHARED,
} from './check-life.js';
import { FLAG, KERNEL_FLAGS, MMAP_FLAGS, RET, SWAP_DISK, SWAP_ZRAM, TRIED_FLAGS, VMA_FLAGS } from './session.js';

const { VM_FAULT_RETRY: RETRY, VM_FAULT_MAJOR: MAJOR, VM_FAULT_COMPLETED: COMPLETED } = RET;
const { FAULT_FLAG_WRITE: WRITE } = FLAG;
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
