// SPDX-License-Identifier: MIT
/** What a rebuilt fault is. Times are ns since the session's base; durations are ns. */

/** A time known to lie in [lo, hi]. `hi` is Infinity when nothing seen bounds it, `lo` is -Infinity likewise. */
export interface Interval {
  readonly lo: number;
  readonly hi: number;
}

/** How a lifecycle ended (design: every lifecycle has exactly one of these). */
export const ENDS = ['ok-vma', 'ok-mmap', 'completed', 'error', 'signal', 'incomplete', 'in-flight'] as const;
export type End = (typeof ENDS)[number];

/** Why an attempt returned RETRY: the innermost function that first did, with its evidence (kernel model, section 6). */
export const RETRY_CAUSES = [
  /** __folio_lock_or_retry inside do_swap_page; this fault started the read itself (VM_FAULT_MAJOR). */
  'folio locked: own read',
  /** The same; the folio was not up to date: another fault's read is under way. */
  'folio locked: other read',
  /** The same; the folio was up to date: swap-out's writeback, migration, reclaim or another holder has it. */
  'folio locked: other holder',
  /** The same; the state of the folio was not seen. */
  'folio locked',
  /** __folio_lock_or_retry inside do_swap_page without get_swap_device: a device-exclusive entry. */
  'device-exclusive',
  /** do_swap_page returned RETRY before get_swap_device, without __folio_lock_or_retry, or do_huge_pmd_device_private did. */
  'device-private',
  /** 6.4 and 6.5: swap faults are refused under the VMA lock. */
  'swap refused',
  /** __vmf_anon_prepare: no anon_vma yet, and mmap_lock was busy. */
  'anon_vma',
  /** The same in hugetlb_fault. */
  'hugetlb',
  /** vmf_can_call_fault: vm_ops without map_pages, so ->fault needs mmap_lock. */
  '->fault needs mmap_lock',
  /** filemap_fault: not in the page cache, a read was started (VM_FAULT_MAJOR). */
  'file: cache miss',
  /** filemap_fault: asynchronous readahead was started, for which the lock is dropped. */
  'file: readahead',
  /** filemap_fault: the folio was not up to date and was read. */
  'file: not up to date',
  /** filemap_fault, and none of the above: it waited for the folio's lock. */
  'file: page lock',
  /** shmem_fault: a hole was being punched (or the folio's lock awaited). */
  'shmem: hole punch',
  'userfault: missing',
  'userfault: write-protect',
  'userfault: minor',
  /** handle_userfault, reason not seen or of a later kernel. */
  'userfault',
  /** ->fault of a driver or file system; `Attempt.faultHandler` is its address. */
  'driver or file system',
  /** A fatal signal ended the wait of a later try. */
  'signal',
  /** RETRY, and none of the above was seen. `Attempt.innermost` says the innermost hooked function that returned it. */
  'unknown',
] as const;
export type RetryCause = (typeof RETRY_CAUSES)[number];

/** Why lock_vma_under_rcu gave no VMA (kernel model, section 1.2), from what the fallback found. */
export const ABORT_CAUSES = [
  /** No VMA at the address: the fault ends in SIGSEGV. */
  'VMA absent',
  /** No VMA at the address; the fallback grew the stack. */
  'stack growth',
  /** A writer holds or held the mm, and it write-locked this VMA (or made it). */
  'VMA write-locked',
  /** A writer held the mm when the fallback began; whether it had locked this VMA is not known. */
  'writer in the mm',
  /** None of the above was seen: detached, range changed, or too many readers. */
  'VMA lock unavailable',
] as const;
export type AbortCause = (typeof ABORT_CAUSES)[number];

export const CAUSES: readonly Cause[] = [...RETRY_CAUSES, ...ABORT_CAUSES];
export type Cause = RetryCause | AbortCause;

/**
 * The counterfactual of an attempt that returned RETRY: would another try under the VMA lock have done?
 * Judged at the fallback under mmap_lock, against what was read while the VMA lock was held.
 */
export const VERDICTS = [
  /** The same VMA covers the address and was not write-locked since: a retry under the VMA lock would have got it. */
  'avoidable',
  /** The VMA was write-locked since. */
  'write-locked',
  /** Another VMA covers the address now. */
  'replaced',
  /** No VMA covers it now. */
  'gone',
  /** The kernel does not handle this fault under the VMA lock at all (->fault needs mmap_lock, device-private). */
  'by design',
  'unknown',
] as const;
export type VerdictKind = (typeof VERDICTS)[number];

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
  /** When the lock was had: exact (lo === hi) or bounded. */
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
}

/**
 * What a fault waits for. `folio`: __folio_lock_or_retry. `file`, `shmem`: in filemap_fault, shmem_fault (entry to return).
 * `mmapLock`: lock_mm_and_find_vma (`Wait.contended`: from its failed trylock on). The others by enum vl_wait.
 */
export const WAIT_KINDS = [
  'folio',
  'mmapLock',
  'userfault',
  'file',
  'shmem',
  'syncRead',
  'swapin',
  'fileRead',
  'migration',
  'reclaim',
  'memcgReclaim',
] as const;
export type WaitKind = (typeof WAIT_KINDS)[number];

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

export interface Lifecycle {
  /** fault_cpu * 2^32 + fault. Unique within a session. */
  readonly id: number;
  readonly tid: number;
  tgid: number;
  comm: string;
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
  readonly attempts: Attempt[];
  readonly waits: Wait[];
  /** null until get_swap_device was seen inside do_swap_page. */
  swap: { readonly type: number; readonly synchronous: boolean; readonly missing: boolean } | null;
  enteredSwap: boolean;
  major: boolean;
  /** What is missing, in words: `step 3 lost`, `first step lost`, `handle_mm_fault exit missed`. Empty when whole. */
  readonly lost: string[];
  /** What the fault is doing now, for views of faults in flight. */
  state: string;
}
