// SPDX-License-Identifier: MIT
/** What a rebuilt fault is. Times are ns since the session's base; durations are ns. */

import type { Cause } from '../vocabulary/causes.js';
import type { VerdictKind } from '../vocabulary/verdicts.js';
import type { WaitKind } from '../vocabulary/waits.js';

/** A time known to lie in [lo, hi]. Where nothing seen bounds it, `hi` is Infinity and `lo` -Infinity. */
export interface Interval {
  readonly lo: number;
  readonly hi: number;
}

/** How a lifecycle ended (design: every lifecycle has exactly one of these). */
export const ENDS = ['ok-vma', 'ok-mmap', 'completed', 'error', 'signal', 'incomplete', 'in-flight'] as const;
export type End = (typeof ENDS)[number];

export interface Verdict {
  readonly kind: VerdictKind;
  /** Why unknown: a few words; else ''. */
  readonly why: string;
  /** Writers that held the mm's mmap_lock between the attempt and the fallback; -1 when not known. */
  readonly mmWriters: number;
  /** Who write-locked the VMA, or the mm's latest writer meanwhile; null when none or not known. */
  readonly writer: { readonly tid: number; readonly syscall: number; readonly exact: boolean } | null;
}

/** Rule of the kernel model by which a release time was found (section 4.1), `exact` when it was seen. */
export type ReleaseRule = 'exact' | 'R1' | 'R2' | 'R3' | 'R4' | 'R5' | 'R6' | 'R7' | 'R8' | 'R9' | 'none';

export type LockKind = 'vma' | 'mmap';

export interface Attempt {
  readonly lock: LockKind;
  /** When the lock was acquired: exact (lo === hi) or bounded. */
  acquired: Interval;
  /** When it was given back, by the derived rules; for an ML attempt that ended normally: R2's analogue after handle_mm_fault. */
  released: Interval;
  rule: ReleaseRule;
  /** Release time as seen by a VL_VMA_RELEASE or VL_MM_RELEASED step; NaN when there was none. */
  exactRelease: number;
  /** handle_mm_fault's flags and result; -1 when that step was not seen. */
  flags: number;
  ret: number;
  outcome: 'ok' | 'retry' | 'completed' | 'error' | 'abort' | 'unknown' | 'pending';
  cause: Cause | null;
  /** Innermost hooked kernel function that first returned RETRY; '' when the attempt did not retry. */
  innermost: string;
  /** The counterfactual; null unless this is a VMA-lock attempt that returned RETRY and its fallback was seen. */
  verdict: Verdict | null;
  /** vma->vm_ops->fault as found at the fallback, where the cause needed it: a kernel address; else 0n. */
  faultHandler: bigint;
  /** Which folio __folio_lock_or_retry found locked (equal numbers: the same folio at about the same time); 0 not known. */
  folio: number;
  /** Stacks taken of it (`VL_STACK`), by id; -1 none. */
  kernelStack: number;
  userStack: number;
}

export interface Wait {
  readonly kind: WaitKind;
  /** Which lock the task held meanwhile. */
  readonly held: 'vma' | 'mmap' | 'none' | 'unknown';
  readonly start: number;
  /** NaN while it lasts, or when the end was lost. */
  end: number;
  /** Folio and file waits: whether the task was seen to sleep (a wait may end without). */
  slept: boolean;
  /** mmapLock: when its trylock failed and it began to queue; NaN when it got the lock at once, or this was not seen. */
  contended: number;
  /** mmapLock: tid of the holder it found then, 0 not known. */
  holder: number;
}

/**
 * So many of its attempts a fault keeps, and of its waits: the first half and the latest. Who handles a userfault decides how often it
 * returns RETRY, and the fold may follow 65 536 faults at a time.
 */
export const MOST_KEPT = 64;

export interface LeftOut {
  readonly attempts: number;
  /** Of these, those that returned RETRY. */
  readonly retries: number;
  readonly waits: number;
  /** Of these, by kind; `ns`: NaN where one lasted, or its end was lost. */
  readonly waited: ReadonlyMap<WaitKind, { readonly count: number; readonly ns: number }>;
}

export interface Lifecycle {
  /** fault_cpu * 2^32 + fault. Unique within a session. */
  readonly id: number;
  readonly tid: number;
  tgid: number;
  /** The thread's own name. */
  comm: string;
  /** Its process's, as far as it was known when the fault began. */
  processName: string;
  cgroup: number;
  mm: number;
  address: number;
  vmaStart: number;
  vmaEnd: number;
  vmFlags: bigint;
  pte: bigint;
  depth: number;
  /** Where the fault came from: user mode, kernel mode on a user address, or get_user_pages and its like. */
  origin: 'user' | 'kernel' | 'gup' | 'unknown';
  /** First and latest step seen. */
  first: number;
  last: number;
  /** Beginning of the fault: exact when lock_vma_under_rcu was hooked, else [-Infinity, first]. */
  start: Interval;
  /** NaN while in flight. */
  end: number;
  how: End;
  /** Without those of `leftOut`, which are of the middle. */
  readonly attempts: Attempt[];
  readonly waits: Wait[];
  /** How many there were besides; null: none. */
  readonly leftOut: LeftOut | null;
  /** null until get_swap_device was seen inside do_swap_page. */
  swap: { readonly type: number; readonly synchronous: boolean; readonly missing: boolean } | null;
  enteredSwap: boolean;
  major: boolean;
  /** What is missing, in words: `step 3 lost`, `first step lost`, `handle_mm_fault exit missed`. Empty when whole. */
  readonly lost: string[];
  /** What the fault is doing now, for views of faults in flight. */
  state: string;
}
