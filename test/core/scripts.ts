// SPDX-License-Identifier: MIT
/** The shapes a fault's steps can have, each with its weight in a realistic mix. */
import { VlFile, VlInner, VlKind, VlStepFlag, VlWait } from '../../src/schema/events.gen.js';
import type { Random } from './random.js';
import { abort, anon, byDesign, file, folio, inner, late, type Maker, userfault } from './script-makers.js';
import { PTE_DEVICE, PTE_EXCLUSIVE, PTE_MARKER, type Script, ScriptWriter, type Sight } from './script-writer.js';
import { KERNEL_FLAGS, MMAP_FLAGS, RET, TRIED_FLAGS, VMA_FLAGS } from './session.js';

export { Random } from './random.js';
export type { Script, ScriptStep } from './script-writer.js';

const RETRY = RET.VM_FAULT_RETRY;
const MAJOR = RET.VM_FAULT_MAJOR;
const COMPLETED = RET.VM_FAULT_COMPLETED;

const SHAPES: readonly (readonly [weight: number, make: Maker])[] = [
  [
    36,
    (w) =>
      w
        .swapOk(VMA_FLAGS)
        .hmf(VMA_FLAGS, w.random.chance(0.5) ? MAJOR : 0)
        .done('swap ok', 'ok-vma'),
  ],
  [16, folio],
  [8, file],
  [6, userfault],
  [4, late],
  [4, anon],
  [6, abort],
  [
    3,
    (w) => {
      w.folioRetry(VMA_FLAGS, 0).lock().folioRetry(MMAP_FLAGS, 0).lock().hmf(TRIED_FLAGS, 0);
      return w.done('two retries', 'ok-mmap', 'folio locked: other read');
    },
  ],
  [
    2,
    (w) => {
      w.fileRetry(VMA_FLAGS, 0).lock().fileRetry(MMAP_FLAGS, VlFile.READ).lock();
      return w.fileOk(TRIED_FLAGS, VlFile.FILEMAP).hmf(TRIED_FLAGS, 0).done('file twice', 'ok-mmap', 'file: page lock');
    },
  ],
  [
    2,
    (w) => {
      w.uffd(VMA_FLAGS, 0x200).hmf(VMA_FLAGS, RETRY).lock().uffd(MMAP_FLAGS, 0x200).hmf(MMAP_FLAGS, RETRY).lock();
      return w.hmf(TRIED_FLAGS, 0).done('userfault twice', 'ok-mmap', 'userfault: missing');
    },
  ],
  [
    2,
    (w) => {
      w.folioRetry(VMA_FLAGS, MAJOR).lock().add(VlKind.SWAP_ENTER, TRIED_FLAGS).device();
      w.add(VlKind.FLOR_ENTER, TRIED_FLAGS).add(VlKind.FLOR_SLEEP);
      w.add(VlKind.FLOR_EXIT, 0, 0, 0, 90_000).add(VlKind.SWAP_EXIT);
      return w.hmf(TRIED_FLAGS, 0).done('waits under mmap_lock', 'ok-mmap', 'folio locked: own read');
    },
  ],
  [
    1,
    (w) => {
      w.folioRetry(VMA_FLAGS, MAJOR).lock().add(VlKind.SWAP_ENTER, TRIED_FLAGS).device();
      w.add(VlKind.FLOR_ENTER, TRIED_FLAGS).add(VlKind.FLOR_SLEEP).drop(TRIED_FLAGS);
      w.add(VlKind.FLOR_EXIT, 0, RETRY).add(VlKind.SWAP_EXIT, 0, RETRY).hmf(TRIED_FLAGS, RETRY);
      return w.add(VlKind.SIGNAL, 9).done('killed while it waits', 'signal', 'folio locked: own read');
    },
  ],
  [
    1,
    (w) => {
      w.fileRetry(VMA_FLAGS, 0, MAJOR).lock().add(VlKind.FILE_ENTER, TRIED_FLAGS, VlFile.FILEMAP);
      w.add(VlKind.FILE_SLEEP).drop(TRIED_FLAGS).add(VlKind.FILE_EXIT, VlFile.FILEMAP, RETRY).hmf(TRIED_FLAGS, RETRY);
      return w.add(VlKind.TASK_EXIT).done('killed while it waits for a page', 'signal', 'file: cache miss');
    },
  ],
  [
    2,
    (w) => {
      w.pte = PTE_DEVICE;
      w.add(VlKind.SWAP_ENTER, VMA_FLAGS).drop(VMA_FLAGS).add(VlKind.SWAP_EXIT, 0, RETRY).hmf(VMA_FLAGS, RETRY);
      byDesign(w).lock().add(VlKind.SWAP_ENTER, MMAP_FLAGS).add(VlKind.SWAP_EXIT);
      return w.hmf(MMAP_FLAGS, 0).done('device-private', 'ok-mmap', 'device-private');
    },
  ],
  [
    1,
    (w) => {
      w.add(VlKind.INNER_RETRY, VlInner.DEVICE_PRIVATE, RETRY).hmf(VMA_FLAGS, RETRY);
      return byDesign(w).lock().hmf(MMAP_FLAGS, 0).done('device-private PMD', 'ok-mmap', 'device-private');
    },
  ],
  [
    1,
    (w) => {
      w.pte = PTE_EXCLUSIVE;
      w.add(VlKind.SWAP_ENTER, VMA_FLAGS).folio(VMA_FLAGS).add(VlKind.SWAP_EXIT, 0, RETRY).hmf(VMA_FLAGS, RETRY);
      return w.lock().hmf(MMAP_FLAGS, 0).done('device-exclusive', 'ok-mmap', 'device-exclusive');
    },
  ],
  [
    1,
    (w) => {
      w.add(VlKind.FILE_ENTER, VMA_FLAGS, VlFile.SHMEM).drop(VMA_FLAGS);
      w.add(VlKind.FILE_EXIT, VlFile.SHMEM | VlFile.PUNCH, RETRY, 0, 90_000)
        .hmf(VMA_FLAGS, RETRY)
        .lock();
      return w.fileOk(MMAP_FLAGS, VlFile.SHMEM).hmf(MMAP_FLAGS, 0).done('hole punch', 'ok-mmap', 'shmem: hole punch');
    },
  ],
  [
    1.5,
    (w) => {
      w.pte = PTE_MARKER;
      w.add(VlKind.SWAP_ENTER, VMA_FLAGS).add(VlKind.FILE_ENTER, VMA_FLAGS, VlFile.FILEMAP).drop(VMA_FLAGS);
      w.add(VlKind.FILE_SLEEP)
        .add(VlKind.FILE_EXIT, VlFile.FILEMAP, RETRY | MAJOR)
        .add(VlKind.SWAP_EXIT, 0, RETRY | MAJOR);
      w.hmf(VMA_FLAGS, RETRY | MAJOR)
        .lock()
        .hmf(TRIED_FLAGS, 0);
      return w.done('pte marker of a file page', 'ok-mmap', 'file: cache miss');
    },
  ],
  [
    1,
    (w) => {
      w.pte = PTE_MARKER;
      w.add(VlKind.SWAP_ENTER, VMA_FLAGS).add(VlKind.FILE_ENTER, VMA_FLAGS, VlFile.SHMEM);
      if (w.random.chance(0.5)) w.add(VlKind.FILE_SLEEP);
      w.uffd(VMA_FLAGS, 0x200).add(VlKind.FILE_EXIT, VlFile.SHMEM, RETRY).add(VlKind.SWAP_EXIT, 0, RETRY);
      w.hmf(VMA_FLAGS, RETRY).lock().hmf(MMAP_FLAGS, 0);
      return w.done('pte marker of a shmem page', 'ok-mmap', 'userfault: missing');
    },
  ],
  [
    1,
    (w) => {
      w.folioRetry(VMA_FLAGS, MAJOR).add(VlKind.MM_LOCK_ENTER, 1).add(VlKind.MM_LOCK_EXIT, 0, 0, 0, 9000);
      w.verdict = 'gone';
      return w.done('unmapped meanwhile', 'error', 'folio locked: own read');
    },
  ],
  [1, (w) => w.lockAfterAbort(0).done('bad address', 'error', 'VMA absent')],
  [12, (w) => w.hmf(VMA_FLAGS, 0).done('ordinary', 'ok-vma')],
  [2, (w) => w.wait(VlWait.MIGRATION).hmf(VMA_FLAGS, 0).done('migration', 'ok-vma')],
  [2, (w) => w.wait(VlWait.RECLAIM, VlWait.MEMCG).hmf(VMA_FLAGS, 0).done('reclaim', 'ok-vma')],
  [1, (w) => w.hmf(VMA_FLAGS, RET.VM_FAULT_SIGBUS).done('sigbus', 'error')],
  [1, (w) => w.hmf(VMA_FLAGS, COMPLETED).done('completed', 'completed')],
  [
    1,
    (w) => {
      w.folioRetry(VMA_FLAGS, MAJOR).lock().hmf(TRIED_FLAGS, COMPLETED);
      return w.done('completed later', 'completed', 'folio locked: own read');
    },
  ],
  [1, (w) => w.folioRetry(VMA_FLAGS, MAJOR).add(VlKind.SIGNAL, 9).done('signal', 'signal', 'folio locked: own read')],
  [
    0.5,
    (w) => w.folioRetry(VMA_FLAGS, MAJOR).add(VlKind.TASK_EXIT).done('task exit', 'signal', 'folio locked: own read'),
  ],
  [0.5, (w) => w.folioRetry(VMA_FLAGS, MAJOR).done('abandoned after RETRY', 'signal', 'folio locked: own read', true)],
  [3, inner],
  [2, (w) => w.swapOk(KERNEL_FLAGS).hmf(KERNEL_FLAGS, 0, 0).done('get_user_pages', 'ok-mmap')],
  [
    2,
    (w) => {
      const within = inner(new ScriptWriter(w.random, w.sight));
      w.folioRetry(VMA_FLAGS, MAJOR).lock().hmf(TRIED_FLAGS, 0, VlStepFlag.REGS, within);
      return w.done('nested', 'ok-mmap', 'folio locked: own read');
    },
  ],
];
const TOTAL = SHAPES.reduce((sum, [weight]) => sum + weight, 0);

export function makeScript(random: Random, sight: Sight): Script {
  let at = random.next() * TOTAL;
  for (const [weight, make] of SHAPES) {
    at -= weight;
    if (at < 0) return make(new ScriptWriter(random, sight));
  }
  throw new Error('weights do not add up');
}
