// SPDX-License-Identifier: MIT
/** What a view says of one lifecycle, derived from its attempts and waits. All durations are ns. */
import { type Attempt, type Interval, type Lifecycle, type LockKind, MOST_KEPT } from '../lifecycle/lifecycle.js';
import type { Cause } from '../vocabulary/causes.js';
import type { WaitKind } from '../vocabulary/waits.js';

/** Cause of the first attempt that did not do; null when every attempt did. */
export function causeOf(lifecycle: Lifecycle): Cause | null {
  for (const attempt of lifecycle.attempts) if (attempt.cause !== null) return attempt.cause;
  return null;
}

/** Attempts, aborted ones too. */
export function triesOf({ attempts, leftOut }: Lifecycle): number {
  return attempts.length + (leftOut?.attempts ?? 0);
}

/** Attempts that returned RETRY. */
export function retriesOf({ attempts, leftOut }: Lifecycle): number {
  return attempts.filter(({ outcome }) => outcome === 'retry').length + (leftOut?.retries ?? 0);
}

/** Which attempt of the fault, or wait, the one at `i` of those kept is; from 0. */
export function placeOf({ leftOut }: Lifecycle, of: 'attempts' | 'waits', i: number): number {
  return leftOut !== null && i >= MOST_KEPT / 2 ? i + leftOut[of] : i;
}

export function hasWait({ waits, leftOut }: Lifecycle, kind: WaitKind): boolean {
  return waits.some((wait) => wait.kind === kind) || leftOut?.waited.has(kind) === true;
}

/** Time spent in waits of one kind, up to `now` for a wait that lasts; NaN when an end was lost, 0 without any wait. */
export function waited(lifecycle: Lifecycle, kind: WaitKind, now: number): number {
  let ns = lifecycle.leftOut?.waited.get(kind)?.ns ?? 0;
  for (const wait of lifecycle.waits) {
    if (wait.kind !== kind) continue;
    const lasts = Number.isNaN(wait.end) && lifecycle.how === 'in-flight';
    ns += (lasts ? Math.max(now, wait.start) : wait.end) - wait.start;
  }
  return ns;
}

/** Length of the fault: an interval, because its beginning is exact only where lock_vma_under_rcu is hooked. */
export function lasted(lifecycle: Lifecycle, now: number): Interval {
  const end = Number.isNaN(lifecycle.end) ? (lifecycle.how === 'in-flight' ? now : lifecycle.last) : lifecycle.end;
  const { lo, hi } = lifecycle.start;
  return { lo: Math.max(0, end - hi), hi: Number.isFinite(lo) ? Math.max(0, end - lo) : Number.POSITIVE_INFINITY };
}

/** The fault lock a fault in flight holds now. A RETRY means the callee has let go of it (include/linux/mm_types.h). */
export function heldNow(lifecycle: Lifecycle): LockKind | 'none' | 'unknown' {
  const wait = lifecycle.waits.at(-1);
  if (wait !== undefined && Number.isNaN(wait.end)) return wait.held;
  const attempt: Attempt | undefined = lifecycle.attempts.at(-1);
  if (attempt === undefined) return 'unknown';
  if (attempt.outcome === 'pending') return attempt.lock;
  return attempt.outcome === 'unknown' ? 'unknown' : 'none';
}

/** How a lock is named in every view. */
export function lockName(lock: LockKind | 'none' | 'unknown'): string {
  return lock === 'vma' ? 'VMA lock' : lock === 'mmap' ? 'mmap_lock' : lock;
}
