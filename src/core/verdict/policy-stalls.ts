// SPDX-License-Identifier: MIT
/**
 * Writers that would stall under a policy: holds of mmap_lock against the windows in which the policy keeps a VMA lock.
 * What a hold comes to is written down when no window can meet it any more, once; and then what it costs faults that come meanwhile.
 */
import { Histogram } from '../aggregate/histogram.js';
import { Hold, StallTotals } from '../aggregate/stall-hold.js';
import { type Moment, Stalls } from '../aggregate/stalls.js';
import { BoundedMap } from '../bounded/bounded-map.js';
import { BehindStalls } from './behind-stalls.js';

/** Holds whose stalls may still grow, rows of writers, and VMAs of a row. */
const MAX_OPEN_HOLDS = 16_384;
const MAX_ROWS = 512;
const MAX_VMAS = 64;

/** Stalls of all retries, of one cause's or of one process's: one a hold. */
export class StallSums extends StallTotals {
  readonly stalls: Histogram = new Histogram();
  /** Retries whose window has an end that was not seen. */
  unknown = 0;
}

/** Whose hold it is. */
export interface Who {
  readonly tgid: number;
  readonly comm: string;
  readonly syscall: number;
  /** task->prio: lower goes first; NaN not known. */
  readonly prio: number;
}

export interface StalledVma {
  readonly start: number;
  readonly end: number;
  stalls: number;
  ns: number;
}

/** The writers of one process by one system call. */
export interface StalledWriter {
  readonly tgid: number;
  comm: string;
  readonly syscall: number;
  readonly stalls: Histogram;
  /** By beginning and end; empty where only mmap_lock was seen: then the VMA is not known. */
  readonly vmas: BoundedMap<string, StalledVma>;
}

/** Stalls whose writer goes before the thread it would wait for; does not; one of the two priorities was not seen. */
export interface Inversions {
  inverted: number;
  upright: number;
  unknown: number;
}

/** The longest stall of a hold: when it began, the VMA, and the thread it waits for there. */
interface Longest {
  readonly from: number;
  readonly lo: number;
  readonly hi: number;
  readonly waitsFor: number;
}

export class WriterHold extends Hold {
  readonly who: Who;
  longestExact: Longest | null = null;
  longestBound: Longest | null = null;
  written = false;

  constructor(tid: number, mm: number, had: number, who: Who) {
    super(tid, mm, had);
    this.who = who;
  }
}

export class PolicyStalls {
  readonly stalls: Stalls;
  readonly all: StallSums = new StallSums();
  readonly rows: BoundedMap<string, StalledWriter> = new BoundedMap(MAX_ROWS, ({ stalls }) => stalls.sum);
  readonly behind: BehindStalls;
  readonly inversions: Inversions = { inverted: 0, upright: 0, unknown: 0 };
  /** Times a stall grew after its hold was written down. */
  late = 0;
  readonly #exact: boolean;
  readonly #priorityOf: (tid: number) => number | undefined;
  readonly #maxOpen: number;
  readonly #open: Set<WriterHold> = new Set();

  /**
   * `exact`: the VMA that a writer comes for is seen; else only that it has mmap_lock, and a stall is an upper bound. What is
   * seen of a VMA all the same (a fork's, VL_L_COPIED) makes sure what faults lose behind it.
   */
  constructor(exact: boolean, priorityOf: (tid: number) => number | undefined, maxOpen: number = MAX_OPEN_HOLDS) {
    this.#exact = exact;
    this.#priorityOf = priorityOf;
    this.#maxOpen = maxOpen;
    this.behind = new BehindStalls(exact);
    this.stalls = new Stalls(undefined, undefined, (to, _ns, moment, tid) => {
      if ((moment.exact || !exact) && to === this.stalls.all) this.#grew(moment, tid);
    });
  }

  finish(): void {
    for (const hold of this.#open) this.#write(hold);
    this.behind.finish();
  }

  #grew({ hold: of, time, lo, hi, exact }: Moment, tid: number): void {
    const hold = of as WriterHold;
    if (hold.written) {
      this.late++;
      return;
    }
    hold[exact ? 'longestExact' : 'longestBound'] = { from: time, lo, hi, waitsFor: tid };
    if (this.#open.size >= this.#maxOpen && !this.#open.has(hold)) {
      const [oldest] = this.#open;
      if (oldest !== undefined) this.#write(oldest);
    }
    this.#open.add(hold);
  }

  #write(hold: WriterHold): void {
    this.#open.delete(hold);
    hold.written = true;
    for (const exact of [true, false]) this.#behind(hold, exact);
    const longest = this.#exact ? hold.longestExact : hold.longestBound;
    if (longest === null) return;
    let ns = 0;
    for (const [to, stall] of (this.#exact ? hold.exact : hold.bound) ?? []) {
      if (to === this.stalls.all) {
        ns = stall;
        this.all.stalls.record(stall);
      } else (to as StallSums).stalls.record(stall);
    }
    const row = this.#rowOf(hold.who);
    row.stalls.record(ns);
    if (this.#exact) addVma(row.vmas, longest.lo, longest.hi, ns);
    const other = this.#priorityOf(longest.waitsFor);
    if (Number.isNaN(hold.who.prio) || other === undefined) this.inversions.unknown++;
    else if (other > hold.who.prio) this.inversions.inverted++;
    else this.inversions.upright++;
  }

  #behind(hold: WriterHold, exact: boolean): void {
    const longest = exact ? hold.longestExact : hold.longestBound;
    if (longest === null) return;
    const { tid, mm } = hold;
    const { from, lo, hi } = longest;
    const ns = (exact ? hold.exact : hold.bound)?.get(this.stalls.all) ?? 0;
    this.behind.stalled({ tid, mm, from, to: from + ns, lo, hi, exact });
  }

  #rowOf({ tgid, comm, syscall }: Who): StalledWriter {
    const key = `${tgid}:${syscall}`;
    let row = this.rows.get(key);
    if (row === undefined) {
      row = { tgid, comm, syscall, stalls: new Histogram(), vmas: new BoundedMap(MAX_VMAS, ({ ns }) => ns) };
      this.rows.set(key, row);
    }
    row.comm = comm;
    return row;
  }
}

function addVma(vmas: BoundedMap<string, StalledVma>, start: number, end: number, ns: number): void {
  const key = `${start}-${end}`;
  const vma = vmas.get(key);
  if (vma === undefined) {
    vmas.set(key, { start, end, stalls: 1, ns });
    return;
  }
  vma.stalls++;
  vma.ns += ns;
}
