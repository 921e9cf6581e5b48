// SPDX-License-Identifier: MIT
/** Runs of test/vm/guest/spine: a workload under `stat --json`, and what both of them say. */
import assert from 'node:assert/strict';
import { type GuestOptions, runInGuest } from './guest.js';
import { assertSums, type Stat as SessionStat } from './session.js';

/** For a guest that swaps to a disk. */
export const DISK: readonly string[] = ['512M'];

interface Address {
  address: string;
  lifecycles: number;
  retries: number;
  joined: number;
  byCause: Record<string, number>;
  byEnd: Record<string, number>;
}
interface Rule {
  count: number;
  unbounded: number;
  width: { count: number; p50Ns: number | null; p99Ns: number | null; maxNs: number | null };
  checked: number;
  outside: number;
}
export interface Stat
  extends Pick<SessionStat, 'ended' | 'release' | 'events' | 'counts' | 'hooks' | 'retry' | 'abort'> {
  durationNs: number;
  lifecycles: { incomplete: number; byEnd: Record<string, number> };
  swap: {
    faults: number;
    calls: number;
    followed: number;
    sampled: number;
    lost: number;
    devices: { type: number; faults: number; reads: number }[];
    counted: {
      total: number;
      byProcess: number;
      rows: { tgid: number; device: number | null; faults: number; reads: number; hist: number[] }[];
    };
  };
  processes: { tgid: number; comm: string; swap: number }[];
  cgroups: { cgroup: number; swap: number }[];
  kernelHist: Record<string, number[]>;
  releaseRules: Record<string, Rule>;
  addresses: Address[];
}
export interface Run {
  run: string;
  code: number;
  truth: { address?: string; truth?: number } | null;
  stat: Stat | null;
  words: string;
}

/** Runs of test/vm/guest/spine, by their names there, in one guest. */
export async function runs(names: readonly string[], options: Omit<GuestOptions, 'argv'>): Promise<Run[]> {
  const result = await runInGuest({ timeoutS: 1800, ...options, argv: ['test/vm/guest/spine', ...names] });
  assert.equal(result.code, 0, `${result.stderr}\n${result.stdout.slice(-2000)}`);
  return result.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Run);
}

export function statOf(run: Run): Stat {
  assert.equal(run.code, 0, `${run.run}: ${run.words}`);
  assert.ok(run.stat, `${run.run}: no summary; ${run.words}`);
  return run.stat;
}

/** Retries of a cause and of its finer ones: `folio locked` is `folio locked: own read` as well. */
function ofCause(byCause: Record<string, number>, cause: string): number {
  return Object.entries(byCause)
    .filter(([name]) => name === cause || name.startsWith(`${cause}:`))
    .reduce((sum, [, n]) => sum + n, 0);
}

/** Exactly the waiters' retries, each whole; short of that by no more than the runs the kernel says it skipped. */
export function assertGate(run: Run, cause: string): string {
  const stat = statOf(run);
  const { truth, address } = run.truth ?? {};
  assert.ok(truth !== undefined && address !== undefined, `${run.run}: the workload said no truth; ${run.words}`);
  const gate = stat.addresses.find((row) => row.address === address);
  assert.ok(gate, `${run.run}: ${address} is not among the addresses`);
  assertSums(stat, run.run);
  assert.equal(stat.events.dropped, 0, run.run);
  assert.equal(stat.ended, true, run.run);
  const { missed } = stat.events;
  const whole = gate.byEnd['ok-mmap'] ?? 0;
  if (missed === 0) {
    assert.equal(gate.retries, truth, `${run.run}: retries`);
    assert.equal(ofCause(gate.byCause, cause), truth, `${run.run}: ${cause}`);
    assert.equal(gate.joined, truth, `${run.run}: joined to their mmap_lock attempt`);
    assert.deepEqual(gate.byEnd, { 'ok-mmap': truth }, `${run.run}: ends`);
    assert.equal(stat.lifecycles.incomplete, 0, run.run);
  } else {
    for (const [what, n] of Object.entries({
      retries: gate.retries,
      cause: ofCause(gate.byCause, cause),
      joined: gate.joined,
      whole,
    })) {
      assert.ok(n <= truth, `${run.run}: ${what} ${n} exceeds the truth ${truth}`);
      assert.ok(truth - n <= missed, `${run.run}: ${what} ${n} is short of ${truth} by more than the ${missed} missed`);
    }
  }
  return `${run.run}: truth ${truth}, retries ${gate.retries}, ${cause} ${ofCause(gate.byCause, cause)}, joined ${gate.joined}, whole ${whole}, missed ${missed}`;
}
