// SPDX-License-Identifier: MIT
/** What views see. Never an event: counts, distributions, and a bounded number of whole lifecycles. */
import type { Cause, End, Lifecycle } from './lifecycle.js';
import type { SessionInfo } from './session.js';

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
    readonly byCause: Readonly<Record<Cause, number>>;
    /** Innermost function of the unknown ones. */
    readonly unknownBy: Readonly<Record<string, number>>;
    readonly avoidable: number;
    readonly notAvoidable: number;
    readonly unknown: number;
    /** Of the retries: joined to their mmap_lock attempt. */
    readonly joined: number;
  };
  readonly abort: { readonly total: number; readonly byCause: Readonly<Partial<Record<Cause, number>>> };
  readonly waits: { readonly folio: WaitStats; readonly mmapLock: WaitStats; readonly userfault: WaitStats };
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
    readonly devices: readonly {
      readonly type: number;
      readonly synchronous: boolean;
      readonly faults: number;
      readonly retries: number;
    }[];
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
  /** Newest first; bounded. */
  readonly latest: readonly Lifecycle[];
  /** Longest first; bounded. */
  readonly slowest: readonly Lifecycle[];
  /** Oldest first; bounded (`inFlightTotal` counts all). */
  readonly inFlight: readonly Lifecycle[];
  readonly inFlightTotal: number;
  /** What the bounds of our own tables cost: rows dropped from full tables, and steps that came after their lifecycle was given up. */
  readonly forgotten?: { readonly processes: number; readonly addresses: number; readonly lateSteps: number };
}
