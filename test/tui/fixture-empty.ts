// SPDX-License-Identifier: MIT
/** A snapshot of a session in which nothing has happened yet. */

import type { WaitedFor } from '../../src/core/aggregate/blocker-rows.js';
import type { Snapshot } from '../../src/core/aggregate/snapshot.js';
import type { CounterfactualRow, MmapLockSide, WaitStats } from '../../src/core/aggregate/snapshot-rows.js';
import { TimelineSums } from '../../src/core/aggregate/timeline.js';
import type { SessionInfo } from '../../src/core/events/session.js';
import type { End } from '../../src/core/lifecycle/lifecycle.js';
import { RETRY_CAUSES, type RetryCause } from '../../src/core/vocabulary/causes.js';
import { VERDICTS, type VerdictKind } from '../../src/core/vocabulary/verdicts.js';
import { WAIT_KINDS, type WaitKind } from '../../src/core/vocabulary/waits.js';
import { HOOKED } from './fixture-locks.js';

export const session: SessionInfo = {
  v: 1,
  tool: 'vmalocktop 0.1.0',
  host: 'fixture',
  kernel: '6.12.0-test',
  arch: 'x64',
  bootId: '00000000-0000-0000-0000-000000000000',
  commandLine: ['vmalocktop'],
  cpus: 4,
  baseNs: '0',
  clocks: [],
  scope: 'retry',
  release: 'derived',
  minUs: 0,
  filters: {},
  ...HOOKED,
  ringBytes: 8 << 20,
  enums: { faultFlags: {}, faultReasons: {} },
  preemption: 'voluntary',
  layout: '',
};

export const NO_WAITS: WaitStats = { count: 0, sumNs: 0, p50Ns: Number.NaN, p99Ns: Number.NaN, maxNs: Number.NaN };
/** A record with the same value under each key. */
function each<K extends string, V>(keys: readonly K[], value: V): Record<K, V> {
  return Object.fromEntries(keys.map((key) => [key, value])) as Record<K, V>;
}

export const NO_CAUSE: Record<RetryCause, number> = each(RETRY_CAUSES, 0);
const NO_VERDICT: Record<VerdictKind, number> = each(VERDICTS, 0);
export const NO_KIND: Record<WaitKind, WaitStats> = each(WAIT_KINDS, NO_WAITS);
const NO_SIDE: MmapLockSide = { acquired: 0, waitNs: 0, decades: [0, 0, 0, 0, 0, 0, 0, 0] };

function noCounterfactual(key: string): CounterfactualRow {
  return {
    key,
    retries: 0,
    verdicts: NO_VERDICT,
    avoidableQuiet: 0,
    avoidableBusy: 0,
    unknownWhy: {},
    savedNs: 0,
    lookupNs: 0,
    stall: { exactNs: 0, boundNs: 0, writers: 0, basis: 'none', unknown: 0 },
  };
}

export const NO_END: Record<End, number> = {
  'ok-vma': 0,
  'ok-mmap': 0,
  completed: 0,
  error: 0,
  signal: 0,
  incomplete: 0,
  'in-flight': 0,
};

const NO_WAITED: WaitedFor = {
  waits: NO_WAITS,
  named: 0,
  free: 0,
  why: { 'reader-not-seen': 0, 'writer-not-seen': 0 },
};

/** A session in which nothing has happened yet. */
export function emptySnapshot(): Snapshot {
  return {
    session,
    time: 0,
    durationNs: 0,
    ended: false,
    vmstat: null,
    counts: {
      faults: 0,
      vmaLock: { success: 0, retry: 0, completed: 0, abort: 0, error: 0, accessError: null },
      mmapLock: 0,
      kernelMode: 0,
      gup: 0,
      kthreadSwap: 0,
    },
    events: { emitted: 0, emittedAtLeast: false, decoded: 0, dropped: 0, missed: 0, perKind: {}, stateLost: 0 },
    lifecycles: { total: 0, byEnd: NO_END, incomplete: 0, evicted: 0 },
    retry: {
      total: 0,
      byCause: NO_CAUSE,
      undecided: {},
      unknownBy: {},
      avoidable: 0,
      notAvoidable: 0,
      unknown: 0,
      joined: 0,
      secondTries: { done: 0, retry: 0, other: 0 },
    },
    abort: { total: 0, byCause: {}, undecided: {} },
    waits: { ...NO_KIND, mmapLockQueued: NO_WAITS, writer: NO_WAITS, vmaWrite: NO_WAITS },
    held: { vma: NO_WAITS, mmap: NO_WAITS, none: NO_WAITS, unknown: NO_WAITS },
    mmapLock: { read: NO_SIDE, write: NO_SIDE, tryFailed: 0, known: false },
    writers: [],
    blockers: { known: false, rows: [], all: NO_WAITED, faults: NO_WAITED, vma: null, convoys: 0, now: [] },
    counterfactual: { all: noCounterfactual('all'), byCause: [], byProcess: [] },
    progress: { pagesAgain: 0, mostRetries: 0, again: 0, refaults: 0, herds: [], largestHerd: 0, folioUnknown: 0 },
    otherUsers: { userfaultfd: null, procfs: null, madvise: null, damon: null, other: null },
    names: { missing: [], failedStacks: { kernel: 0, user: 0 } },
    stacks: {},
    causeStacks: [],
    handlers: [],
    release: {},
    swap: {
      faults: 0,
      calls: 0,
      synchronous: 0,
      asynchronous: 0,
      lockOrRetry: { calls: 0, retry: 0, locked: 0 },
      devices: [],
      followed: 0,
      sampled: 0,
      lost: 0,
      counted: { total: 0, faults: 0, rows: [] },
    },
    kernelHist: {},
    overhead: { programs: [], measuredNs: 0, selfCpuNs: 0, selfRssBytes: 0 },
    ringUsedBytes: 0,
    processes: [],
    addresses: [],
    vmas: [],
    cgroups: [],
    totals: { cgroups: 0, processes: 0, vmas: 0 },
    causeCosts: {},
    timeline: new TimelineSums().copy(),
    latest: [],
    slowest: [],
    examples: [],
    inFlight: [],
    inFlightTotal: 0,
    mappings: {},
  };
}
