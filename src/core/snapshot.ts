// SPDX-License-Identifier: MIT
/** What views see. Never an event: counts, distributions, and a bounded number of whole lifecycles. */

import type { CauseCost } from './cause-costs.js';
import type { Distribution } from './histogram.js';
import type { AbortCause, Cause, End, Lifecycle, RetryCause, VerdictKind, WaitKind } from './lifecycle.js';
import type { SessionInfo } from './session.js';
import type { Timelines } from './timeline.js';
import type { VmaRow } from './vmas.js';

/** A distribution of durations. Percentiles come from log-linear buckets (relative error stated by `precision`). */
export interface WaitStats {
  readonly count: number;
  readonly sumNs: number;
  readonly p50Ns: number;
  readonly p99Ns: number;
  readonly maxNs: number;
}

export interface ProcessRow {
  readonly tgid: number;
  readonly comm: string;
  readonly cgroup: number;
  /** Path of the cgroup, with the container's or unit's name before it where known; '' when not. */
  readonly cgroupName: string;
  readonly lifecycles: number;
  readonly swap: number;
  readonly retries: number;
  readonly aborts: number;
  readonly inFlight: number;
  readonly folioWaitNs: number;
  readonly mmapWaitNs: number;
  readonly totalNs: number;
}

/** One page of one process that retried: the herd on a folio, or a fault that makes no progress. */
export interface AddressRow {
  readonly tgid: number;
  readonly comm: string;
  readonly mm: number;
  readonly address: number;
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
  /** Its name on x86-64; `syscall N` elsewhere and where the number is not known, `no system call` for -1. */
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
  /** Avoidable retries: time in lock_mm_and_find_vma, which a retry under the VMA lock would not have spent. */
  readonly savedNs: number;
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
   * reclaimed and needed again. At least: a fixed table remembers the latest pages.
   */
  readonly refaults: number;
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
  /** Lifecycles that came to it, ended or not. */
  readonly faults: number;
  /** Of those that ended: the fault read the page itself (VM_FAULT_MAJOR). */
  readonly reads: number;
  readonly retries: number;
  readonly folioWait: WaitStats;
  readonly syncRead: WaitStats;
}

export interface Snapshot {
  readonly session: SessionInfo;
  /** Time of the newest row, ns since base. */
  readonly time: number;
  readonly durationNs: number;
  /** True when an End row was seen: nothing follows. False at the end of a source: it was cut off. */
  readonly ended: boolean;
  readonly counts: {
    /** User-mode and kernel-mode faults: VMA-lock attempts + aborts + kernel mode. */
    readonly faults: number;
    readonly vmaLock: {
      readonly success: number;
      readonly retry: number;
      readonly completed: number;
      readonly abort: number;
      readonly error: number;
    };
    /** Attempts of user-mode faults under mmap_lock, all results. */
    readonly mmapLock: number;
    readonly kernelMode: number;
    readonly gup: number;
    readonly kthreadSwap: number;
  };
  readonly events: {
    readonly emitted: number;
    readonly decoded: number;
    readonly dropped: number;
    readonly missed: number;
    readonly perKind: Readonly<
      Record<string, { readonly emitted: number; readonly decoded: number; readonly dropped: number }>
    >;
    /** Lifecycles that could not be opened for want of per-task state. */
    readonly stateLost: number;
  };
  readonly lifecycles: {
    readonly total: number;
    readonly byEnd: Readonly<Record<End, number>>;
    readonly incomplete: number;
    readonly evicted: number;
  };
  readonly retry: {
    /** VMA-lock attempts that returned RETRY, among lifecycles. */
    readonly total: number;
    readonly byCause: Readonly<Record<RetryCause, number>>;
    /** Innermost function of the unknown ones. */
    readonly unknownBy: Readonly<Record<string, number>>;
    /** By verdict; the three make `total`. `notAvoidable`: write-locked, replaced, gone and by design. */
    readonly avoidable: number;
    readonly notAvoidable: number;
    readonly unknown: number;
    /** Of the retries: joined to their mmap_lock attempt. */
    readonly joined: number;
  };
  readonly abort: { readonly total: number; readonly byCause: Readonly<Partial<Record<AbortCause, number>>> };
  /** Whole waits by kind; `mmapLockQueued`: the part of mmapLock after a failed trylock; `writer`: writers' waits for mmap_lock that were sent. */
  readonly waits: Readonly<Record<WaitKind, WaitStats>> & {
    readonly mmapLockQueued: WaitStats;
    readonly writer: WaitStats;
  };
  /**
   * The distributions behind `waits`, from which those of an interval come; `vmaWrite`: writers' waits for a VMA's
   * readers. Copies, like all else here; absent in a snapshot that was not made from rows.
   */
  readonly distributions?: Readonly<Record<WaitKind | 'mmapLockQueued' | 'writer' | 'vmaWrite', Distribution>>;
  /** Waits by the lock held meanwhile. */
  readonly held: Readonly<Record<'vma' | 'mmap' | 'none' | 'unknown', WaitStats>>;
  /** By everybody who is wanted, faults or not. Not `known`, and all 0, where mmap_lock's tracepoints are not hooked. */
  readonly mmapLock: {
    readonly read: MmapLockSide;
    readonly write: MmapLockSide;
    /** Trylocks for read that failed. */
    readonly tryFailed: number;
    readonly known: boolean;
  };
  /** Sorted by time waited, descending; bounded. */
  readonly writers: readonly WriterRow[];
  /** First 'all', then by cause, then by process (bounded). */
  readonly counterfactual: {
    readonly all: CounterfactualRow;
    readonly byCause: readonly CounterfactualRow[];
    readonly byProcess: readonly CounterfactualRow[];
  };
  readonly progress: ProgressStats;
  /** VMA locks taken by others than faults, by who; null where no hook shows it. */
  readonly otherUsers: Readonly<Record<'userfaultfd' | 'procfs' | 'madvise' | 'damon' | 'other', number | null>>;
  /** Stacks by id as far as seen: symbols, innermost first. */
  readonly stacks: Readonly<Record<string, readonly string[]>>;
  /** By count, descending; bounded. */
  readonly causeStacks: readonly StackRow[];
  /** By retries, descending; bounded. */
  readonly handlers: readonly HandlerRow[];
  /** Width hi - lo of derived VMA-lock releases per rule; unbounded ones counted apart. */
  readonly release: Readonly<
    Record<
      string,
      {
        readonly count: number;
        readonly unbounded: number;
        readonly width: WaitStats;
        readonly checked: number;
        readonly outside: number;
      }
    >
  >;
  readonly swap: {
    readonly faults: number;
    readonly synchronous: number;
    readonly asynchronous: number;
    readonly lockOrRetry: { readonly calls: number; readonly retry: number; readonly locked: number };
    /** Per swap device type (index of swap_info[]). */
    readonly devices: readonly SwapDeviceRow[];
  };
  /** log2 histograms kept in the kernel, by name; index = bucket. */
  readonly kernelHist: Readonly<Record<string, readonly number[]>>;
  readonly overhead: {
    readonly programs: readonly ProgramCost[];
    /** ns during which the kernel took run times; the figures of `programs` are of that time alone. */
    readonly measuredNs: number;
    readonly selfCpuNs: number;
    readonly selfRssBytes: number;
  };
  readonly ringUsedBytes: number;
  /** Sorted by retries, then lifecycles, descending; bounded. */
  readonly processes: readonly ProcessRow[];
  /** Sorted by retries, descending; bounded. */
  readonly addresses: readonly AddressRow[];
  /** Sorted by retries and aborts, then faults, descending; bounded. */
  readonly vmas: readonly VmaRow[];
  /** How many of each there are behind the bounded lists above. */
  readonly totals: { readonly processes: number; readonly vmas: number };
  /** Of ended faults, by the cause of their first failed attempt; causes that never occurred are absent. */
  readonly causeCosts: Readonly<Partial<Record<Cause, CauseCost>>>;
  /** Outcomes and lengths of waits over time. */
  readonly timeline: Timelines;
  /** Newest first; bounded. */
  readonly latest: readonly Lifecycle[];
  /** Longest first; bounded. */
  readonly slowest: readonly Lifecycle[];
  /** Oldest first; bounded (`inFlightTotal` counts all). */
  readonly inFlight: readonly Lifecycle[];
  readonly inFlightTotal: number;
  /**
   * What the bounds of our own tables cost: rows dropped from full tables, and `lateSteps`, which came after their
   * lifecycle was given up. `windows`: what writers did when retries' windows of that time were given up already;
   * `writerEvents`: windows likewise; in both cases the stall may be larger. `folios`: herds that were cut in two.
   */
  readonly forgotten?: {
    readonly processes: number;
    readonly addresses: number;
    readonly lateSteps: number;
    readonly writers: number;
    readonly windows: number;
    readonly writerEvents: number;
    readonly folios: number;
    readonly names: number;
  };
}
