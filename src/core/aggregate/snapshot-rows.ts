// SPDX-License-Identifier: MIT
/** Rows of a snapshot: what stands in its tables, and the figures they have in common. */

import type { End } from '../lifecycle/lifecycle.js';
import type { Cause } from '../vocabulary/causes.js';
import type { VerdictKind } from '../vocabulary/verdicts.js';
import type { LostSeries } from './lost-series.js';

/** A distribution of durations. Percentiles come from log-linear buckets (relative error stated by `precision`). */
export interface WaitStats {
  readonly count: number;
  readonly sumNs: number;
  readonly p50Ns: number;
  readonly p99Ns: number;
  readonly maxNs: number;
}

/** What faults did that were followed, summed. */
export interface WorkFigures {
  readonly lifecycles: number;
  readonly swap: number;
  readonly retries: number;
  readonly aborts: number;
  readonly inFlight: number;
  readonly folioWaitNs: number;
  readonly mmapWaitNs: number;
  readonly totalNs: number;
}

export interface ProcessRow extends WorkFigures {
  readonly tgid: number;
  readonly comm: string;
  readonly cgroup: number;
  /** Path of the cgroup, with the container's or unit's name before it where known; '' when not. */
  readonly cgroupName: string;
  /** Its faults that lost the VMA lock or had none, over time; null while there was none. */
  readonly lost: LostSeries | null;
}

/** Faults that began in a cgroup. */
export interface CgroupRow extends WorkFigures {
  readonly cgroup: number;
  readonly cgroupName: string;
  /**
   * `cgroupName` for those that keep a series of it, which is not to begin under one name and go on under another: null while the
   * name may still come, and '' for good where it came late.
   */
  readonly label: string | null;
  /** Processes whose latest fault was in it. */
  readonly processes: number;
}

/** One page of one process that retried: the herd on a folio, or a fault that makes no progress. */
export interface AddressRow {
  readonly tgid: number;
  readonly comm: string;
  readonly mm: number;
  readonly address: number;
  /** What the VMA around it maps (`Mapping`); '' where that is not known. */
  readonly mapping: string;
  readonly lifecycles: number;
  /** Attempts under the VMA lock that returned RETRY. */
  readonly retries: number;
  readonly byCause: Readonly<Partial<Record<Cause, number>>>;
  /** Of the retries, those whose mmap_lock attempt was seen as well. */
  readonly joined: number;
  readonly byEnd: Readonly<Partial<Record<End, number>>>;
}

export interface ProgramCost {
  readonly name: string;
  readonly target: string;
  readonly method: string;
  readonly missed: number;
  readonly runCount: number;
  readonly runTimeNs: number;
}

/** One side (read or write) of the mmap_lock table; from the kernel's own counters, so it holds whatever the ring lost. */
export interface MmapLockSide {
  /** Acquisitions that succeeded. */
  readonly acquired: number;
  /** From asking for it to having it, summed. */
  readonly waitNs: number;
  /** Acquisitions by that time: under 1 µs, 10 µs, 100 µs, 1 ms, 10 ms, 100 ms, 1 s, and longer. */
  readonly decades: readonly number[];
}

/** What the writers of one process did by one system call: only those sent (VL_W_*): that waited, or met a retry. */
export interface WriterRow {
  readonly tgid: number;
  readonly comm: string;
  /** Number of the system call, -1 when in none (an exception, a kernel thread). */
  readonly syscall: number;
  /** Its name on x86-64 and arm64; `syscall N` elsewhere and where the number is not known, `no system call` for -1. */
  readonly name: string;
  /** mmap_lock acquisitions for write that were sent. */
  readonly acquired: number;
  readonly wait: WaitStats;
  /** mmap_lock held for write, where the end was seen. */
  readonly hold: WaitStats;
  /** Of the waits: found a reader, or a writer, holding the lock. */
  readonly behindReader: number;
  readonly behindWriter: number;
  /** The holder had the lower priority. */
  readonly inverted: number;
  /** VMAs write-locked (__vma_start_write), and the time waited for their readers. */
  readonly vmas: number;
  readonly vmaWait: WaitStats;
  /** Retries whose VMA this writer write-locked meanwhile, and retries of its mm it made wait for mmap_lock. */
  readonly retriesLocked: number;
  readonly retriesDelayed: number;
  /** tid of the holder it waited for longest, 0 not known; and that wait. */
  readonly worstHolder: number;
  readonly worstWaitNs: number;
  /** Stacks of that wait (keys of `Snapshot.stacks`), -1 where none was taken. */
  readonly kernelStack: number;
  readonly userStack: number;
}

/**
 * The counterfactual summed: what retrying under the VMA lock would have saved, against the stall of writers that
 * keeping it over the wait would have made.
 */
export interface CounterfactualRow {
  /** 'all', a cause, or a process (`tgid comm`). */
  readonly key: string;
  readonly retries: number;
  readonly verdicts: Readonly<Record<VerdictKind, number>>;
  /** Avoidable ones while no writer, or some writer, held the mm between attempt and fallback. */
  readonly avoidableQuiet: number;
  readonly avoidableBusy: number;
  /** Why unknown, with counts; `fallback not seen yet` for the retries still on their way. */
  readonly unknownWhy: Readonly<Record<string, number>>;
  /** Avoidable retries: time queued for mmap_lock in lock_mm_and_find_vma; null where queueing is not seen (`seesQueue`). */
  readonly savedNs: number | null;
  /** Avoidable retries: the rest of their time in lock_mm_and_find_vma (trylock, lookup), which a retry pays in its own way. */
  readonly lookupNs: number;
  readonly stall: StallSums;
}

/**
 * Had the VMA lock been kept over the waits: how long writers would have stalled. A retry's window goes from its
 * release of the VMA lock (the earliest it can have been) to the end of its wait inside the attempt, or to now. A
 * writer that comes within a window stalls until the last of the windows open then is over; within one hold of
 * mmap_lock it makes up for earlier stalls, so the longest counts. First order: nobody else comes later for it.
 */
export interface StallSums {
  /** From when __vma_start_write was entered for the VMA of the fault's address. Meaningless unless `basis` is exact. */
  readonly exactNs: number;
  /** At most: every writer that took the mm's mmap_lock within a window, as if it had gone for the fault's VMA at once. */
  readonly boundNs: number;
  /** Holds of mmap_lock that would have stalled, on that basis. */
  readonly writers: number;
  /** Which of the two the hooks of this session show; none: neither, so nothing is known of writers. */
  readonly basis: 'exact' | 'bound' | 'none';
  /** Retries that waited, though from when or until when was not seen: they add no stall. */
  readonly unknown: number;
}

/** One stack that retries or aborts of one cause came from. Only where stacks were asked for. */
export interface StackRow {
  readonly cause: Cause;
  /** Keys of `Snapshot.stacks`, -1 none. */
  readonly kernel: number;
  readonly user: number;
  readonly count: number;
}

/** A ->fault of a driver or file system, as `Attempt.faultHandler` gives it. */
export interface HandlerRow {
  readonly address: bigint;
  /** The function's name, '' while not known. */
  readonly name: string;
  /** RETRYs it returned under the VMA lock. */
  readonly retries: number;
}

export interface ProgressStats {
  /** Pages (mm, address) that retried more than once; the most retries of one; retries that were not the page's first. */
  readonly pagesAgain: number;
  readonly mostRetries: number;
  readonly again: number;
  /**
   * Swap faults that began less than 1 s after an earlier swap fault on the same page (mm, address) had mapped it:
   * reclaimed and needed again. At least: a fixed table remembers the latest pages. null where swap faults are counted and
   * not followed.
   */
  readonly refaults: number | null;
  /**
   * Sizes of herds: how many faults waited for one and the same locked folio, each while another one did; of waits
   * that ended. Index = log2 bucket (1, 2-3, 4-7 …).
   */
  readonly herds: readonly number[];
  readonly largestHerd: number;
  /** Folio waits that are in no herd, since which folio it was is not known. */
  readonly folioUnknown: number;
}

export interface SwapDeviceRow {
  readonly type: number;
  /** As the kernel names the block device; '' when not known. */
  readonly name: string;
  readonly synchronous: boolean;
  /** Faults that came to it: lifecycles, ended or not, and those that were only counted. */
  readonly faults: number;
  /** Of those that ended: the fault read the page itself (VM_FAULT_MAJOR). */
  readonly reads: number;
  readonly retries: number;
  readonly folioWait: WaitStats;
  readonly syncRead: WaitStats;
}
