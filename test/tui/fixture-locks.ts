// SPDX-License-Identifier: MIT
/** The rest of the invented host: writers, verdicts, mmap_lock, VMAs, what causes cost, and what happened when. */

import type { LostSeries } from '../../src/core/aggregate/lost-series.js';
import type { Snapshot } from '../../src/core/aggregate/snapshot.js';
import type { CounterfactualRow, WaitStats, WriterRow } from '../../src/core/aggregate/snapshot-rows.js';
import { TimelineSums } from '../../src/core/aggregate/timeline.js';
import type { VmaRow } from '../../src/core/aggregate/vmas.js';
import type { SessionInfo } from '../../src/core/events/session.js';
import type { Lifecycle } from '../../src/core/lifecycle/lifecycle.js';
import { CAUSES } from '../../src/core/vocabulary/causes.js';
import { VERDICTS } from '../../src/core/vocabulary/verdicts.js';

export function stats(count: number, p50: number): WaitStats {
  return { count, sumNs: count * p50 * 1.9, p50Ns: p50, p99Ns: p50 * 31, maxNs: p50 * 212 };
}

function counterfactual(key: string, retries: number): CounterfactualRow {
  const part = (share: number): number => Math.floor(retries * share);
  const shares = { avoidable: 0.83, 'write-locked': 0.06, replaced: 0.01, gone: 0, 'by design': 0.04 };
  const verdicts = Object.fromEntries(VERDICTS.map((v) => [v, v === 'unknown' ? 0 : part(shares[v])]));
  const known = Object.values(verdicts).reduce((sum, count) => sum + count, 0);
  const unknown = retries - known;
  const avoidable = part(0.83);
  return {
    key,
    retries,
    verdicts: { ...verdicts, unknown } as CounterfactualRow['verdicts'],
    avoidableQuiet: avoidable - part(0.1),
    avoidableBusy: part(0.1),
    unknownWhy: { 'lock sequence not read': unknown - part(0.01), 'signal: no fallback': part(0.01) },
    savedNs: avoidable * 6310,
    lookupNs: avoidable * 240,
    stall: { exactNs: retries * 410, boundNs: retries * 2900, writers: part(0.05), basis: 'exact', unknown: 2 },
  };
}

const CALLS = [
  [9, 'mmap'],
  [11, 'munmap'],
  [10, 'mprotect'],
  [56, 'clone'],
  [12, 'brk'],
  [-1, 'no system call'],
] as const;

function writer(i: number, seconds: number, comm: string): WriterRow {
  const [syscall, name] = CALLS[i % CALLS.length] ?? [-1, 'no system call'];
  const n = Math.round((seconds * 31) / (i + 1));
  return {
    tgid: 1000 + 137 * i,
    comm,
    syscall,
    name,
    acquired: n,
    wait: stats(n >> 1, 9400 * (i + 1)),
    hold: stats(n, 3100),
    behindReader: n >> 2,
    behindWriter: n >> 3,
    inverted: i % 4 === 0 ? 0 : i,
    vmas: n * 2,
    vmaWait: i === 5 ? stats(0, Number.NaN) : stats(n >> 4, 1200),
    retriesLocked: n >> 5,
    retriesDelayed: n >> 4,
    worstHolder: i === 0 ? 0 : 1001 + i,
    worstWaitNs: 9400 * (i + 1) * 212,
    kernelStack: -1,
    userStack: -1,
  };
}

/** A wave, so that a graph has a shape. */
export function lostSeries(i: number, seconds: number): LostSeries {
  const counts = Array.from({ length: Math.floor(seconds / 3.2) + 1 }, (_, slice) => ((slice * (i + 3)) % 17) + 1);
  return { sliceNs: 3.2e9, counts };
}

function vma(i: number, seconds: number, comm: string): VmaRow {
  const n = Math.round((seconds * 47) / (i + 1));
  const start = 0x7f3a_1c00_0000 + i * 0x4000_0000;
  return {
    tgid: 1000 + 137 * i,
    comm,
    mm: 0x8_8812_3456_7000 + i,
    start,
    end: start + 0x20_0000 * (i + 1),
    vmFlags: [0x200073n, 0x75n, 0xfbn, 0x2173n][i % 4] ?? 0n,
    backing: (['anon', 'file', 'shmem', 'unknown'] as const)[i % 4] ?? 'unknown',
    lifecycles: n * 3,
    retries: n,
    aborts: i % 3 === 0 ? 0 : n >> 3,
    folioWaitNs: n * 160_000,
    mmapWaitNs: n * 12_000,
    mapping: ['[heap]', '/usr/lib/x86_64-linux-gnu/libduckdb.so.1.4', '/memfd:buffers (deleted)', ''][i % 4] ?? '',
    device: i % 4 === 1 ? 'fe:01' : '',
    inode: i % 4 === 1 ? 131_072 : 0,
    handler: i % 4 === 1 ? 'ext4_filemap_fault' : '',
    lost: i % 3 === 2 ? null : lostSeries(i, seconds),
    otherWaitNs: i % 2 === 0 ? 0 : n * 700,
    worstNs: 41_000_000 / (i + 1),
  };
}

/** Four samples and forty waits a second. */
function timelineOf(seconds: number): Snapshot['timeline'] {
  const sums = new TimelineSums();
  for (let s = 0; s < seconds; s += 0.25) {
    const wave = 1 + 0.4 * Math.sin(s / 3);
    sums.counted(
      s * 1e9,
      [48_211, 212, 63, 37, 0.2, 1180].map((n) => Math.round(n * s * (1 + 0.05 * (wave - 1)))),
    );
    for (let i = 0; i < 10; i++) {
      const start = (s + i / 40) * 1e9;
      const ns = 2 ** (12 + 5 * wave + ((i * 7) % 5));
      const kind = (['folio', 'mmapLock', 'userfault'] as const)[i % 3] ?? 'folio';
      const wait = {
        kind,
        held: 'none',
        start,
        end: start + ns,
        slept: true,
        contended: Number.NaN,
        holder: 0,
      } as const;
      sums.waited(wait);
    }
  }
  return sums.copy();
}

export const HOOKED: Pick<SessionInfo, 'programs' | 'hooks'> = {
  programs: [
    { name: 'fexit_handle_mm_fault', target: 'handle_mm_fault', method: 'fexit' },
    { name: 'kpm_do_swap_page', target: 'do_swap_page', method: 'kprobe.multi' },
    { name: 'krpm_do_swap_page', target: 'do_swap_page', method: 'kretprobe.multi' },
  ],
  hooks: [
    { target: 'handle_mm_fault', attached: true, note: '' },
    { target: 'do_swap_page', attached: true, note: '' },
    { target: 'up_read', attached: false, note: 'left out: releases are derived' },
  ],
};

export function locksAt(
  seconds: number,
  retries: number,
  comms: readonly string[],
  worst: Lifecycle,
): Pick<
  Snapshot,
  'held' | 'mmapLock' | 'writers' | 'counterfactual' | 'otherUsers' | 'vmas' | 'causeCosts' | 'timeline' | 'progress'
> {
  const of = (n: number): number => Math.round(n * seconds);
  const commOf = (i: number): string => comms[i % comms.length] ?? '';
  return {
    held: {
      vma: stats(of(4), 900),
      mmap: stats(of(9), 2100),
      none: stats(of(240), 61_000),
      unknown: stats(0, Number.NaN),
    },
    mmapLock: {
      read: { acquired: of(900), waitNs: of(81_000_000), decades: [880, 12, 5, 2, 1, 0, 0, 0].map(of) },
      write: { acquired: of(310), waitNs: of(21_000_000), decades: [290, 14, 4, 1, 0, 1, 0, 0].map(of) },
      tryFailed: of(41),
      known: true,
    },
    writers: Array.from({ length: 9 }, (_, i) => writer(i, seconds, commOf(i))),
    counterfactual: {
      all: counterfactual('all', retries),
      byCause: [counterfactual('folio locked', retries - of(45)), counterfactual('userfault', of(31))],
      byProcess: [counterfactual('1000 redis-server', retries >> 1)],
    },
    otherUsers: { userfaultfd: of(3), procfs: of(0.1), madvise: null, damon: null, other: 0 },
    vmas: Array.from({ length: 14 }, (_, i) => vma(i, seconds, commOf(i))),
    causeCosts: Object.fromEntries(
      CAUSES.filter((cause) =>
        ['folio locked', 'userfault', 'anon_vma', 'unknown', 'VMA lock unavailable'].includes(cause),
      ).map((cause, i) => [
        cause,
        { faults: of(200 >> i), lostNs: of(200 >> i) * 91_000, worstNs: 40_000_000 >> i, worst },
      ]),
    ),
    timeline: timelineOf(seconds),
    progress: {
      pagesAgain: of(2),
      mostRetries: 7,
      again: of(3),
      refaults: of(11),
      herds: [of(90), of(31), of(8), 2],
      largestHerd: 12,
      folioUnknown: 0,
    },
  };
}
