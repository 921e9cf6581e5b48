// SPDX-License-Identifier: MIT
/** What views see. Never an event: counts, distributions, and a bounded number of whole lifecycles. */

import type { SessionInfo } from '../events/session.js';
import type { End, Lifecycle } from '../lifecycle/lifecycle.js';
import type { AbortCause, Cause, RetryCause } from '../vocabulary/causes.js';
import type { NoVmaHolder } from '../vocabulary/lock-users.js';
import type { WaitName } from '../vocabulary/waits.js';
import type { BlockerRow, LockNowRow, WaitedFor } from './blocker-rows.js';
import type { CauseCost } from './cause-costs.js';
import type { CountedRow } from './counted.js';
import type { Distribution } from './histogram.js';
import type { VmaLockCounts, VmstatRow } from './outcomes.js';
import type {
  AddressRow,
  CgroupRow,
  CounterfactualRow,
  HandlerRow,
  MmapLockSide,
  ProcessRow,
  ProgramCost,
  ProgressStats,
  StackRow,
  SwapDeviceRow,
  WaitStats,
  WriterRow,
} from './snapshot-rows.js';
import type { Timelines } from './timeline.js';
import type { VmaRow } from './vmas.js';

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
    readonly vmaLock: VmaLockCounts;
    /** Attempts of user-mode faults under mmap_lock, all results. */
    readonly mmapLock: number;
    readonly kernelMode: number;
    readonly gup: number;
    readonly kthreadSwap: number;
  };
  /** /proc/vmstat's own count of the same; null where the kernel keeps none, and while the session lasts. */
  readonly vmstat: readonly VmstatRow[] | null;
  readonly events: {
    /** Records the kernel side meant for the ring: decoded + dropped, and while the session lasts those on their way. */
    readonly emitted: number;
    /** The kernel's own count of them is older than what was decoded: there may be more. */
    readonly emittedAtLeast: boolean;
    readonly decoded: number;
    readonly dropped: number;
    readonly missed: number;
    readonly perKind: Readonly<
      Record<string, { readonly emitted: number; readonly decoded: number; readonly dropped: number }>
    >;
    /** Lifecycles that could not be opened because there was no room for per-task state. */
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
    /** Of those: not judged yet. What the fallback finds may give one another cause. */
    readonly undecided: Readonly<Partial<Record<RetryCause, number>>>;
    /** Innermost function of the unknown ones. */
    readonly unknownBy: Readonly<Record<string, number>>;
    /** By verdict; the three make `total`. `notAvoidable`: write-locked, replaced, gone and by design. */
    readonly avoidable: number;
    readonly notAvoidable: number;
    readonly unknown: number;
    /** Of the retries: joined to their mmap_lock attempt. */
    readonly joined: number;
    /** Attempts under the VMA lock after the RETRY of another: done there, given up again, ended otherwise. */
    readonly secondTries: { readonly done: number; readonly retry: number; readonly other: number };
  };
  readonly abort: {
    readonly total: number;
    readonly byCause: Readonly<Partial<Record<AbortCause, number>>>;
    /** Of those: their faults are not over. What the fallback finds may give one another cause. */
    readonly undecided: Readonly<Partial<Record<AbortCause, number>>>;
  };
  /**
   * Whole waits by kind; `mmapLockQueued`: the part of mmapLock after a failed trylock; `writer` and `vmaWrite`: waits
   * of the writers that were sent, for mmap_lock and for a VMA's readers.
   */
  readonly waits: Readonly<Record<WaitName, WaitStats>>;
  /**
   * The distributions behind `waits`, from which those of an interval come. Copies, like all else here; absent in a
   * snapshot that was not made from rows.
   */
  readonly distributions?: Readonly<Record<WaitName, Distribution>>;
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
  /** Who blocked whom over mmap_lock. `known`: its tracepoints are hooked, and this version's or a later one's programs. */
  readonly blockers: {
    readonly known: boolean;
    /** By time others waited, descending; bounded. */
    readonly rows: readonly BlockerRow[];
    readonly all: WaitedFor;
    /** Of page faults alone. */
    readonly faults: WaitedFor;
    /** Beside these: of writers, for those who hold a VMA's lock for read; null where such waits are not seen. */
    readonly vma: WaitedFor<NoVmaHolder> | null;
    /** Holds for read behind which a writer queued, and readers behind that one. */
    readonly convoys: number;
    /** Who held and who awaited a lock that others queued for when the counters were read last; longest first, bounded. */
    readonly now: readonly LockNowRow[];
  };
  /** First 'all', then by cause, then by process (bounded). */
  readonly counterfactual: {
    readonly all: CounterfactualRow;
    readonly byCause: readonly CounterfactualRow[];
    readonly byProcess: readonly CounterfactualRow[];
  };
  readonly progress: ProgressStats;
  /** VMA locks taken by others than faults, by user; null where no hook shows it. */
  readonly otherUsers: Readonly<Record<'userfaultfd' | 'procfs' | 'madvise' | 'damon' | 'other', number | null>>;
  /** What has no names here, and why; and stacks asked for that could not be taken. */
  readonly names: {
    readonly missing: readonly string[];
    readonly failedStacks: { readonly kernel: number; readonly user: number };
  };
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
    /** Faults that came to an entry of a swap device, followed or counted, each once; null with --min-us, where short ones are not followed. */
    readonly faults: number | null;
    /** Runs of do_swap_page: later passes, PTE markers and other special entries too. */
    readonly calls: number;
    readonly synchronous: number;
    readonly asynchronous: number;
    readonly lockOrRetry: { readonly calls: number; readonly retry: number; readonly locked: number };
    /** Per swap device type (index of swap_info[]). */
    readonly devices: readonly SwapDeviceRow[];
    /**
     * `calls` = `followed` (of a lifecycle that is sent) + `counted.total` (of none) + `lost` (there was no room for a
     * record, or the return was missed) + those that had not returned. All 0 in recordings made before.
     */
    readonly followed: number;
    /** Of those followed: ordinary ones, for being one in so many. */
    readonly sampled: number;
    readonly lost: number;
    readonly counted: {
      readonly total: number;
      /** Those that are known by process, cgroup and device: `total` but for what came while the scope was cut, and since it was last read. */
      readonly faults: number;
      /** By faults, descending; bounded. */
      readonly rows: readonly CountedRow[];
    };
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
  /** Of all processes, not of those rows alone. Sorted as those; bounded. */
  readonly cgroups: readonly CgroupRow[];
  /** Sorted by retries, descending; bounded. */
  readonly addresses: readonly AddressRow[];
  /** Sorted by retries and aborts, then faults, descending; bounded. */
  readonly vmas: readonly VmaRow[];
  /** How many of each there are behind the bounded lists above. */
  readonly totals: { readonly processes: number; readonly cgroups: number; readonly vmas: number };
  /** Of ended faults, by the cause of their first failed attempt; causes that never occurred are absent. */
  readonly causeCosts: Readonly<Partial<Record<Cause, CauseCost>>>;
  /** Outcomes and lengths of waits over time. */
  readonly timeline: Timelines;
  /** Newest first; bounded. */
  readonly latest: readonly Lifecycle[];
  /** Longest first; bounded. */
  readonly slowest: readonly Lifecycle[];
  /** The slowest two and the latest of each process, VMA and cause that are in neither list above; longest first, bounded. */
  readonly examples: readonly Lifecycle[];
  /** Oldest first; bounded (`inFlightTotal` counts all). */
  readonly inFlight: readonly Lifecycle[];
  readonly inFlightTotal: number;
  /** What the VMAs of the faults in these lists map, by `vmaKey`; those that are not known are absent. */
  readonly mappings: Readonly<Record<string, string>>;
  /**
   * What the bounds of our own tables cost: rows dropped from full tables, and `lateSteps`, which came after their
   * lifecycle was given up. `windows`: what writers did when retries' windows of that time were given up already;
   * `writerEvents`: windows given up in the same way; in both cases the stall may be larger. `folios`: herds that were cut in two.
   */
  readonly forgotten?: {
    readonly processes: number;
    readonly cgroups: number;
    readonly addresses: number;
    readonly lateSteps: number;
    readonly writers: number;
    readonly blockers: number;
    readonly holds: number;
    readonly windows: number;
    readonly writerEvents: number;
    readonly folios: number;
    readonly names: number;
  };
}
