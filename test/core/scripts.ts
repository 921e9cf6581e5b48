// SPDX-License-Identifier: MIT
/** The shapes a fault's steps can have, as a test writes them: with what truly happened beside. */

import type { Cause, End } from '../../src/core/lifecycle.js';
import { VlKind, VlStepFlag } from '../../src/schema/events.gen.js';
import { KERNEL_FLAGS, MMAP_FLAGS, RET, SWAP_DISK, SWAP_ZRAM, TRIED_FLAGS, VMA_FLAGS } from './session.js';

/** mulberry32: small, seeded, the same everywhere. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  chance(p: number): boolean {
    return this.next() < p;
  }

  /** An integer in [from, to]. */
  int(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  pick<T>(from: readonly T[]): T {
    return from[this.int(0, from.length - 1)] as T;
  }
}

export interface ScriptStep {
  readonly kind: number;
  readonly a: number;
  readonly b: number;
  readonly flags: number;
  /** ns since the step before. */
  readonly after: number;
  /** A fault inside this one (a kernel-mode fault in a handler), before this step. */
  readonly inner?: Script;
}

export interface Script {
  readonly name: string;
  readonly steps: readonly ScriptStep[];
  readonly end: End;
  /** Of the attempt under the VMA lock, where it retried or was aborted. */
  readonly cause: Cause | null;
  /** The record stays open in the kernel; the task's next fault abandons it. */
  readonly open: boolean;
}

const { RETRY, MAJOR, SIGBUS, COMPLETED } = {
  RETRY: RET.VM_FAULT_RETRY,
  MAJOR: RET.VM_FAULT_MAJOR,
  SIGBUS: RET.VM_FAULT_SIGBUS,
  COMPLETED: RET.VM_FAULT_COMPLETED,
};

/** Steps of one fault, written down in order. */
export class ScriptWriter {
  readonly steps: ScriptStep[] = [];
  readonly random: Random;
  readonly observed: boolean;

  constructor(random: Random, observed: boolean) {
    this.random = random;
    this.observed = observed;
  }

  add(kind: number, a = 0, b = 0, flags = 0, longest = 3000, inner?: Script): this {
    const step = { kind, a: a >>> 0, b: b >>> 0, flags, after: this.random.int(60, longest) };
    this.steps.push(inner === undefined ? step : { ...step, inner });
    return this;
  }

  hmf(flags: number, ret: number, regs: number = VlStepFlag.REGS, inner?: Script): this {
    this.add(VlKind.HMF_EXIT, flags, ret, regs, 2000, inner);
    const kept = flags === VMA_FLAGS && !(ret & (RETRY | COMPLETED));
    return kept ? this.release() : this;
  }

  release(): this {
    return this.observed ? this.add(VlKind.VMA_RELEASE, 1, 0, 0, 120) : this;
  }

  lock(found = 1): this {
    return this.add(VlKind.MM_LOCK_ENTER, 1).add(VlKind.MM_LOCK_EXIT, found, 0, 0, 60_000);
  }

  device(): this {
    const zram = this.random.chance(0.3);
    return this.add(VlKind.SWAP_DEVICE, zram ? 1 : 0, zram ? SWAP_ZRAM : SWAP_DISK);
  }

  /** do_swap_page that waits for the folio and returns RETRY; the fault lock goes before the wait. */
  folioRetry(flags: number, major: number): this {
    this.add(VlKind.SWAP_ENTER, flags);
    this.device().add(VlKind.FLOR_ENTER, flags);
    if (flags === VMA_FLAGS) this.release();
    if (this.random.chance(0.9)) this.add(VlKind.FLOR_SLEEP);
    this.add(VlKind.FLOR_EXIT, 0, RETRY, 0, 900_000).add(VlKind.SWAP_EXIT, 0, RETRY | major);
    return this.hmf(flags, RETRY | major);
  }

  swapOk(flags: number): this {
    return this.add(VlKind.SWAP_ENTER, flags).device().add(VlKind.SWAP_EXIT, 0, 0, 0, 200_000);
  }

  done(name: string, end: End, cause: Cause | null = null, open = false): Script {
    return { name, steps: this.steps, end, cause, open };
  }
}

type Maker = (w: ScriptWriter) => Script;

const inner: Maker = (w) => w.swapOk(KERNEL_FLAGS).hmf(KERNEL_FLAGS, 0).done('kernel swap', 'ok-mmap');

/** Each shape with its weight in a realistic mix. */
export const SHAPES: readonly (readonly [weight: number, make: Maker])[] = [
  [
    40,
    (w) =>
      w
        .swapOk(VMA_FLAGS)
        .hmf(VMA_FLAGS, w.random.chance(0.5) ? MAJOR : 0)
        .done('swap ok', 'ok-vma'),
  ],
  [
    16,
    (w) => {
      w.folioRetry(VMA_FLAGS, MAJOR).lock();
      // The page may be mapped by now: then the second pass does not enter do_swap_page.
      if (w.random.chance(0.6)) w.swapOk(TRIED_FLAGS);
      return w.hmf(TRIED_FLAGS, 0).done('folio retry', 'ok-mmap', 'folio locked');
    },
  ],
  [
    3,
    (w) =>
      w
        .folioRetry(VMA_FLAGS, 0)
        .lock()
        .folioRetry(MMAP_FLAGS, 0)
        .lock()
        .hmf(TRIED_FLAGS, 0)
        .done('two retries', 'ok-mmap', 'folio locked'),
  ],
  [
    2,
    (w) => {
      w.folioRetry(VMA_FLAGS, MAJOR).lock().add(VlKind.SWAP_ENTER, TRIED_FLAGS).device();
      w.add(VlKind.FLOR_ENTER, TRIED_FLAGS)
        .add(VlKind.FLOR_SLEEP)
        .add(VlKind.FLOR_EXIT, 0, 0, 0, 90_000)
        .add(VlKind.SWAP_EXIT);
      return w.hmf(TRIED_FLAGS, 0).done('waits under mmap_lock', 'ok-mmap', 'folio locked');
    },
  ],
  [
    2,
    (w) => {
      w.add(VlKind.SWAP_ENTER, VMA_FLAGS).release().add(VlKind.SWAP_EXIT, 0, RETRY).hmf(VMA_FLAGS, RETRY).lock();
      return w
        .add(VlKind.SWAP_ENTER, MMAP_FLAGS)
        .add(VlKind.SWAP_EXIT)
        .hmf(MMAP_FLAGS, 0)
        .done('device-private', 'ok-mmap', 'device-private');
    },
  ],
  [
    3,
    (w) => {
      w.add(VlKind.UFFD_ENTER, VMA_FLAGS, 0x200).release().add(VlKind.UFFD_EXIT, 0, RETRY, 0, 2_000_000);
      return w.hmf(VMA_FLAGS, RETRY).lock().hmf(MMAP_FLAGS, 0).done('userfault', 'ok-mmap', 'userfault');
    },
  ],
  [
    1,
    (w) => {
      w.add(VlKind.SWAP_ENTER, VMA_FLAGS).add(VlKind.UFFD_ENTER, VMA_FLAGS, 0x400).release();
      w.add(VlKind.UFFD_EXIT, 0, RETRY, 0, 500_000).add(VlKind.SWAP_EXIT, 0, RETRY);
      return w
        .hmf(VMA_FLAGS, RETRY)
        .lock()
        .hmf(MMAP_FLAGS, 0)
        .done('userfault in do_swap_page', 'ok-mmap', 'userfault');
    },
  ],
  [
    2,
    (w) => {
      w.add(VlKind.ANON_PREPARE, 0, RETRY).release();
      return w.hmf(VMA_FLAGS, RETRY).lock().hmf(MMAP_FLAGS, 0).done('anon_vma', 'ok-mmap', 'anon_vma');
    },
  ],
  [
    4,
    (w) =>
      w
        .hmf(VMA_FLAGS, RETRY | MAJOR)
        .lock()
        .hmf(TRIED_FLAGS, 0)
        .done('file retry', 'ok-mmap', 'unknown'),
  ],
  [3, (w) => w.lock().hmf(MMAP_FLAGS, 0).done('abort', 'ok-mmap', 'VMA lock unavailable')],
  [
    2,
    (w) => w.add(VlKind.VMA_LOCK, 0).lock().hmf(MMAP_FLAGS, 0).done('abort, timed', 'ok-mmap', 'VMA lock unavailable'),
  ],
  [1, (w) => w.lock(0).done('bad address', 'error', 'VMA lock unavailable')],
  [14, (w) => w.hmf(VMA_FLAGS, 0).done('ordinary', 'ok-vma')],
  [1, (w) => w.hmf(VMA_FLAGS, SIGBUS).done('sigbus', 'error')],
  [1, (w) => w.hmf(VMA_FLAGS, COMPLETED).done('completed', 'completed')],
  [
    1,
    (w) =>
      w
        .folioRetry(VMA_FLAGS, MAJOR)
        .lock()
        .hmf(TRIED_FLAGS, COMPLETED)
        .done('completed later', 'completed', 'folio locked'),
  ],
  [1, (w) => w.folioRetry(VMA_FLAGS, MAJOR).add(VlKind.SIGNAL, 9).done('signal', 'signal', 'folio locked')],
  [0.5, (w) => w.folioRetry(VMA_FLAGS, MAJOR).add(VlKind.TASK_EXIT).done('task exit', 'signal', 'folio locked')],
  [0.5, (w) => w.folioRetry(VMA_FLAGS, MAJOR).done('abandoned after RETRY', 'signal', 'folio locked', true)],
  [3, inner],
  [2, (w) => w.swapOk(KERNEL_FLAGS).hmf(KERNEL_FLAGS, 0, 0).done('get_user_pages', 'ok-mmap')],
  [
    2,
    (w) => {
      const within = inner(new ScriptWriter(w.random, w.observed));
      return w
        .folioRetry(VMA_FLAGS, MAJOR)
        .lock()
        .hmf(TRIED_FLAGS, 0, VlStepFlag.REGS, within)
        .done('nested', 'ok-mmap', 'folio locked');
    },
  ],
];
const TOTAL = SHAPES.reduce((sum, [weight]) => sum + weight, 0);

export function makeScript(random: Random, observed: boolean): Script {
  let at = random.next() * TOTAL;
  for (const [weight, make] of SHAPES) {
    at -= weight;
    if (at < 0) return make(new ScriptWriter(random, observed));
  }
  throw new Error('weights do not add up');
}
