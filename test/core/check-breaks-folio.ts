// SPDX-License-Identifier: MIT
/** Faults that break a rule on __folio_lock_or_retry: what it returns, and when it gives the lock back. */
import { VlKind } from '../../src/schema/events.gen.js';
import { aborted, type Break, disk, NEW, one, SEEN, unlooked } from './check-break.js';
import { GUP_KILLABLE, GUP_NOWAIT, GUP_PLAIN } from './check-life.js';
import { MMAP_FLAGS, RET, TRIED_FLAGS, VMA_FLAGS } from './session.js';

const { VM_FAULT_RETRY: RETRY, VM_FAULT_MAJOR: MAJOR } = RET;

export const FOLIO_BREAKS: readonly Break[] = [
  one(9, 'MAJOR beside RETRY', (w) => {
    w.swap(VMA_FLAGS)
      .add(VlKind.FLOR_ENTER, VMA_FLAGS)
      .release()
      .add(VlKind.FLOR_EXIT, 0, RETRY | MAJOR);
    return w.add(VlKind.SWAP_EXIT, 0, RETRY).hmf(VMA_FLAGS, RETRY).lock().hmf(MMAP_FLAGS, 0).life('broken', disk);
  }),
  one(9, 'a first try under mmap_lock came back with 0', (w) => {
    w.add(VlKind.VMA_LOCK, 0).lock().swap(MMAP_FLAGS).add(VlKind.FLOR_ENTER, MMAP_FLAGS).add(VlKind.FLOR_EXIT);
    return w
      .add(VlKind.SWAP_EXIT)
      .hmf(MMAP_FLAGS, 0)
      .life('broken', { ...disk, ...aborted });
  }),
  one(
    9,
    'released later',
    (w) => {
      w.swap(VMA_FLAGS).add(VlKind.FLOR_ENTER, VMA_FLAGS).add(VlKind.FLOR_EXIT, 0, RETRY).release();
      return w.add(VlKind.SWAP_EXIT, 0, RETRY).hmf(VMA_FLAGS, RETRY).lock().hmf(MMAP_FLAGS, 0).life('broken', disk);
    },
    SEEN,
  ),
  one(
    9,
    'the VMA lock kept',
    (w) => {
      w.swap(VMA_FLAGS).add(VlKind.FLOR_ENTER, VMA_FLAGS).add(VlKind.FLOR_EXIT, 0, RETRY);
      return w.add(VlKind.SWAP_EXIT, 0, RETRY).hmf(VMA_FLAGS, RETRY).lock().hmf(MMAP_FLAGS, 0).life('broken', disk);
    },
    SEEN,
    [20],
  ),
  one(
    9,
    'mmap_lock kept',
    (w) => {
      w.add(VlKind.VMA_LOCK, 0).lock().swap(MMAP_FLAGS).add(VlKind.FLOR_ENTER, MMAP_FLAGS);
      w.add(VlKind.FLOR_EXIT, 0, RETRY).add(VlKind.SWAP_EXIT, 0, RETRY).hmf(MMAP_FLAGS, RETRY);
      return w
        .lock()
        .hmf(TRIED_FLAGS, 0)
        .life('broken', { ...disk, ...aborted });
    },
    NEW,
    [21],
  ),
  one(10, 'came back with 0', (w) => w.flor(GUP_NOWAIT, 0).life('broken', { ...disk, ...unlooked })),
  one(10, 'slept', (w) => {
    w.swap(GUP_NOWAIT).add(VlKind.FLOR_ENTER, GUP_NOWAIT).add(VlKind.FLOR_SLEEP).add(VlKind.FLOR_EXIT, 0, RETRY);
    w.add(VlKind.SWAP_EXIT, 0, RETRY).hmf(GUP_NOWAIT, RETRY, 0).add(VlKind.ABANDONED, VlKind.HMF_EXIT);
    return w.life('broken', { ...disk, ...unlooked });
  }),
  one(10, 'unlocked', (w) => {
    w.swap(GUP_NOWAIT).add(VlKind.FLOR_ENTER, GUP_NOWAIT).unlock().add(VlKind.FLOR_EXIT, 0, RETRY);
    w.add(VlKind.SWAP_EXIT, 0, RETRY).hmf(GUP_NOWAIT, RETRY, 0).add(VlKind.ABANDONED, VlKind.HMF_EXIT);
    return w.life('broken', { ...disk, ...unlooked });
  }),
  one(11, 'RETRY', (w) =>
    w
      .flor(GUP_PLAIN, RETRY)
      .add(VlKind.ABANDONED, VlKind.HMF_EXIT)
      .life('broken', { ...disk, ...unlooked }),
  ),
  one(11, 'unlocked', (w) => {
    w.swap(GUP_PLAIN).add(VlKind.FLOR_ENTER, GUP_PLAIN).unlock().add(VlKind.FLOR_EXIT).add(VlKind.SWAP_EXIT);
    return w.hmf(GUP_PLAIN, 0, 0).life('broken', { ...disk, ...unlooked });
  }),
  one(12, 'neither 0 nor RETRY', (w) => w.flor(GUP_KILLABLE, MAJOR).life('broken', { ...disk, ...unlooked })),
  one(12, 'unlocked', (w) => {
    w.swap(GUP_KILLABLE).add(VlKind.FLOR_ENTER, GUP_KILLABLE).unlock().add(VlKind.FLOR_EXIT).add(VlKind.SWAP_EXIT);
    return w.hmf(GUP_KILLABLE, 0, 0).life('broken', { ...disk, ...unlooked });
  }),
  one(13, '0 under the VMA lock', (w) => {
    w.swap(VMA_FLAGS).add(VlKind.FLOR_ENTER, VMA_FLAGS).add(VlKind.FLOR_EXIT);
    return w.add(VlKind.SWAP_EXIT).hmf(VMA_FLAGS, 0).life('broken', disk);
  }),
  one(
    23,
    'slept first',
    (w) => {
      w.swap(VMA_FLAGS).add(VlKind.FLOR_ENTER, VMA_FLAGS).add(VlKind.FLOR_SLEEP).release();
      w.add(VlKind.FLOR_EXIT, 0, RETRY).add(VlKind.SWAP_EXIT, 0, RETRY).hmf(VMA_FLAGS, RETRY);
      return w.lock().hmf(MMAP_FLAGS, 0).life('broken', disk);
    },
    SEEN,
  ),
  one(
    23,
    'slept with the lock kept for good',
    (w) => {
      w.swap(VMA_FLAGS).add(VlKind.FLOR_ENTER, VMA_FLAGS).add(VlKind.FLOR_SLEEP);
      w.add(VlKind.FLOR_EXIT, 0, RETRY).add(VlKind.SWAP_EXIT, 0, RETRY).hmf(VMA_FLAGS, RETRY);
      return w.lock().hmf(MMAP_FLAGS, 0).life('broken', disk);
    },
    SEEN,
    [9, 20],
  ),
];
