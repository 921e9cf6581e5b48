// SPDX-License-Identifier: MIT
/** The document of `verdict --json`, which the page of text and the HTML page are made of too. Sums are ns. */
import type { Bar } from './bars.js';
import type { Course } from './outcome.js';
import type { Alternative, Policy } from './policies.js';

/** A distribution; null where there was nothing to take it of. */
export interface Spread {
  readonly count: number;
  readonly sumNs: number;
  readonly p50Ns: number | null;
  readonly p99Ns: number | null;
  readonly maxNs: number | null;
}

/** Both ends of what is known to lie between them. */
export interface Between {
  readonly least: Spread;
  readonly most: Spread;
}

export interface UnderRow {
  readonly courses: Readonly<Record<Course, number>>;
  /** Time queued for mmap_lock that is saved, of the faults that save any. */
  readonly saved: Between;
  /**
   * Time that faults would queue behind stalled writers, of the faults that do; null: no hook shows writers. Most: with those that
   * are over sooner and may come again.
   */
  readonly lost: Between | null;
  /** Why a saving is an interval, or not known. */
  readonly why: Readonly<Record<string, number>>;
  /** One per hold of a writer; null: no hook shows writers. */
  readonly stalls: (Spread & { readonly windowsUnknown: number }) | null;
}

export interface VerdictRow {
  readonly key: string;
  readonly retries: number;
  readonly tookNs: number;
  readonly queued: Between;
  readonly queuedUnknown: number;
  readonly lookupNs: number;
  readonly laterWaits: number;
  readonly under: Readonly<Record<Alternative, UnderRow>>;
}

export interface StalledWriterRow {
  readonly tgid: number;
  readonly comm: string;
  readonly syscall: string;
  readonly fork: boolean;
  readonly stalls: Spread;
  /** By time, at most five; empty where the VMA is not known. */
  readonly vmas: readonly {
    readonly start: string;
    readonly end: string;
    readonly stalls: number;
    readonly sumNs: number;
  }[];
}

export interface StallReport {
  readonly rows: readonly StalledWriterRow[];
  readonly forks: Spread;
  readonly others: Spread;
  readonly inversions: { readonly inverted: number; readonly upright: number; readonly unknown: number };
  /** Not counted, or given up, because a table was full: stalls may be larger. */
  readonly forgotten: number;
}

export interface VerdictReport {
  readonly v: 1;
  readonly host: string;
  readonly kernel: string;
  readonly arch: string;
  readonly cpus: number;
  readonly durationNs: number;
  readonly scope: string;
  readonly events: {
    readonly emitted: number;
    readonly decoded: number;
    readonly dropped: number;
    readonly missed: number;
  };
  /** From the kernel's counters. */
  readonly faults: {
    readonly all: number;
    readonly underVmaLock: number;
    readonly retry: number;
    readonly abort: number;
  };
  /** What the kernel does itself; null: nothing that was seen shows it. */
  readonly policy: Policy | null;
  readonly observed: {
    readonly secondTries: number;
    readonly secondOk: number;
    readonly secondRetry: number;
    readonly secondAbort: number;
    readonly waitsDropped: number;
    readonly waitsKept: Spread;
  };
  /** How the stalls of writers are known. */
  readonly basis: 'exact' | 'bound' | 'none';
  /** Whether queueing is distinguished from looking up. */
  readonly queueSeen: boolean;
  readonly all: VerdictRow;
  readonly byCause: readonly VerdictRow[];
  readonly byProcess: readonly VerdictRow[];
  readonly processesForgotten: number;
  readonly writers: Readonly<Record<Alternative, StallReport>>;
  /** Writers as they waited: for mmap_lock, behind a task of lower priority, and for readers of a VMA. */
  readonly writersToday: {
    readonly waited: number;
    readonly inverted: number;
    readonly mmapLock: Spread;
    readonly vma: Spread;
  };
  readonly conclusions: readonly string[];
  readonly assumptions: readonly string[];
  /** Distributions for a chart: faults by time saved, writers by stall. */
  readonly charts: Readonly<Record<Alternative, { readonly saved: readonly Bar[]; readonly stalls: readonly Bar[] }>>;
  readonly queuedChart: readonly Bar[];
}
