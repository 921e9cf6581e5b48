// SPDX-License-Identifier: MIT
/** How long faults waited, by kind and by the lock held meanwhile. */
import { Histogram } from './histogram.js';
import { WAIT_KINDS, type Wait, type WaitKind } from './lifecycle.js';
import type { FaultRecord, WaitRecord } from './record.js';

function histograms<K extends string>(keys: readonly K[]): Readonly<Record<K, Histogram>> {
  return Object.fromEntries(keys.map((key) => [key, new Histogram()])) as Record<K, Histogram>;
}

export class WaitSums {
  readonly byKind: Readonly<Record<WaitKind, Histogram>> = histograms(WAIT_KINDS);
  /** Of waits for mmap_lock, the part after a failed trylock. */
  readonly mmapLockQueued: Histogram = new Histogram();
  readonly held: Readonly<Record<Wait['held'], Histogram>> = histograms(['vma', 'mmap', 'none', 'unknown']);

  waited(fault: FaultRecord, wait: WaitRecord): void {
    const ns = wait.end - wait.start;
    this.byKind[wait.kind].record(ns);
    if (!isInside(fault, wait)) this.held[wait.held].record(ns);
    if (!Number.isNaN(wait.contended)) this.mmapLockQueued.record(wait.end - wait.contended);
  }
}

const OUTERMOST: ReadonlySet<WaitKind> = new Set<WaitKind>(['folio', 'mmapLock', 'file', 'shmem']);
const NESTING: ReadonlySet<WaitKind> = new Set<WaitKind>(['file', 'shmem', 'swapin', 'reclaim']);

/** Waits nest (reclaim in a swap-in): one inside another that goes on is part of that one's time. */
function isInside(fault: FaultRecord, wait: WaitRecord): boolean {
  if (OUTERMOST.has(wait.kind)) return false;
  for (const other of fault.waits) {
    if (other === wait) return false;
    if (Number.isNaN(other.end) && NESTING.has(other.kind)) return true;
  }
  return false;
}
