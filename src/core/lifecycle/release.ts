// SPDX-License-Identifier: MIT
/**
 * When an attempt gave its lock back. No stock kernel from 6.15 on marks it for the VMA lock, so it is bounded by the
 * steps around it:
 *   R1 __folio_lock_or_retry entered → first sleep inside, else its return   (the lock is dropped before the wait)
 *   R2 handle_mm_fault returned, lock kept → next step of the task           (the arch code drops it a few instructions on;
 *      so it is after bad_area_access_error was entered)
 *   R3 __vmf_anon_prepare gave up → its caller's return, else handle_mm_fault's (the inline wrapper drops it)
 *   R4 do_swap_page entered → returned, for a device-private entry and a refusal
 *   R5 handle_userfault entered → returned
 *   R6 filemap_fault or shmem_fault entered → filemap_fault's first sleep or read, else its return
 * Anything else ('none') lies between the last step before the first RETRY seen and that RETRY, or before COMPLETED.
 * mmap_lock's release is seen where its tracepoint is hooked ('exact').
 */

import { type AttemptRecord, Innermost } from './attempt-record.js';
import type { Interval, ReleaseRule } from './lifecycle.js';

function set(attempt: AttemptRecord, rule: ReleaseRule, lo: number, hi: number): void {
  attempt.rule = rule;
  // Nothing was seen before: a lock is not given back before it is had.
  const from = Number.isFinite(lo) ? lo : attempt.acquired.lo;
  attempt.released = { lo: Number.isNaN(from) ? Number.NEGATIVE_INFINITY : from, hi };
}

/** The release was seen: the only word on it, where it cannot be of another lock. */
export function releasedExactly(attempt: AttemptRecord): void {
  attempt.rule = 'exact';
  attempt.released = { lo: attempt.exactRelease, hi: attempt.exactRelease };
}

function isSeen(attempt: AttemptRecord): boolean {
  return attempt.lock === 'mmap' && !Number.isNaN(attempt.exactRelease);
}

/** The lock outlived handle_mm_fault, which returned at `time`. `hi` is filled by the task's next step (`boundRelease`). */
export function releasedAfter(attempt: AttemptRecord, time: number): void {
  if (isSeen(attempt)) releasedExactly(attempt);
  else set(attempt, 'R2', time, Number.POSITIVE_INFINITY);
}

/** The next step of the task after an attempt that kept its lock. */
export function boundRelease(attempt: AttemptRecord, time: number): void {
  const { lo } = attempt.released;
  // Programs of one task may read the clock in another order than they send (an abandonment is sent late).
  attempt.released = { lo, hi: Math.max(lo, time) } satisfies Interval;
}

/** COMPLETED: fault_dirty_shared_page dropped the lock, somewhere after the last step. */
export function releasedWithin(attempt: AttemptRecord, previous: number, time: number): void {
  if (isSeen(attempt)) releasedExactly(attempt);
  else set(attempt, 'none', previous, time);
}

/**
 * RETRY: `time` is handle_mm_fault's return, or the step that proves it. `outlived`: on 6.4 and 6.5 the arch code
 * gives the VMA lock back after every handle_mm_fault, RETRY included.
 */
export function releasedByRetry(attempt: AttemptRecord, time: number, outlived: boolean): void {
  const { first, innerAt, innerLo } = attempt;
  const hi = Number.isNaN(attempt.innerHi) ? time : attempt.innerHi;
  if (isSeen(attempt)) {
    releasedExactly(attempt);
    return;
  }
  if (outlived && attempt.lock === 'vma') {
    set(attempt, 'R2', time, Number.POSITIVE_INFINITY);
    return;
  }
  switch (first) {
    case Innermost.Flor:
      setInside(attempt, 'R1', innerAt, innerLo, hi);
      return;
    case Innermost.Uffd:
      setInside(attempt, 'R5', innerAt, innerLo, hi);
      return;
    case Innermost.Filemap:
    case Innermost.Shmem:
      setInside(attempt, 'R6', innerAt, innerLo, hi);
      return;
    case Innermost.Anon:
      set(attempt, 'R3', innerAt, hi);
      return;
    default:
      if (first === Innermost.Swap && attempt.cause !== 'unknown') set(attempt, 'R4', attempt.swapAt, hi);
      else set(attempt, 'none', innerLo, hi);
  }
}

/** Without the entry, the step before the first one seen inside is what is known. */
function setInside(attempt: AttemptRecord, rule: ReleaseRule, entered: number, before: number, hi: number): void {
  if (Number.isNaN(entered)) set(attempt, 'none', before, hi);
  else set(attempt, rule, entered, hi);
}
