// SPDX-License-Identifier: MIT
/** Sums per VMA: which mapping of which process retries, aborts and waits. */
import { BoundedMap } from '../bounded/bounded-map.js';
import type { ProcessNames } from '../events/process-names.js';
import type { Attempt, Lifecycle, Wait } from '../lifecycle/lifecycle.js';
import { WAIT_FACTS } from '../vocabulary/waits.js';

/** What the faults themselves showed of what is behind the VMA; `unknown` when none of them showed it. */
export type Backing = 'anon' | 'file' | 'shmem' | 'hugetlb' | 'unknown';

export interface VmaRow {
  readonly tgid: number;
  readonly comm: string;
  readonly mm: number;
  readonly start: number;
  readonly end: number;
  /** vma->vm_flags as last seen. */
  readonly vmFlags: bigint;
  readonly backing: Backing;
  readonly lifecycles: number;
  readonly retries: number;
  readonly aborts: number;
  /** Summed over its faults: waits for folios; for mmap_lock; all others outside of those. */
  readonly folioWaitNs: number;
  readonly mmapWaitNs: number;
  readonly otherWaitNs: number;
  /** The longest fault, first to last step. */
  readonly worstNs: number;
}

const MAX_VMAS = 4096;
export const MAX_VMA_ROWS = 256;

/** VM_HUGETLB of include/linux/mm.h; the same value since 2.6. */
const VM_HUGETLB = 0x400000n;
type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export class VmaSums {
  /** A VMA that never retried goes first when there are too many. */
  readonly #rows: BoundedMap<string, Mutable<VmaRow>> = new BoundedMap(MAX_VMAS, (row) => row.retries + row.aborts);
  #last: Mutable<VmaRow> | null = null;

  get size(): number {
    return this.#rows.size;
  }

  get evicted(): number {
    return this.#rows.evicted;
  }

  closed(fault: Lifecycle): void {
    // Without its first step a lifecycle has no VMA; an ABORT that found none has an empty range.
    if (!(fault.vmaEnd > fault.vmaStart)) return;
    const row = this.#rowOf(fault);
    row.end = fault.vmaEnd;
    row.vmFlags = fault.vmFlags;
    row.comm = fault.processName;
    if (row.backing === 'unknown') row.backing = backingOf(fault);
    row.lifecycles++;
    const { attempts, waits } = fault;
    for (let i = 0; i < attempts.length; i++) {
      const { lock, outcome } = attempts[i] as Attempt;
      if (lock !== 'vma') continue;
      if (outcome === 'retry') row.retries++;
      else if (outcome === 'abort') row.aborts++;
    }
    for (let i = 0; i < waits.length; i++) {
      const { kind, start, end } = waits[i] as Wait;
      // An end that was lost is NaN.
      if (!(end >= start)) continue;
      if (kind === 'folio') row.folioWaitNs += end - start;
      else if (kind === 'mmapLock') row.mmapWaitNs += end - start;
      // One that keeps the attempt's lock lies inside the attempt or another wait: its time is part of theirs.
      else if (WAIT_FACTS[kind].lock !== 'kept') row.otherWaitNs += end - start;
    }
    const total = fault.last - fault.first;
    if (total > row.worstNs) row.worstNs = total;
  }

  /** Most retries and aborts first, then most faults. */
  top(names: ProcessNames): VmaRow[] {
    return [...this.#rows.values()]
      .sort(
        (x, y) =>
          y.retries + y.aborts - x.retries - x.aborts ||
          y.lifecycles - x.lifecycles ||
          x.mm - y.mm ||
          x.start - y.start,
      )
      .slice(0, MAX_VMA_ROWS)
      .map((row) => ({ ...row, comm: names.of(row.tgid, row.comm) }));
  }

  #rowOf(fault: Lifecycle): Mutable<VmaRow> {
    const last = this.#last;
    // Faults come in runs on one VMA: no key needs to be made for them.
    if (last !== null && last.mm === fault.mm && last.start === fault.vmaStart) return last;
    const key = `${fault.mm}:${fault.vmaStart}`;
    let row = this.#rows.get(key);
    if (row === undefined) {
      row = {
        tgid: fault.tgid,
        comm: fault.processName,
        mm: fault.mm,
        start: fault.vmaStart,
        end: fault.vmaEnd,
        vmFlags: fault.vmFlags,
        backing: 'unknown',
        lifecycles: 0,
        retries: 0,
        aborts: 0,
        folioWaitNs: 0,
        mmapWaitNs: 0,
        otherWaitNs: 0,
        worstNs: 0,
      };
      this.#rows.set(key, row);
    }
    this.#last = row;
    return row;
  }
}

/** do_swap_page, filemap_fault, shmem_fault and hugetlb_fault each serve one kind of page. */
function backingOf(fault: Lifecycle): Backing {
  if (fault.enteredSwap) return 'anon';
  if ((fault.vmFlags & VM_HUGETLB) !== 0n) return 'hugetlb';
  for (const wait of fault.waits) {
    if (wait.kind === 'file') return 'file';
    if (wait.kind === 'shmem') return 'shmem';
  }
  return 'unknown';
}
