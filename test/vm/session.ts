// SPDX-License-Identifier: MIT
/** What the tool saw of a session in a guest, beside what the workloads say of themselves. */
import assert from 'node:assert/strict';

export interface Wait {
  kind: string;
  held: string;
  start_ns: number;
  end_ns: number | null;
  duration_ns: number | null;
  contended_ns: number | null;
  holder_tid: number | null;
}
export interface Attempt {
  lock: string;
  outcome: string;
  ret: number | null;
  cause: string | null;
  innermost: string | null;
  verdict: string | null;
  mm_writers: number | null;
  writer_tid: number | null;
  writer_syscall: number | null;
  writer_exact: boolean | null;
}
export interface Fault {
  tgid: number | null;
  mapping: string | null;
  address: number | null;
  how: string;
  major: boolean;
  tries: number;
  retries: number;
  attempts: Attempt[];
  waits: Wait[];
  lost: string | null;
}
/** What a workload says of itself; see its source for what each of them means. */
export interface Truth {
  pid: number;
  truth: number;
  address?: string;
  stride?: number;
  /** How many from `address` on, where that is not `truth`. */
  pages?: number;
  addresses?: string[];
  writer: number;
  writers: number;
  holder: number;
  more: number;
  slept: number;
  wakes: number;
  faults: number;
  vmas: number;
  changed: [number, number];
  opened: [number, number];
  joined: number;
  mappings: { address: string; path: string; device: string; inode: number }[];
}
export interface WaitStat {
  count: number;
  sumNs: string;
  maxNs: number | null;
}
export interface Stat {
  arch: string;
  filters: Record<string, string>;
  ended: boolean;
  release: string;
  hooks: { target: string; attached: boolean; note: string }[];
  counts: {
    faults: number;
    vmaLock: {
      success: number;
      retry: number;
      completed: number;
      abort: number;
      error: number;
      accessError: number | null;
    };
    kernelMode: number;
  };
  events: {
    emitted: number;
    decoded: number;
    dropped: number;
    missed: number;
    stateLost: number;
    perKind: Record<string, { emitted: number; decoded: number; dropped: number }>;
  };
  lifecycles: { total: number; incomplete: number };
  retry: { total: number; byCause: Record<string, number>; unknownBy: Record<string, number> };
  abort: { total: number; byCause: Record<string, number> };
  otherUsers: { userfaultfd: number | null; procfs: number | null; madvise: number | null };
  writers: {
    tgid: number;
    syscall: number;
    name: string;
    vmas: number;
    retriesLocked: number;
    retriesDelayed: number;
  }[];
  vmas: { tgid: number; mapping: string | null; device: string | null; inode: number | null }[];
  counterfactual: {
    byProcess: {
      key: string;
      stall: { basis: string; writers: number; exactNs: string | null; boundNs: string | null };
    }[];
  };
  swap: { devices: { name: string | null; synchronous: boolean; reads: number; retries: number }[] };
  blockers: {
    known: boolean;
    /** Contended waits of faults for mmap_lock. */
    faultWaits: { count: number; named: number; why: Record<string, number> };
  };
}
export interface Ran {
  run: string;
  code: number;
  truth: Truth | null;
  words: string;
}
/** A line that test/vm/guest/causes and mixed print: one session. */
export interface Head {
  observed: string;
  code: number;
  truths: Ran[];
  words: string;
  recording: string;
}
/** A rule of `check --json`. */
export interface Rule {
  rule: number;
  result: string;
  held: number;
  why: string;
}

/** emitted = decoded + dropped, in all and kind by kind. `what`: whose. */
export function assertSums({ events }: Pick<Stat, 'events'>, what: string = 'events'): void {
  assert.equal(events.emitted, events.decoded + events.dropped, `${what}: the law of conservation`);
  for (const [kind, { emitted, decoded, dropped }] of Object.entries(events.perKind))
    assert.equal(emitted, decoded + dropped, `${what}: ${kind}`);
}

/** And nothing dropped. */
export function assertConserved(stat: Pick<Stat, 'events'>): void {
  assertSums(stat);
  assert.equal(stat.events.dropped, 0, 'dropped');
}
