// SPDX-License-Identifier: MIT
/** Snapshots made by hand: a small invented host whose figures are functions of time alone, so that frames repeat. */

import type { Snapshot } from '../../src/core/aggregate/snapshot.js';
import type { ProcessRow } from '../../src/core/aggregate/snapshot-rows.js';
import type { Attempt, End, Lifecycle, Wait } from '../../src/core/lifecycle/lifecycle.js';
import type { Cause } from '../../src/core/vocabulary/causes.js';
import { emptySnapshot, NO_CAUSE, NO_END, NO_KIND, NO_WAITS } from './fixture-empty.js';
import { locksAt, lostSeries, stats } from './fixture-locks.js';

const COMMS = [
  'redis-server',
  'postgres',
  'java',
  'node',
  'python3',
  'clang++',
  'kswapper {bold}',
  '日本語サーバ',
  'a\tb\x1b[2J',
  'emoji 🚀 e\u0301',
];

function processRow(i: number, seconds: number): ProcessRow {
  const weight = 1 / (i + 1);
  const of = (n: number): number => Math.round(n * weight * seconds);
  return {
    tgid: 1000 + 137 * i,
    comm: COMMS[i % COMMS.length] ?? '',
    cgroup: 40 + i,
    cgroupName: i % 2 === 0 ? `redis-${i}.service` : '',
    lost: i % 3 === 2 ? null : lostSeries(i, seconds),
    lifecycles: of(420),
    swap: of(380),
    retries: of(61),
    aborts: i % 3 === 0 ? 0 : of(9),
    inFlight: i < 3 ? 3 - i : 0,
    folioWaitNs: of(18_400_000),
    mmapWaitNs: of(3_100_000),
    totalNs: of(33_000_000),
  };
}

function attempt(
  lock: 'vma' | 'mmap',
  at: number,
  ns: number,
  outcome: Attempt['outcome'],
  cause: Cause | null,
): Attempt {
  return {
    lock,
    acquired: lock === 'vma' ? { lo: at - 900, hi: at } : { lo: at, hi: at },
    released: outcome === 'pending' ? { lo: at, hi: Number.POSITIVE_INFINITY } : { lo: at + ns, hi: at + ns + 1400 },
    rule: outcome === 'retry' ? 'R4' : outcome === 'pending' ? 'none' : 'R2',
    exactRelease: Number.NaN,
    flags: outcome === 'pending' ? -1 : lock === 'vma' ? 0x1254 : 0x254,
    ret: outcome === 'retry' ? 0x400 : 0,
    outcome,
    cause,
    innermost: cause === 'folio locked' ? '__folio_lock_or_retry' : cause === 'unknown' ? 'filemap_fault' : '',
    verdict: null,
    faultHandler: 0n,
    kernelStack: -1,
    userStack: -1,
    folio: 0,
  };
}

const SHAPES: readonly Cause[] = [
  'folio locked',
  'folio locked',
  'VMA lock unavailable',
  'folio locked',
  'userfault',
  'unknown',
  'anon_vma',
];

/** The nth fault of the invented host; it begins at `at` ns. */
export function lifecycle(n: number, at: number, how: End): Lifecycle {
  const cause = how === 'ok-vma' ? null : (SHAPES[n % SHAPES.length] ?? 'unknown');
  const flying = how === 'in-flight';
  const pause = 12_000 + ((n * 7919) % 97) * 31_000;
  const folio: Wait = {
    kind: 'folio',
    held: 'none',
    start: at + 4_000,
    end: flying ? Number.NaN : at + 4_000 + pause,
    slept: true,
    contended: Number.NaN,
    holder: 0,
  };
  const mmap: Wait = {
    kind: 'mmapLock',
    held: 'none',
    start: at + 9_000 + pause,
    end: at + 21_000 + pause,
    slept: false,
    contended: Number.NaN,
    holder: 0,
  };
  const attempts: Attempt[] = [];
  if (cause === 'VMA lock unavailable') attempts.push(attempt('vma', at, 0, 'abort', cause));
  else attempts.push(attempt('vma', at, 3_000, flying ? 'pending' : cause === null ? 'ok' : 'retry', cause));
  if (cause !== null && !flying) attempts.push(attempt('mmap', at + 21_000 + pause, 8_000, 'ok', null));
  const end = flying ? Number.NaN : cause === null ? at + 3_000 : at + 31_000 + pause;
  const i = n % COMMS.length;
  const address = 0x7f3a_1c00_0000 + n * 4096;
  return {
    id: n,
    tid: 1001 + 137 * i,
    tgid: 1000 + 137 * i,
    comm: COMMS[i] ?? '',
    processName: COMMS[i] ?? '',
    cgroup: 40 + i,
    mm: 0x8_8812_3456_7000,
    address,
    vmaStart: 0x7f3a_1c00_0000,
    vmaEnd: 0x7f3a_2c00_0000,
    vmFlags: 0x200073n,
    pte: 0x1234_5600n,
    depth: 0,
    origin: 'user',
    first: at,
    last: flying ? at + 4_000 : end,
    start: { lo: n % 2 === 0 ? Number.NEGATIVE_INFINITY : at, hi: at },
    end,
    how,
    attempts,
    waits: cause === null ? [] : cause === 'folio locked' ? (flying ? [folio] : [folio, mmap]) : flying ? [] : [mmap],
    leftOut: null,
    swap: { type: 0, synchronous: n % 4 === 0, missing: false },
    enteredSwap: true,
    major: cause === 'folio locked',
    lost: how === 'incomplete' ? ['step 3 lost'] : [],
    state: flying ? 'waits for a folio lock' : '',
  };
}

const HOWS: readonly End[] = [
  'ok-mmap',
  'ok-mmap',
  'ok-mmap',
  'completed',
  'ok-mmap',
  'incomplete',
  'ok-mmap',
  'ok-vma',
];

/** The invented host after `seconds` of a session. */
export function snapshotAt(seconds: number): Snapshot {
  const time = Math.round(seconds * 1e9);
  const wave = 1 + 0.4 * Math.sin(seconds / 3);
  const of = (n: number): number => Math.round(n * seconds * (1 + 0.05 * (wave - 1)));
  const retry = of(212);
  const abort = of(37);
  const unknown = of(5);
  const folio = retry - of(31) - of(9) - unknown;
  const vmaLock = { success: of(48_211), retry, completed: of(63), abort, error: of(0.2), accessError: null };
  const kernelMode = of(1180);
  const emitted = of(2411);
  const latest = Array.from({ length: 60 }, (_, i) => {
    const n = Math.floor(seconds * 10) - i;
    return lifecycle(Math.max(0, n), Math.max(0, n) * 1e8, HOWS[Math.max(0, n) % HOWS.length] ?? 'ok-mmap');
  });
  return {
    ...emptySnapshot(),
    time,
    durationNs: time,
    counts: {
      faults: vmaLock.success + retry + vmaLock.completed + abort + vmaLock.error + kernelMode,
      vmaLock,
      mmapLock: retry + abort,
      kernelMode,
      gup: of(12),
      kthreadSwap: 0,
    },
    events: {
      emitted,
      emittedAtLeast: false,
      decoded: emitted - 64,
      dropped: 64,
      missed: 0,
      perKind: {},
      stateLost: 0,
    },
    lifecycles: { total: retry + abort, byEnd: { ...NO_END, 'ok-mmap': retry }, incomplete: of(0.4), evicted: 0 },
    retry: {
      total: retry,
      byCause: { ...NO_CAUSE, 'folio locked': folio, userfault: of(31), anon_vma: of(9), unknown },
      undecided: {},
      unknownBy: { filemap_fault: unknown - 2, '': 2 },
      avoidable: Math.round(folio * 0.83),
      notAvoidable: folio - Math.round(folio * 0.83),
      unknown: retry - folio,
      joined: retry - 3,
      secondTries: { done: 0, retry: 0, other: 0 },
    },
    abort: { total: abort, byCause: { 'VMA lock unavailable': abort }, undecided: {} },
    waits: {
      ...NO_KIND,
      folio: stats(folio, 84_200),
      mmapLock: stats(retry + abort, 6_310),
      userfault: stats(of(31), 1_840_000),
      reclaim: stats(of(0.4), 310_000),
      mmapLockQueued: stats(of(88), 11_200),
      writer: stats(of(40), 9400),
      vmaWrite: NO_WAITS,
    },
    ...locksAt(seconds, retry, COMMS, lifecycle(0, time - 41e6, 'ok-mmap')),
    swap: {
      faults: of(390),
      calls: of(390),
      synchronous: of(98),
      asynchronous: of(292),
      lockOrRetry: { calls: of(271), retry: folio, locked: of(271) - folio },
      devices: [],
      followed: 0,
      sampled: 312,
      lost: 0,
      counted: { total: 79_512, faults: 79_512, rows: [] },
    },
    overhead: {
      programs: [
        {
          name: 'hmf_exit',
          target: 'handle_mm_fault',
          method: 'fexit',
          missed: 0,
          runCount: of(49_000),
          runTimeNs: of(4_100_000),
        },
      ],
      measuredNs: time,
      selfCpuNs: of(11_000_000),
      selfRssBytes: 88_400_000,
    },
    ringUsedBytes: 41_000,
    processes: Array.from({ length: 24 }, (_, i) => processRow(i, seconds)),
    latest,
    slowest: [...latest].sort((a, b) => b.last - b.first - (a.last - a.first)).slice(0, 40),
    inFlight: [7, 1, 3, 8].map((n, i) => lifecycle(n, time - 4e9 / (i * 5 + 1), 'in-flight')),
    inFlightTotal: 4,
  };
}
