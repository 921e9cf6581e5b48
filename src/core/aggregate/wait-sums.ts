// SPDX-License-Identifier: MIT
/** How long faults waited, by kind and by the lock held meanwhile. */

import type { WaitRecord } from '../lifecycle/attempt-record.js';
import type { Wait } from '../lifecycle/lifecycle.js';
import { WAIT_KINDS, type WaitKind } from '../vocabulary/waits.js';
import { Histogram } from './histogram.js';

function histograms<K extends string>(keys: readonly K[]): Readonly<Record<K, Histogram>> {
  return Object.fromEntries(keys.map((key) => [key, new Histogram()])) as Record<K, Histogram>;
}

export class WaitSums {
  readonly byKind: Readonly<Record<WaitKind, Histogram>> = histograms(WAIT_KINDS);
  /** Of waits for mmap_lock, the part after a failed trylock. */
  readonly mmapLockQueued: Histogram = new Histogram();
  readonly held: Readonly<Record<Wait['held'], Histogram>> = histograms(['vma', 'mmap', 'none', 'unknown']);

  waited(wait: WaitRecord): void {
    const ns = wait.end - wait.start;
    this.byKind[wait.kind].record(ns);
    // Waits nest (reclaim in a swap-in): one inside another is part of that one's time.
    if (wait.outer === null) this.held[wait.held].record(ns);
    if (!Number.isNaN(wait.contended)) this.mmapLockQueued.record(wait.end - wait.contended);
  }
}
