// SPDX-License-Identifier: MIT
/** For each rule, faults that break it and no other. */
import { VlFile, VlInner, VlKind, VlStepFlag, VlWait } from '../../src/schema/events.gen.js';
import { aborted, type Break, disk, NEW, one, plain, SEEN, unlooked } from './check-break.js';
import { FOLIO_BREAKS } from './check-breaks-folio.js';
import { type Flavour, type Life, LifeWriter, PRIVATE, PTE_PRIVATE } from './check-life.js';
import { FLAG, MMAP_FLAGS, RET, SWAP_DISK, TRIED_FLAGS, VMA_FLAGS } from './session.js';

const { VM_FAULT_RETRY: RETRY, VM_FAULT_MAJOR: MAJOR, VM_FAULT_COMPLETED: COMPLETED } = RET;

export const BREAKS: readonly Break[] = [
  plain(1, 'not killable', VMA_FLAGS & ~FLAG.FAULT_FLAG_KILLABLE),
  plain(1, 'not from user mode', VMA_FLAGS & ~FLAG.FAULT_FLAG_USER),
  plain(1, 'tried before', VMA_FLAGS | FLAG.FAULT_FLAG_TRIED),
  plain(1, 'remote', VMA_FLAGS | FLAG.FAULT_FLAG_REMOTE),
  plain(1, 'no registers', VMA_FLAGS, 0, 0),
  one(2, 'lookup refused', (w) => w.add(VlKind.VMA_LOCK, 0).hmf(VMA_FLAGS, 0).life('broken', unlooked), ['7.3']),
  {
    rule: 2,
    name: 'lock older than the fault before',
    flavours: NEW,
    lives: (w) => [w().hmf(VMA_FLAGS, 0).life('before'), w().hmf(VMA_FLAGS, 0).life('broken', { looksUp: 'stale' })],
  },
  one(3, 'back to the VMA lock', (w) =>
    w
      .folioRetry(VMA_FLAGS, 0)
      .lock()
      .folioRetry(MMAP_FLAGS, 0)
      .add(VlKind.HMF_EXIT, VMA_FLAGS, 0, VlStepFlag.REGS)
      .life('broken', disk),
  ),
  plain(4, 'nowait', VMA_FLAGS | FLAG.FAULT_FLAG_RETRY_NOWAIT, RET.VM_FAULT_SIGSEGV),
  one(4, 'nowait in do_swap_page', (w) =>
    w
      .swapOk(VMA_FLAGS | FLAG.FAULT_FLAG_RETRY_NOWAIT)
      .hmf(VMA_FLAGS, 0)
      .life('broken', disk),
  ),
  {
    rule: 5,
    name: 'falls back though it was done',
    flavours: NEW,
    lives: (w) => [
      w().hmf(VMA_FLAGS, 0).life('before'),
      w().lock().hmf(MMAP_FLAGS, 0).life('broken', { looksUp: false, sameAddress: true }),
    ],
  },
  one(5, 'falls back in the same lifecycle', (w) => w.hmf(VMA_FLAGS, 0).lock().hmf(MMAP_FLAGS, 0).life('broken'), [
    '7.3',
  ]),
  one(6, 'retries under the VMA lock', (w) =>
    w.folioRetry(VMA_FLAGS, MAJOR).add(VlKind.HMF_EXIT, VMA_FLAGS, 0, VlStepFlag.REGS).life('broken', disk),
  ),
  one(7, 'MAJOR, not tried', (w) => w.folioRetry(VMA_FLAGS, MAJOR).lock().hmf(MMAP_FLAGS, 0).life('broken', disk)),
  one(7, 'tried without MAJOR', (w) => w.folioRetry(VMA_FLAGS, 0).lock().hmf(TRIED_FLAGS, 0).life('broken', disk)),
  one(7, 'not tried after mmap_lock', (w) =>
    w.folioRetry(VMA_FLAGS, 0).lock().folioRetry(MMAP_FLAGS, 0).lock().hmf(MMAP_FLAGS, 0).life('broken', disk),
  ),
  one(8, 'RETRY and SIGBUS', (w) =>
    w
      .add(VlKind.FILE_ENTER, VMA_FLAGS, VlFile.FILEMAP)
      .add(VlKind.FILE_EXIT, VlFile.FILEMAP, RETRY | RET.VM_FAULT_SIGBUS)
      .hmf(VMA_FLAGS, RETRY)
      .lock()
      .hmf(MMAP_FLAGS, 0)
      .life('broken'),
  ),
  ...FOLIO_BREAKS,
  one(14, 'RETRY from nowhere', (w) => {
    w.swap(VMA_FLAGS).release().add(VlKind.SWAP_EXIT, 0, RETRY).hmf(VMA_FLAGS, RETRY);
    return w.lock().hmf(MMAP_FLAGS, 0).life('broken', disk);
  }),
  one(14, 'refused before any device', (w) => {
    w.add(VlKind.SWAP_ENTER, VMA_FLAGS).release().add(VlKind.SWAP_EXIT, 0, RETRY).hmf(VMA_FLAGS, RETRY);
    return w.lock().hmf(MMAP_FLAGS, 0).life('broken', disk);
  }),
  one(15, 'handled like a swap entry', (w) => {
    w.add(VlKind.SWAP_ENTER, VMA_FLAGS).add(VlKind.SWAP_DEVICE, 28, SWAP_DISK).add(VlKind.SWAP_EXIT);
    return w.hmf(VMA_FLAGS, 0).life('broken', { pte: PTE_PRIVATE });
  }),
  one(15, 'MAJOR beside RETRY', (w) => {
    w.add(VlKind.SWAP_ENTER, VMA_FLAGS)
      .release()
      .add(VlKind.SWAP_EXIT, 0, RETRY | MAJOR);
    return w.hmf(VMA_FLAGS, RETRY).lock().hmf(MMAP_FLAGS, 0).life('broken', { pte: PTE_PRIVATE });
  }),
  one(15, 'a wait', (w) => {
    w.add(VlKind.SWAP_ENTER, VMA_FLAGS)
      .add(VlKind.WAIT_ENTER, VlWait.MIGRATION)
      .add(VlKind.WAIT_EXIT, VlWait.MIGRATION);
    w.release().add(VlKind.SWAP_EXIT, 0, RETRY);
    return w.hmf(VMA_FLAGS, RETRY).lock().hmf(MMAP_FLAGS, 0).life('broken', { pte: PTE_PRIVATE });
  }),
  one(15, 'a PMD with MAJOR', (w) =>
    w
      .add(VlKind.INNER_RETRY, VlInner.DEVICE_PRIVATE, RETRY | MAJOR)
      .hmf(VMA_FLAGS, RETRY)
      .lock()
      .hmf(MMAP_FLAGS, 0)
      .life('broken'),
  ),
  one(16, 'goes on', (w) => w.swapOk(VMA_FLAGS).hmf(VMA_FLAGS, 0).life('broken', disk), ['6.5']),
  one(18, 'anon_vma after the release', (w) => {
    w.swap(VMA_FLAGS).add(VlKind.FLOR_ENTER, VMA_FLAGS).release().add(VlKind.FLOR_EXIT, 0, RETRY);
    w.add(VlKind.ANON_PREPARE, 0, RETRY).add(VlKind.SWAP_EXIT, 0, RETRY).hmf(VMA_FLAGS, RETRY);
    return w.lock().hmf(MMAP_FLAGS, 0).life('broken', disk);
  }),
  one(18, 'a file fault after a userfault', (w) => {
    w.add(VlKind.UFFD_ENTER, VMA_FLAGS, 0x200).release().add(VlKind.UFFD_EXIT, 0, RETRY).file(VMA_FLAGS, 0);
    return w.hmf(VMA_FLAGS, RETRY).lock().hmf(MMAP_FLAGS, 0).life('broken');
  }),
  one(19, 'of a later try', (w) => {
    w.folioRetry(VMA_FLAGS, MAJOR).lock().unlock();
    return w.hmf(TRIED_FLAGS | FLAG.FAULT_FLAG_WRITE, COMPLETED).life('broken', disk);
  }),
  one(19, 'of a read', (w) => w.hmf(VMA_FLAGS, COMPLETED).life('broken', { vmFlags: 0n })),
  one(19, 'with RETRY', (w) =>
    w
      .hmf(VMA_FLAGS | FLAG.FAULT_FLAG_WRITE, COMPLETED | RETRY)
      .lock()
      .hmf(MMAP_FLAGS, 0)
      .life('broken', { vmFlags: 0n }),
  ),
  one(19, 'in a private mapping', (w) => {
    const flags = VMA_FLAGS | FLAG.FAULT_FLAG_WRITE;
    return w.file(flags, 0).hmf(flags, COMPLETED).life('broken', { vmFlags: PRIVATE });
  }),
  one(
    19,
    'the lock kept',
    (w) =>
      w
        .hmf(VMA_FLAGS | FLAG.FAULT_FLAG_WRITE, COMPLETED)
        .release()
        .life('broken', { vmFlags: 0n }),
    SEEN,
  ),
  one(20, 'twice', (w) => w.hmf(VMA_FLAGS, 0).release().life('broken'), SEEN),
  one(
    20,
    'never',
    (w) => w.add(VlKind.HMF_EXIT, VMA_FLAGS, 0, VlStepFlag.REGS).add(VlKind.ABANDONED, VlKind.HMF_EXIT).life('broken'),
    SEEN,
  ),
  one(21, 'never', (w) => {
    w.add(VlKind.VMA_LOCK, 0).lock().add(VlKind.HMF_EXIT, MMAP_FLAGS, 0, VlStepFlag.REGS);
    return w.add(VlKind.ABANDONED, VlKind.HMF_EXIT).life('broken', aborted);
  }),
  one(21, 'twice', (w) =>
    w.folioRetry(VMA_FLAGS, 0).lock().swapOk(MMAP_FLAGS).hmf(MMAP_FLAGS, 0).unlock().life('broken', disk),
  ),
  one(21, 'too early', (w) => {
    w.add(VlKind.VMA_LOCK, 0).lock().unlock().add(VlKind.HMF_EXIT, MMAP_FLAGS, 0, VlStepFlag.REGS);
    return w.life('broken', aborted);
  }),
  one(21, 'not by the callee', (w) => {
    w.add(VlKind.VMA_LOCK, 0)
      .lock()
      .hmf(MMAP_FLAGS | FLAG.FAULT_FLAG_WRITE, COMPLETED)
      .unlock();
    return w.life('broken', aborted);
  }),
  one(22, 'mmap_lock in do_swap_page', (w) => {
    w.add(VlKind.SWAP_ENTER, VMA_FLAGS).add(VlKind.MM_INSIDE, 0, 1).add(VlKind.SWAP_DEVICE, 0, SWAP_DISK);
    return w.add(VlKind.SWAP_EXIT).hmf(VMA_FLAGS, 0).life('broken', disk);
  }),
  one(26, 'elsewhere', (w) => w.hmf(VMA_FLAGS, 0).life('broken', { astray: true })),
  one(28, 'another device', (w) => {
    w.add(VlKind.SWAP_ENTER, VMA_FLAGS).add(VlKind.SWAP_DEVICE, 3, SWAP_DISK).add(VlKind.SWAP_EXIT);
    return w.hmf(VMA_FLAGS, 0).life('broken', disk);
  }),
  one(28, 'no device, and not 0', (w) => {
    w.add(VlKind.SWAP_ENTER, VMA_FLAGS).add(VlKind.SWAP_DEVICE, 0xffffffff).add(VlKind.SWAP_EXIT);
    return w.hmf(VMA_FLAGS, MAJOR).life('broken', disk);
  }),
];

/** The faults of a break on one kernel. */
export function livesOf(broken: Break, flavour: Flavour): readonly Life[] {
  return broken.lives(() => new LifeWriter(flavour === '6.12'));
}
