// SPDX-License-Identifier: MIT
/** Sums per VMA: which mapping of which process retries, aborts and waits. */
import { BoundedMap } from '../bounded/bounded-map.js';
import type { Names } from '../events/names.js';
import { isHugetlb } from '../lifecycle/causes.js';
import type { Attempt, Lifecycle, Wait } from '../lifecycle/lifecycle.js';
import { WAIT_FACTS, type WaitKind } from '../vocabulary/waits.js';
import { hasLost, type LostSeries, LostSums } from './lost-series.js';
import { topOf } from './top-of.js';
import type { VmaKeys } from './vma-keys.js';

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
  /**
   * The function its faults are served by (`vm_ops->fault`), where one of them fell back in it; `userfaultfd` where one waited
   * for whoever reads that; '' where none did, or it has no name.
   */
  readonly handler: string;
  /** What it maps (`Mapping`): a file, `[heap]`, `[anon:name]`; '' where that is not known. */
  readonly mapping: string;
  /** `major:minor` of the file's file system and its inode number; '' and 0 without a file. */
  readonly device: string;
  readonly inode: number;
  readonly lifecycles: number;
  readonly retries: number;
  readonly aborts: number;
  /** Summed over its faults: waits for folios; for mmap_lock; all others outside of those. */
  readonly folioWaitNs: number;
  readonly mmapWaitNs: number;
  readonly otherWaitNs: number;
  /** The longest fault, first to last step. */
  readonly worstNs: number;
  /** Its faults that lost the VMA lock or had none, over time; null while there was none. */
  readonly lost: LostSeries | null;
}

const MAX_VMAS = 4096;
const MAX_VMA_ROWS = 256;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
/** With the address of the handler until it is named; 0n for none. */
type Sums = Omit<Mutable<VmaRow>, 'handler' | 'mapping' | 'device' | 'inode' | 'lost'> & {
  handlerAt: bigint;
  userfault: boolean;
  lost: LostSums | null;
};

export class VmaSums {
  /** A VMA that never retried goes first when there are too many. */
  readonly #rows: BoundedMap<string, Sums> = new BoundedMap(MAX_VMAS, (row) => row.retries + row.aborts);
  readonly #keys: VmaKeys;
  #last: Sums | null = null;

  constructor(keys: VmaKeys) {
    this.#keys = keys;
  }

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
      const { lock, outcome, faultHandler } = attempts[i] as Attempt;
      if (faultHandler !== 0n) row.handlerAt = faultHandler;
      if (lock !== 'vma') continue;
      if (outcome === 'retry') row.retries++;
      else if (outcome === 'abort') row.aborts++;
    }
    for (let i = 0; i < waits.length; i++) {
      const { kind, start, end } = waits[i] as Wait;
      addWait(row, kind, end - start);
    }
    if (fault.leftOut !== null) for (const [kind, { ns }] of fault.leftOut.waited) addWait(row, kind, ns);
    if (hasLost(fault)) {
      row.lost ??= new LostSums();
      row.lost.add(fault.last);
    }
    const total = fault.last - fault.first;
    if (total > row.worstNs) row.worstNs = total;
  }

  /** Most retries and aborts first, then most faults. */
  top({ processes, handlers, vmas }: Names): VmaRow[] {
    const order = (x: Sums, y: Sums): number =>
      y.retries + y.aborts - x.retries - x.aborts || y.lifecycles - x.lifecycles || x.mm - y.mm || x.start - y.start;
    return topOf(this.#rows.values(), MAX_VMA_ROWS, order).map(({ handlerAt, userfault, lost, ...row }) => {
      const { label, device, inode } = vmas.of(row.mm, row.start);
      return {
        ...row,
        lost: lost?.copy() ?? null,
        comm: processes.of(row.tgid, row.comm),
        handler: handlers.get(handlerAt) ?? (userfault ? 'userfaultfd' : ''),
        mapping: label,
        device,
        inode,
      };
    });
  }

  #rowOf(fault: Lifecycle): Sums {
    const last = this.#last;
    // Faults come in runs on one VMA: no key needs to be made for them.
    if (last !== null && last.mm === fault.mm && last.start === fault.vmaStart) return last;
    const key = this.#keys.of(fault.mm, fault.vmaStart);
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
        handlerAt: 0n,
        userfault: false,
        lifecycles: 0,
        retries: 0,
        aborts: 0,
        folioWaitNs: 0,
        mmapWaitNs: 0,
        otherWaitNs: 0,
        worstNs: 0,
        lost: null,
      };
      this.#rows.set(key, row);
    }
    this.#last = row;
    return row;
  }
}

function addWait(row: Sums, kind: WaitKind, ns: number): void {
  if (kind === 'userfault') row.userfault = true;
  // An end that was lost is NaN.
  if (!(ns >= 0)) return;
  if (kind === 'folio') row.folioWaitNs += ns;
  else if (kind === 'mmapLock') row.mmapWaitNs += ns;
  // One that keeps the attempt's lock lies inside the attempt or another wait: its time is part of theirs.
  else if (WAIT_FACTS[kind].lock !== 'kept') row.otherWaitNs += ns;
}

/** do_swap_page, filemap_fault, shmem_fault and hugetlb_fault each serve one kind of page. */
function backingOf(fault: Lifecycle): Backing {
  if (fault.enteredSwap) return 'anon';
  if (isHugetlb(fault)) return 'hugetlb';
  for (const wait of fault.waits) {
    if (wait.kind === 'file') return 'file';
    if (wait.kind === 'shmem') return 'shmem';
  }
  return 'unknown';
}
