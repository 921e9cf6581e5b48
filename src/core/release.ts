// SPDX-License-Identifier: MIT
/**
 * When an attempt gave its lock back. No stock kernel from 6.15 on marks it, so it is bounded by the steps around it:
 *   R1 __folio_lock_or_retry entered → first sleep inside, else its return   (the lock is dropped before the wait)
 *   R2 handle_mm_fault returned, lock kept → next step of the task           (the arch code drops it a few instructions on)
 *   R3 __vmf_anon_prepare returned RETRY → handle_mm_fault returned          (the inline wrapper drops it)
 *   R4 do_swap_page entered → returned, for a device-private entry
 *   R5 handle_userfault entered → returned
 * Anything else ('none') lies between the last step before the first RETRY seen and that RETRY.
 */
import type { Interval, ReleaseRule } from './lifecycle.js';
import { type AttemptRecord, Innermost } from './record.js';

function set(attempt: AttemptRecord, rule: ReleaseRule, lo: number, hi: number): void {
  attempt.rule = rule;
  // Nothing was seen before: a lock is not given back before it is had.
  const from = Number.isFinite(lo) ? lo : attempt.acquired.lo;
  attempt.released = { lo: Number.isNaN(from) ? Number.NEGATIVE_INFINITY : from, hi };
}

/** The lock outlived handle_mm_fault, which returned at `time`. `hi` is filled by the task's next step (`boundRelease`). */
export function releasedAfter(attempt: AttemptRecord, time: number): void {
  set(attempt, 'R2', time, Number.POSITIVE_INFINITY);
}

/** The next step of the task after an attempt that kept its lock. */
export function boundRelease(attempt: AttemptRecord, time: number): void {
  const { lo } = attempt.released;
  // Programs of one task may read the clock in another order than they send (an abandonment is sent late).
  attempt.released = { lo, hi: Math.max(lo, time) } satisfies Interval;
}

/** COMPLETED: fault_dirty_shared_page dropped the lock, somewhere after the last step. */
export function releasedWithin(attempt: AttemptRecord, previous: number, time: number): void {
  set(attempt, 'none', previous, time);
}

/** RETRY: `time` is handle_mm_fault's return, or the step that proves it. */
export function releasedByRetry(attempt: AttemptRecord, time: number): void {
  const { first, innerAt, innerLo } = attempt;
  const hi = Number.isNaN(attempt.innerHi) ? time : attempt.innerHi;
  switch (first) {
    case Innermost.Flor:
    case Innermost.Uffd:
      // Without the entry, the step before the first one seen inside is what is known.
      if (Number.isNaN(innerAt)) set(attempt, 'none', innerLo, hi);
      else set(attempt, first === Innermost.Flor ? 'R1' : 'R5', innerAt, hi);
      return;
    case Innermost.Anon:
      set(attempt, 'R3', innerAt, time);
      return;
    default:
      if (attempt.cause === 'device-private') set(attempt, 'R4', attempt.swapAt, hi);
      else set(attempt, 'none', innerLo, hi);
  }
}
