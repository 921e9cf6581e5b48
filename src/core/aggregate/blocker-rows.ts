// SPDX-License-Identifier: MIT
/** Rows of a snapshot about mmap_lock: who held it, who waited, who has it now. */
import type { NoHolder } from '../vocabulary/lock-users.js';
import type { WaitStats } from './snapshot-rows.js';

/** Those who waited behind the holds of one blocker: a process by what it wanted the lock for. */
export interface VictimRow {
  readonly tgid: number;
  readonly comm: string;
  /** `page fault`, a system call, a /proc file, `exit_mmap`, or the name of a kernel thread. */
  readonly what: string;
  readonly isWrite: boolean;
  readonly waits: number;
  /** Time spent behind this blocker, and the most of one wait. */
  readonly sumNs: number;
  readonly maxNs: number;
}

/** What one process did with the mmap_lock of one mm, or with the locks of its VMAs, in one mode, by one means. */
export interface BlockerRow {
  /** `vma`: locks of single VMAs, had for read while writers waited for them. */
  readonly lock: 'mmap' | 'vma';
  readonly tgid: number;
  readonly comm: string;
  readonly what: string;
  readonly isWrite: boolean;
  readonly mm: number;
  /** The process whose mm it is; 0 and '' where that is not known. */
  readonly owner: number;
  readonly ownerComm: string;
  readonly cgroup: number;
  /** Holds that were sent: others queued behind them, or they were long (--hold-min-us), or copied the mm. */
  readonly hold: WaitStats;
  /** Beside these: holds whose beginning was not seen. */
  readonly untimed: number;
  /** What it waited for that lock itself, behind other holders. */
  readonly waited: WaitStats;
  /** tid that held it longest. */
  readonly worstTid: number;
  /** Time others spent behind these holds: each wait once, by its part. */
  readonly blocked: WaitStats;
  /** By time waited, descending; bounded. */
  readonly victims: readonly VictimRow[];
  /** Holds for read behind which a writer queued and readers behind it; those readers' waits; the writer most of them stood behind. */
  readonly convoys: number;
  readonly convoyWaits: number;
  readonly convoyVia: string;
  /** Of holds that copied the mm; null where there was none. */
  readonly forks: ForkStats | null;
  /** Stacks of the longest hold (keys of `Snapshot.stacks`), -1 where none was taken. */
  readonly kernelStack: number;
  readonly userStack: number;
}

export interface ForkStats {
  readonly count: number;
  /** Most threads of the process, and most VMAs of the mm, at one of them: each VMA is write-locked. */
  readonly maxThreads: number;
  readonly maxVmas: number;
  readonly vmas: number;
  /** VMAs that were write-locked meanwhile; null where __vma_start_write is not hooked, or was not counted. */
  readonly locked: number | null;
  /** Waits for those who held one of them for read, faults mostly: one for each VMA that was waited for. null as above. */
  readonly waits: WaitStats | null;
  /** The VMA that was waited for longest; null for none. */
  readonly worst: { readonly start: number; readonly end: number } | null;
  /** Time in __vma_start_write, waits and all, summed and of one fork at most; null where it is not hooked. */
  readonly vmaWaitNs: number | null;
  readonly maxVmaWaitNs: number | null;
}

/** Waits for a lock, and for how many of them the holder is known. */
export interface WaitedFor<Why extends string = NoHolder> {
  readonly waits: WaitStats;
  /** With a holder. */
  readonly named: number;
  readonly why: Readonly<Record<Why, number>>;
  /** Beside these: others queued, but nobody held it, and it was acquired at once. */
  readonly free: number;
}

/** A task that held or awaited an mmap_lock others queued for when the counters were read last. */
export interface LockNowRow {
  readonly tid: number;
  readonly tgid: number;
  readonly comm: string;
  readonly what: string;
  readonly isWrite: boolean;
  readonly isWaiting: boolean;
  readonly mm: number;
  readonly owner: number;
  readonly ownerComm: string;
  /** ns of the session. */
  readonly since: number;
}
