// SPDX-License-Identifier: MIT
/** Releases of the VMA lock by the rule they were derived with, and how the exact ones compare. */
import type { AttemptRecord } from '../lifecycle/attempt-record.js';
import { ReleaseSums } from './sums.js';

export class Releases {
  readonly byRule: Map<string, ReleaseSums> = new Map();

  /** An attempt under the VMA lock is over. */
  settled(attempt: AttemptRecord): void {
    const sums = this.#of(attempt);
    sums.count++;
    const width = attempt.released.hi - attempt.released.lo;
    if (Number.isFinite(width)) sums.width.record(width);
    else sums.unbounded++;
    if (!Number.isNaN(attempt.exactRelease)) sums.check(attempt);
  }

  /** Its upper bound became known later. */
  bounded(attempt: AttemptRecord): void {
    const sums = this.#of(attempt);
    sums.unbounded--;
    sums.width.record(attempt.released.hi - attempt.released.lo);
  }

  /** Its exact release became known later. */
  exact(attempt: AttemptRecord): void {
    this.#of(attempt).check(attempt);
  }

  #of(attempt: AttemptRecord): ReleaseSums {
    let sums = this.byRule.get(attempt.rule);
    if (sums === undefined) {
      sums = new ReleaseSums();
      this.byRule.set(attempt.rule, sums);
    }
    return sums;
  }
}
