// SPDX-License-Identifier: MIT
/** A hold of mmap_lock for write, and how long it would have stalled at worst. */

/** What is summed over: all retries, those of one cause, those of one process. */
export class StallTotals {
  exactNs = 0;
  boundNs = 0;
  exactHolds = 0;
  boundHolds = 0;
}

/** One hold of mmap_lock for write. */
export class Hold {
  readonly tid: number;
  readonly mm: number;
  /** When it was taken, and given back; NaN not known. */
  readonly had: number;
  released: number = Number.NaN;
  /** Longest stall so far, per what is summed over; made with the first one. */
  exact: Map<StallTotals, number> | null = null;
  bound: Map<StallTotals, number> | null = null;

  constructor(tid: number, mm: number, had: number) {
    this.tid = tid;
    this.mm = mm;
    this.had = had;
  }
}
