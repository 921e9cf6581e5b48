// SPDX-License-Identifier: MIT
/**
 * Faults that come for a VMA while a writer stalls for it: lock_vma_under_rcu refuses them, and they queue for the mmap_lock
 * that the writer has until its stall is over. Both are kept, up to a number of each, and compared at the end.
 */
import type { Histogram } from '../aggregate/histogram.js';
import { type Faulted, mayLock } from '../aggregate/stalls.js';

const MAX_STALLS = 65_536;
const MAX_ARRIVALS = 65_536;

/** A writer that stalls from `from` to `to`, ns of the session; `lo`, `hi`, `exact` as in `Moment`. */
export interface WriterStall {
  readonly tid: number;
  readonly mm: number;
  readonly from: number;
  readonly to: number;
  readonly lo: number;
  readonly hi: number;
  readonly exact: boolean;
}

/** What a fault that came is summed into: behind stalls that are sure to be, and behind all that may. */
export interface Lost {
  readonly least: readonly Histogram[];
  readonly most: readonly Histogram[];
}

interface Arrival {
  readonly at: Faulted;
  readonly time: number;
  readonly lost: Lost;
}

/** In the order they have. */
export function byMm<T>(rows: readonly T[], mmOf: (row: T) => number): Map<number, T[]> {
  const found = new Map<number, T[]>();
  for (const row of rows) {
    const of = found.get(mmOf(row));
    if (of === undefined) found.set(mmOf(row), [row]);
    else of.push(row);
  }
  return found;
}

/** In the order of their beginnings; a writer that stalls does not come once more meanwhile. */
function possible(stalls: readonly WriterStall[]): WriterStall[] {
  const until = new Map<number, number>();
  return [...stalls]
    .sort((x, y) => x.from - y.from)
    .filter(({ tid, from, to }) => {
      if (from < (until.get(tid) ?? Number.NEGATIVE_INFINITY)) return false;
      until.set(tid, to);
      return true;
    });
}

export class BehindStalls {
  /** Stalls and faults for which there was no room: more may be lost. */
  forgotten = 0;
  readonly #exact: boolean;
  readonly #stalls: WriterStall[] = [];
  readonly #arrivals: Arrival[] = [];

  /** `exact`: every writer's VMA is seen; else those that are exact are among the others once more. */
  constructor(exact: boolean) {
    this.#exact = exact;
  }

  stalled(stall: WriterStall): void {
    if (this.#stalls.length < MAX_STALLS) this.#stalls.push(stall);
    else this.forgotten++;
  }

  /** A fault came at `time`. */
  arrived(at: Faulted, time: number, lost: Lost): void {
    if (this.#arrivals.length < MAX_ARRIVALS) this.#arrivals.push({ at, time, lost });
    else this.forgotten++;
  }

  /** Records what each fault would lose, ns, in what it is summed into; faults that lose nothing in none. */
  finish(): void {
    const arrivals = [...byMm(this.#arrivals, ({ at }) => at.mm)];
    const sure = byMm(
      this.#stalls.filter(({ exact }) => exact),
      ({ mm }) => mm,
    );
    const all = byMm(
      this.#stalls.filter(({ exact }) => exact === this.#exact),
      ({ mm }) => mm,
    );
    for (const [mm, came] of arrivals) {
      came.sort((x, y) => x.time - y.time);
      lose(possible(sure.get(mm) ?? []), came, 'least');
      lose(possible(all.get(mm) ?? []), came, 'most');
    }
    this.#stalls.length = 0;
    this.#arrivals.length = 0;
  }
}

/** Both in the order of time. */
function lose(stalls: readonly WriterStall[], arrivals: readonly Arrival[], side: keyof Lost): void {
  let next = 0;
  let open: WriterStall[] = [];
  for (const { at, time, lost } of arrivals) {
    while ((stalls[next]?.from ?? Number.POSITIVE_INFINITY) < time) open.push(stalls[next++] as WriterStall);
    open = open.filter(({ to }) => to > time);
    const until = open.reduce((most, stall) => (stall.to > most && mayLock(stall, at) ? stall.to : most), time);
    if (until > time) for (const sums of lost[side]) sums.record(until - time);
  }
}
