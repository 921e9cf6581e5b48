// SPDX-License-Identifier: MIT
/** What became of attempts under the VMA lock, by the kernel side's counters, and what /proc/vmstat says of the same faults. */

import { VlCounter } from '../../schema/events.gen.js';
import { isHooked, type SessionInfo } from '../events/session.js';

/** What the VMA does not permit ends here, without handle_mm_fault. */
export const ACCESS_ERROR_HOOK = 'bad_area_access_error';

export interface VmaLockCounts {
  readonly success: number;
  readonly retry: number;
  readonly completed: number;
  readonly abort: number;
  readonly error: number;
  /** Faults the VMA does not permit, which the kernel counts as successes; null where nothing shows them. */
  readonly accessError: number | null;
}

/** Lines of /proc/vmstat (CONFIG_PER_VMA_LOCK_STATS) that count faults: `CounterGroup.Vmstat` has two rows for each. */
export const VMSTAT_LINES = ['vma_lock_success', 'vma_lock_abort', 'vma_lock_retry'] as const;
export type VmstatLine = (typeof VMSTAT_LINES)[number];

export interface VmstatRow {
  readonly line: VmstatLine;
  /** Faults counted here, those of the tool itself included. */
  readonly counted: number;
  /** What the line grew by over the session: it was read before and after both of its ends, and lies between the two. */
  readonly least: number;
  readonly most: number;
  /** `counted` beyond these: positive when more were counted here; 0: equal. */
  readonly difference: number;
  /** Why they differ, as far as it is known; '' when they do not. */
  readonly why: string;
}

type Counter = (counter: number) => number;

export function vmaLockCounts(session: SessionInfo, kernel: Counter): VmaLockCounts {
  return {
    success: kernel(VlCounter.VMA_OK),
    retry: kernel(VlCounter.VMA_RETRY),
    completed: kernel(VlCounter.VMA_COMPLETED),
    abort: kernel(VlCounter.ABORT),
    error: kernel(VlCounter.VMA_ERROR),
    accessError: isHooked(session, ACCESS_ERROR_HOOK) ? kernel(VlCounter.ACCESS_ERROR) : null,
  };
}

/** Attempts that had the VMA lock. */
export function vmaAttempts({ success, retry, completed, error, accessError }: VmaLockCounts): number {
  return success + retry + completed + error + (accessError ?? 0);
}

/** `stat -p` and its like count some faults; the kernel counts all. */
const PARTIAL = ['pid', 'tid', 'comm', 'cgroup', 'follow'];

function whyDifferent(line: VmstatLine, difference: number, session: SessionInfo, missed: number): string {
  if (Object.keys(session.filters).some((filter) => PARTIAL.includes(filter)))
    return 'only some processes were counted here';
  if (difference < 0 && missed > 0) return `${missed} program runs were missed`;
  if (line === 'vma_lock_success' && difference < 0 && !isHooked(session, ACCESS_ERROR_HOOK))
    return 'access errors under the VMA lock are not seen here';
  if (line === 'vma_lock_abort' && difference < 0)
    return 'the kernel counts here others as well that found no VMA lock to take: userfaultfd, madvise, readers of /proc/PID/maps';
  return 'not known';
}

/**
 * null where the kernel has no such lines, or while the session lasts. `vmstat`: of `CounterGroup.Vmstat`. `failedAgain`:
 * faults whose lookup for a second try found no VMA lock to take; lock_vma_under_rcu counts each as an abort.
 */
export function reconcile(
  session: SessionInfo,
  counts: VmaLockCounts,
  kernel: Counter,
  vmstat: Float64Array,
  { missed, failedAgain }: { readonly missed: number; readonly failedAgain: number },
): readonly VmstatRow[] | null {
  if (vmstat.some(Number.isNaN)) return null;
  const counted: Readonly<Record<VmstatLine, number>> = {
    vma_lock_success: vmaAttempts(counts) - counts.retry + kernel(VlCounter.SELF_OK),
    vma_lock_abort: counts.abort + failedAgain + kernel(VlCounter.SELF_ABORT),
    vma_lock_retry: counts.retry + kernel(VlCounter.SELF_RETRY),
  };
  return VMSTAT_LINES.map((line, i) => {
    const least = vmstat[2 * i] ?? 0;
    const most = vmstat[2 * i + 1] ?? 0;
    const difference = Math.max(0, counted[line] - most) - Math.max(0, least - counted[line]);
    const why = difference === 0 ? '' : whyDifferent(line, difference, session, missed);
    return { line, counted: counted[line], least, most, difference, why };
  });
}
