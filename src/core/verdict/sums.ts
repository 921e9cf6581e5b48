// SPDX-License-Identifier: MIT
/** What faults would save under a policy, summed over all of them, over a cause's, or over a process's. */
import { Histogram } from '../aggregate/histogram.js';
import type { Course, FaultVerdict, Under } from './outcome.js';
import { ALTERNATIVES, type Alternative } from './policies.js';
import { StallSums } from './policy-stalls.js';

const COURSES: readonly Course[] = ['vma', 'same', 'vain', 'either', 'unknown'];

export class UnderSums {
  readonly courses: Record<Course, number> = Object.fromEntries(COURSES.map((course) => [course, 0])) as Record<
    Course,
    number
  >;
  /** Of the faults whose saving is known, its two ends; those that save nothing are among them. */
  readonly least: Histogram = new Histogram();
  readonly most: Histogram = new Histogram();
  /** Why a saving is an interval or is not known, in words: how many faults. */
  readonly why: Map<string, number> = new Map();
  readonly stall: StallSums = new StallSums();
  /** Of faults that came while a writer is sure to stall for their VMA: how long they would queue behind it. */
  readonly lost: Histogram = new Histogram();
  /** And while one may stall; of those as well that would be over sooner, and whose threads may come again then. */
  readonly lostMost: Histogram = new Histogram();

  add({ course, saved, why }: Under): void {
    this.courses[course]++;
    if (saved !== null) {
      this.least.record(saved.lo);
      this.most.record(saved.hi);
    }
    // An interval of no width says all there is to say.
    if (why !== '' && (saved === null || saved.lo < saved.hi)) this.why.set(why, (this.why.get(why) ?? 0) + 1);
  }
}

export class VerdictSums {
  retries = 0;
  /** Time that these faults took, from first to last step, ns. */
  totalNs = 0;
  /** Queued for mmap_lock today; `queuedUnknown` faults are not among them. */
  readonly queuedLeast: Histogram = new Histogram();
  readonly queuedMost: Histogram = new Histogram();
  queuedUnknown = 0;
  lookupNs = 0;
  /** Waits of later attempts that a second try would have spent under the VMA lock. */
  laterWaits = 0;
  readonly under: Readonly<Record<Alternative, UnderSums>> = Object.fromEntries(
    ALTERNATIVES.map((name) => [name, new UnderSums()]),
  ) as Record<Alternative, UnderSums>;

  /** What it would save is added apart, to `under`. */
  add(fault: FaultVerdict, tookNs: number): void {
    this.retries++;
    this.totalNs += tookNs;
    if (fault.queued === null) this.queuedUnknown++;
    else {
      this.queuedLeast.record(fault.queued.lo);
      this.queuedMost.record(fault.queued.hi);
    }
    this.lookupNs += fault.lookupNs;
    this.laterWaits += fault.later.length;
  }
}
