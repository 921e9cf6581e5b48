// SPDX-License-Identifier: MIT
/**
 * Which writers would have stalled, had the VMA lock been kept over a retry's wait.
 *
 * A retry gives a window: from its release of the VMA lock to the end of its wait. A writer gives moments: when it had
 * mmap_lock, and when it entered __vma_start_write for a VMA. A moment within a window would have been a stall until
 * the window's end. Either may come first out of the ring, so both are kept a while per mm, and each pair is looked at
 * once, when the later of the two comes; sums are right at any time and no decision waits for another.
 */
import { BoundedMap } from '../bounded/bounded-map.js';
import type { Lifecycle } from '../lifecycle/lifecycle.js';
import { type Hold, StallTotals } from './stall-hold.js';

/** Kept per mm, and mms kept at a time. Writers are sent where they waited or met a retry, so few are in flight. */
const MAX_WINDOWS = 512;
const MAX_MOMENTS = 512;
const MAX_MMS = 4096;

/** When a writer came: for one VMA (`exact`), or at most for those that its system call names (`lo` 0, `hi` Infinity: for any). */
export interface Moment {
  time: number;
  lo: number;
  hi: number;
  exact: boolean;
  hold: Hold;
}

interface Window {
  start: number;
  end: number;
  at: Faulted;
  cause: StallTotals;
  process: StallTotals;
  tid: number;
}

/** Where a fault was; `vmaEnd` 0: its VMA is not known. */
export type Faulted = Pick<Lifecycle, 'mm' | 'address' | 'vmaStart' | 'vmaEnd'>;

/** A copy, for records of faults are used again. */
export const placeOf = ({ mm, address, vmaStart, vmaEnd }: Faulted): Faulted => ({ mm, address, vmaStart, vmaEnd });

/** A wait that goes on: its window lasts until now. */
export interface OpenWindow {
  readonly at: Faulted;
  readonly start: number;
  readonly process: StallTotals;
}

class MmWatch {
  readonly windows: Window[] = [];
  readonly moments: Moment[] = [];
  nextWindow = 0;
  nextMoment = 0;
  latestEnd = Number.NEGATIVE_INFINITY;
  latestMoment = Number.NEGATIVE_INFINITY;
  /** Windows that ended before, and moments up to, may have been given up. */
  windowsLostTo: number;
  momentsLostTo: number;
  touched = 0;

  constructor(lostTo: number) {
    this.windowsLostTo = lostTo;
    this.momentsLostTo = lostTo;
  }
}

/** A stall in `to` grew to `ns`; `moment`: when the writer came, and for which VMA, `tid`: whose window it met. */
export type OnStall = (to: StallTotals, ns: number, moment: Readonly<Moment>, tid: number) => void;

/** Stalls by what they are summed over. */
export type Provisional = ReadonlyMap<StallTotals, StallTotals>;

/**
 * Whether a writer that came for [lo, hi) write-locks the VMA of a fault, or may (`exact` false): one beside what a system call
 * names may be merged with what becomes of that, and is write-locked then.
 */
export function mayLock({ lo, hi, exact }: Pick<Moment, 'lo' | 'hi' | 'exact'>, at: Faulted): boolean {
  if (exact) return at.address >= lo && at.address < hi;
  return at.vmaEnd === 0 || (at.vmaEnd >= lo && at.vmaStart <= hi);
}

function within(moment: Moment, start: number, end: number, at: Faulted): boolean {
  return moment.time >= start && moment.time < end && mayLock(moment, at);
}

export class Stalls {
  readonly all: StallTotals = new StallTotals();
  /** Moments that came when windows they may have met were given up, and windows whose moments were: the stall may be larger. */
  lateMoments = 0;
  lateWindows = 0;
  readonly #mms: BoundedMap<number, MmWatch> = new BoundedMap(MAX_MMS, (watch) => watch.touched);
  readonly #maxWindows: number;
  readonly #maxMoments: number;
  readonly #onStall: OnStall | null;
  #clock = 0;
  /** When a whole mm was given up last. */
  #lostTo = Number.NEGATIVE_INFINITY;

  constructor(maxWindows: number = MAX_WINDOWS, maxMoments: number = MAX_MOMENTS, onStall: OnStall | null = null) {
    this.#maxWindows = maxWindows;
    this.#maxMoments = maxMoments;
    this.#onStall = onStall;
  }

  /** A retry's window [start, end), of thread `tid`. */
  window(at: Faulted, start: number, end: number, cause: StallTotals, process: StallTotals, tid: number = 0): void {
    if (!(start < end)) return;
    const watch = this.#watch(at.mm, end);
    if (start <= watch.momentsLostTo) this.lateWindows++;
    if (watch.latestMoment >= start)
      for (const moment of watch.moments) {
        if (!within(moment, start, end, at)) continue;
        this.#stall(moment, end, cause, process, tid);
      }
    if (end > watch.latestEnd) watch.latestEnd = end;
    const old = watch.windows[watch.nextWindow];
    if (old === undefined) watch.windows[watch.nextWindow] = { start, end, at, cause, process, tid };
    else {
      watch.windowsLostTo = Math.max(watch.windowsLostTo, old.end);
      old.start = start;
      old.end = end;
      old.at = at;
      old.cause = cause;
      old.process = process;
      old.tid = tid;
    }
    watch.nextWindow = (watch.nextWindow + 1) % this.#maxWindows;
  }

  /** A writer had the mm's mmap_lock; [lo, hi) is what its system call names, `hi` 0 where that is not known. */
  acquired(hold: Hold, time: number, lo: number, hi: number): void {
    this.#came(hold, time, lo, hi === 0 ? Number.POSITIVE_INFINITY : hi, false);
  }

  /** A writer entered __vma_start_write for the VMA [lo, hi). */
  writeLocks(hold: Hold, time: number, lo: number, hi: number): void {
    this.#came(hold, time, lo, hi, true);
  }

  /** What windows that are still open add until `now`. Changes nothing. */
  provisional(open: Iterable<OpenWindow>, now: number): Provisional {
    const out = new Map<StallTotals, StallTotals>();
    const longest = new Map<Hold, Map<StallTotals, { exact: number; bound: number }>>();
    const raise = (moment: Moment, to: StallTotals, ns: number): void => {
      const { hold } = moment;
      const side = moment.exact ? 'exact' : 'bound';
      let best = longest.get(hold);
      if (best === undefined) {
        best = new Map();
        longest.set(hold, best);
      }
      let was = best.get(to);
      if (was === undefined) {
        was = { exact: hold.exact?.get(to) ?? 0, bound: hold.bound?.get(to) ?? 0 };
        best.set(to, was);
      }
      if (ns <= was[side]) return;
      let sums = out.get(to);
      if (sums === undefined) {
        sums = new StallTotals();
        out.set(to, sums);
      }
      sums[moment.exact ? 'exactNs' : 'boundNs'] += ns - was[side];
      if (was[side] === 0) sums[moment.exact ? 'exactHolds' : 'boundHolds']++;
      was[side] = ns;
    };
    for (const { at, start, process } of open) {
      const watch = this.#mms.get(at.mm);
      if (watch === undefined || watch.latestMoment < start) continue;
      for (const moment of watch.moments) {
        if (!within(moment, start, now, at)) continue;
        raise(moment, this.all, now - moment.time);
        raise(moment, process, now - moment.time);
      }
    }
    return out;
  }

  #came(hold: Hold, time: number, lo: number, hi: number, exact: boolean): void {
    const watch = this.#watch(hold.mm, time);
    if (time < watch.windowsLostTo) this.lateMoments++;
    let moment = watch.moments[watch.nextMoment];
    if (moment === undefined) {
      moment = { time, lo, hi, exact, hold };
      watch.moments[watch.nextMoment] = moment;
    } else {
      watch.momentsLostTo = Math.max(watch.momentsLostTo, moment.time);
      moment.time = time;
      moment.lo = lo;
      moment.hi = hi;
      moment.exact = exact;
      moment.hold = hold;
    }
    watch.nextMoment = (watch.nextMoment + 1) % this.#maxMoments;
    if (time > watch.latestMoment) watch.latestMoment = time;
    if (time >= watch.latestEnd) return;
    for (const window of watch.windows) {
      if (!within(moment, window.start, window.end, window.at)) continue;
      this.#stall(moment, window.end, window.cause, window.process, window.tid);
    }
  }

  #stall(moment: Moment, end: number, cause: StallTotals, process: StallTotals, tid: number): void {
    const ns = end - moment.time;
    for (const to of [this.all, cause, process]) if (raise(moment, to, ns)) this.#onStall?.(to, ns, moment, tid);
  }

  #watch(mm: number, now: number): MmWatch {
    let watch = this.#mms.get(mm);
    if (watch === undefined) {
      watch = new MmWatch(this.#lostTo);
      const { evicted } = this.#mms;
      this.#mms.set(mm, watch);
      if (this.#mms.evicted > evicted) this.#lostTo = now;
    }
    watch.touched = ++this.#clock;
    return watch;
  }
}

/** A writer that stalls once in a hold is late for all that follows in it: the longest of its stalls is the whole. */
function raise({ hold, exact }: Moment, to: StallTotals, ns: number): boolean {
  let longest = exact ? hold.exact : hold.bound;
  if (longest === null) {
    longest = new Map();
    if (exact) hold.exact = longest;
    else hold.bound = longest;
  }
  const was = longest.get(to) ?? 0;
  if (ns <= was) return false;
  longest.set(to, ns);
  if (exact) {
    to.exactNs += ns - was;
    if (was === 0) to.exactHolds++;
  } else {
    to.boundNs += ns - was;
    if (was === 0) to.boundHolds++;
  }
  return true;
}
