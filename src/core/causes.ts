// SPDX-License-Identifier: MIT
/** Why an attempt returned RETRY: the innermost hooked function that first did. */
import type { FaultBits } from './fault-bits.js';
import type { Cause } from './lifecycle.js';
import { type AttemptRecord, Innermost } from './record.js';

const NAMES: readonly string[] = [
  '',
  '__folio_lock_or_retry',
  'handle_userfault',
  '__vmf_anon_prepare',
  'do_swap_page',
  'handle_mm_fault',
];

/**
 * Notes that `outer` returned RETRY (or is proven to have), `previous` being the step before and `time` its own.
 * A callee that was entered and whose return was not seen returned RETRY too: under the VMA lock
 * __folio_lock_or_retry never returns anything else, and the fault lock is gone once handle_userfault waits.
 */
export function noteRetry(attempt: AttemptRecord, outer: Innermost, previous: number, time: number): void {
  if (attempt.first !== Innermost.None) return;
  if (attempt.open !== Innermost.None) {
    attempt.first = attempt.open;
    return;
  }
  attempt.first = outer;
  attempt.innerLo = previous;
  attempt.innerHi = time;
}

/**
 * do_swap_page's own RETRY under the VMA lock, before get_swap_device, is a device-private entry.
 * A dropped step could have been the evidence against it.
 */
function isDevicePrivate(attempt: AttemptRecord, bits: FaultBits): boolean {
  return (
    attempt.lock === 'vma' &&
    !bits.refusesSwap &&
    !attempt.gap &&
    !Number.isNaN(attempt.swapAt) &&
    !attempt.deviceSeen &&
    !attempt.florSeen &&
    !attempt.uffdSeen
  );
}

/** Fills `cause` and `innermost` of an attempt that returned RETRY. */
export function classify(attempt: AttemptRecord, bits: FaultBits): void {
  attempt.innermost = NAMES[attempt.first] ?? '';
  attempt.cause = causeOf(attempt, bits);
}

function causeOf(attempt: AttemptRecord, bits: FaultBits): Cause {
  switch (attempt.first) {
    case Innermost.Flor:
      return 'folio locked';
    case Innermost.Uffd:
      return 'userfault';
    case Innermost.Anon:
      return 'anon_vma';
    case Innermost.Swap:
      return isDevicePrivate(attempt, bits) ? 'device-private' : 'unknown';
    default:
      return 'unknown';
  }
}
