// SPDX-License-Identifier: MIT
/**
 * What a fault can save at most by being over sooner, where a writer has locked its VMA while it was away. Under keep that writer
 * waits for the fault, and has the VMA locked at least until it gives mmap_lock back today. Whoever is over sooner and
 * comes to the VMA again before waits until then: saved is what its thread did between the two faults, and no more.
 * All is kept, up to a number of each, and compared at the end; where there was no room nothing is narrowed.
 */
import type { Hold } from '../aggregate/stall-hold.js';
import { type Faulted, mayLock, placeOf } from '../aggregate/stalls.js';
import { BoundedMap } from '../bounded/bounded-map.js';
import type { Interval, Lifecycle } from '../lifecycle/lifecycle.js';
import { byMm } from './behind-stalls.js';

const MAX_FAULTS = 65_536;
const MAX_LOCKED = 65_536;

interface Locked {
  readonly time: number;
  readonly lo: number;
  readonly hi: number;
  readonly hold: Hold;
}

interface Away {
  readonly at: Faulted;
  /** Over which keep holds the VMA lock. */
  readonly start: number;
  readonly end: number;
  /** When it had mmap_lock after its queue, and its last step. */
  readonly had: number;
  readonly last: number;
  /** From nothing on: how much of its queue is not known. */
  readonly saved: Interval;
  readonly add: (saved: Interval) => void;
  /** The next fault of its thread that was followed, and when it began. */
  next: { readonly at: Faulted; readonly first: number } | null;
}

/** When the one queue for mmap_lock of a fault was over; NaN: there were more, or it was not seen whole. */
function queuedUntil({ waits }: Pick<Lifecycle, 'waits'>): number {
  const queues = waits.filter(({ kind }) => kind === 'mmapLock');
  return queues.length === 1 && !Number.isNaN(queues[0]?.contended) ? (queues[0]?.end ?? Number.NaN) : Number.NaN;
}

export class ComesAgain {
  readonly #faults: Away[] = [];
  readonly #latest: BoundedMap<number, Away> = new BoundedMap(MAX_FAULTS, ({ last }) => last);
  readonly #locked: Locked[] = [];

  /** A fault whose VMA was locked meanwhile; `add` takes what it saves, now or at the end. */
  away(
    fault: Lifecycle,
    window: { readonly start: number; readonly end: number },
    saved: Interval,
    add: (saved: Interval) => void,
  ): void {
    const had = queuedUntil(fault);
    if (this.#faults.length >= MAX_FAULTS || !(had > window.end) || saved.hi === 0) {
      add(saved);
      return;
    }
    const { start, end } = window;
    const one = { at: placeOf(fault), start, end, had, last: fault.last, saved, add, next: null };
    this.#faults.push(one);
    this.#latest.set(fault.tid, one);
  }

  /** Each fault that is over, in the order of their ends. */
  closed(fault: Lifecycle): void {
    const before = this.#latest.get(fault.tid);
    if (before === undefined || fault.first < before.last) return;
    before.next = { at: placeOf(fault), first: fault.first };
    this.#latest.delete(fault.tid);
  }

  /** A writer came to the VMA [lo, hi) at `time`, and locked it until the end of its hold. */
  locked(hold: Hold, time: number, lo: number, hi: number): void {
    if (this.#locked.length < MAX_LOCKED) this.#locked.push({ time, lo, hi, hold });
  }

  finish(): void {
    const locked = byMm(
      this.#locked.sort((x, y) => x.time - y.time),
      ({ hold }) => hold.mm,
    );
    for (const one of this.#faults) one.add(narrowed(one, locked.get(one.at.mm) ?? []));
    this.#faults.length = 0;
    this.#locked.length = 0;
  }
}

/** `moments`: of its mm, in the order of time. */
function narrowed({ at, start, end, had, last, saved, next }: Away, moments: readonly Locked[]): Interval {
  if (next === null) return saved;
  let until = Number.NEGATIVE_INFINITY;
  for (let i = firstFrom(moments, start); i < moments.length; i++) {
    const { time, lo, hi, hold } = moments[i] as Locked;
    if (time >= end) break;
    const where = { lo, hi, exact: true };
    if (hold.released > until && mayLock(where, at) && mayLock(where, next.at)) until = hold.released;
  }
  return { lo: saved.lo, hi: Math.min(saved.hi, next.first - last + Math.max(0, had - until)) };
}

/** Index of the first one at `time` or later. */
function firstFrom(moments: readonly Locked[], time: number): number {
  let [lo, hi] = [0, moments.length];
  while (lo < hi) {
    const middle = (lo + hi) >>> 1;
    if ((moments[middle] as Locked).time < time) lo = middle + 1;
    else hi = middle;
  }
  return lo;
}
