// SPDX-License-Identifier: MIT
/** What a process uses, from /proc. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

export interface Taken {
  readonly rssBytes: number;
  /** Since it began, or since `forgetPeak`. */
  readonly peakRssBytes: number;
  readonly threads: number;
  /** Of user and system together. */
  readonly cpuSeconds: number;
}

export interface Usage extends Taken {
  readonly descriptors: number;
}

const TICKS_PER_SEC = 100; // USER_HZ, the same on all of Debian's architectures

/**
 * The peak of resident memory counts from here (CLEAR_REFS_MM_HIWATER_RSS of fs/proc/task_mmu.c); false where that is not
 * permitted, as of a process that nobody but root may look into.
 */
export function forgetPeak(pid: number): boolean {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
    return true;
  } catch {
    return false;
  }
}

/** CPU time (s) of one thread of this process. */
export function cpuOfThread(tid: number): number {
  return cpuSeconds(`/proc/self/task/${tid}/stat`);
}

/** How long (s) the main thread of a process was ready to run and had no CPU; null where the kernel does not say (CONFIG_SCHED_INFO). */
export function waitedSeconds(pid: number): number | null {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e9;
  } catch {
    return null;
  }
}

/** What anybody may know of a process. */
export function takenBy(pid: number): Taken {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const number = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
  return {
    rssBytes: number('VmRSS') * 1024,
    peakRssBytes: number('VmHWM') * 1024,
    threads: number('Threads'),
    cpuSeconds: cpuSeconds(`/proc/${pid}/stat`),
  };
}

/** Of a process that may be looked into. */
export function usageOf(pid: number): Usage {
  return { ...takenBy(pid), descriptors: readdirSync(`/proc/${pid}/fd`).length };
}

function cpuSeconds(path: string): number {
  const stat = readFileSync(path, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SEC;
}
