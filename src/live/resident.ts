// SPDX-License-Identifier: MIT
/**
 * Staying alive and awake while memory is short, which is when the tool is needed. What it executes is locked in memory, so
 * that it is not read from a disk that is the trouble; and it is not the first thing the OOM killer takes. Done once
 * everything is loaded and before privileges are given up: both take one (CAP_IPC_LOCK or RLIMIT_MEMLOCK, CAP_SYS_RESOURCE).
 *
 * The heap is not locked: V8 gives pages back by madvise(MADV_DONTNEED), which the kernel refuses on a locked VMA
 * (madvise_dontneed_free, mm/madvise.c), and V8 aborts over it. In a cgroup MemorySwapMax=0 keeps it from being swapped out.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { BpfError, lockPages } from 'ebpf-ts';
import { errorCode } from '../errors.js';
import { parseNsPid } from './namespaces.js';
import { ownChildren } from './own-children.js';

export interface Residency {
  /** Bytes of mapped files (the program, its libraries) whose pages stay in memory once they were used. */
  readonly lockedBytes: number;
  /** Why not all of them are, in words; null when they are. */
  readonly unlocked: string | null;
  /** oom_score_adj of this process (-1000 to 1000); null where /proc does not say. */
  readonly oomScoreAdj: number | null;
  /** Why it is as likely a victim as anybody, in words; null when it is not. */
  readonly oomWhy: string | null;
}

/** Half of the memory there is, in the OOM killer's terms (oom_badness, mm/oom_kill.c): more than the tool ever has. */
const OOM_SCORE_ADJ = -500;
const OOM_FILE = 'oom_score_adj';

interface Mapping {
  readonly start: bigint;
  readonly length: bigint;
}

/** Private mappings of files in /proc/PID/maps: program text, constants and data. No devices, no memory of the kernel's. */
export function mappedFiles(maps: string): Mapping[] {
  return maps.split('\n').flatMap((line) => {
    const [, from, to, path] = /^([0-9a-f]+)-([0-9a-f]+) ...p [0-9a-f]+ \S+ [1-9]\d* +(\/.*)$/.exec(line) ?? [];
    if (from === undefined || to === undefined || path?.startsWith('/dev/') !== false) return [];
    const start = BigInt(`0x${from}`);
    return [{ start, length: BigInt(`0x${to}`) - start }];
  });
}

function lockFiles(): Pick<Residency, 'lockedBytes' | 'unlocked'> {
  let lockedBytes = 0;
  for (const { start, length } of mappedFiles(readFileSync('/proc/self/maps', 'utf8'))) {
    try {
      lockPages(start, length);
    } catch (error) {
      if (!(error instanceof BpfError)) throw error;
      return { lockedBytes, unlocked: `${error.message} (CAP_IPC_LOCK, or LimitMEMLOCK=infinity)` };
    }
    lockedBytes += Number(length);
  }
  return { lockedBytes, unlocked: null };
}

function spareFromOom(): Pick<Residency, 'oomScoreAdj' | 'oomWhy'> {
  const path = `/proc/self/${OOM_FILE}`;
  let now: number;
  try {
    now = Number(readFileSync(path, 'utf8'));
  } catch (error) {
    return { oomScoreAdj: null, oomWhy: `${path}: ${errorCode(error)}` };
  }
  // The parent has set it (OOMScoreAdjust=, choom(1)).
  if (now < 0) return { oomScoreAdj: now, oomWhy: null };
  try {
    writeFileSync(path, String(OOM_SCORE_ADJ));
    return { oomScoreAdj: OOM_SCORE_ADJ, oomWhy: null };
  } catch (error) {
    return {
      oomScoreAdj: now,
      oomWhy: `oom_score_adj is ${now}: ${errorCode(error)} (CAP_SYS_RESOURCE, or OOMScoreAdjust=)`,
    };
  }
}

/** What the host does not grant is said in the result, and is no error. */
export function stayResident(): Residency {
  return { ...lockFiles(), ...spareFromOom() };
}

/** A program we start is nobody special: children inherit oom_score_adj. Raising it takes no privilege. */
export function ordinaryVictim(pid: number): void {
  try {
    // What /proc has under that number is somebody else where it is mounted from a namespace above.
    const isAbove = (parseNsPid(readFileSync('/proc/self/status', 'latin1')) ?? 0) > 0;
    const directory = isAbove ? ownChildren().find((child) => child.pid === pid)?.directory : `/proc/${pid}`;
    if (directory !== undefined) writeFileSync(`${directory}/${OOM_FILE}`, '0');
  } catch {
    // It ended meanwhile, or has become somebody else's.
  }
}
