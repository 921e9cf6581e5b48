// SPDX-License-Identifier: MIT
/** What a process uses, from /proc. */
import { readdirSync, readFileSync } from 'node:fs';

export interface Usage {
  readonly rssBytes: number;
  readonly descriptors: number;
  readonly threads: number;
  /** Of user and system together. */
  readonly cpuSeconds: number;
}

const TICKS_PER_SEC = 100; // USER_HZ, the same on all of Debian's architectures

export function usageOf(pid: number): Usage {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const number = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
  return {
    rssBytes: number('VmRSS') * 1024,
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    threads: number('Threads'),
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SEC,
  };
}
