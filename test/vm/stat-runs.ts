// SPDX-License-Identifier: MIT
/** Runs of test/vm/guest/spine: a workload under `stat --json`, and what both of them say. */
import assert from 'node:assert/strict';
import { type GuestOptions, runInGuest } from './guest.js';
import type { Stat as SessionStat } from './session.js';

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
export interface Stat extends Pick<SessionStat, 'ended' | 'release' | 'events'> {
  lifecycles: { incomplete: number };
  swap: { faults: number };
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

export async function runs(mode: string, options: Omit<GuestOptions, 'argv'>): Promise<Run[]> {
  const result = await runInGuest({ timeoutS: 900, ...options, argv: ['test/vm/guest/spine', mode] });
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
