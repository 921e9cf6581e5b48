// SPDX-License-Identifier: MIT
/** Runs the cases of a target one by one; a finding names the seed and the number that bring it back. */

import { btf, elf, proc, ring } from './binary.js';
import { connected, http, socket } from './net.js';
import { outputs } from './outputs.js';
import { CaseRandom } from './random.js';
import { recording } from './recording.js';
import type { Target } from './target.js';
import { commandLine, config, rules } from './text.js';

export const TARGETS: readonly Target[] = [
  recording,
  outputs,
  config,
  rules,
  commandLine,
  ring,
  btf,
  elf,
  proc,
  http,
  socket,
  connected,
];

/** A case may take this much CPU time: if it takes more, its sender can hang us. */
const MAX_CPU_MS = 3000;
/** Findings after which a target is given up. */
const MAX_FINDINGS = 20;

export interface Outcome {
  readonly target: string;
  readonly cases: number;
  readonly used: number;
  readonly seconds: number;
  /** The longest case, ms of CPU time. */
  readonly slowestMs: number;
  readonly findings: readonly string[];
}

export interface FuzzOptions {
  readonly seed: number;
  readonly cases: number;
  /** The first case's number: a finding's, to see it again. */
  readonly from?: number;
  /** Ends it after the case it is at: what was tried until then counts. */
  readonly stop?: AbortSignal;
  onProgress?(done: number): void;
}

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

export async function fuzz(target: Target, options: FuzzOptions): Promise<Outcome> {
  const { seed, cases, from = 0, stop, onProgress } = options;
  const findings: string[] = [];
  const prepared = await target.prepare();
  const begun = performance.now();
  let slowestMs = 0;
  let number = from;
  const find = (error: unknown): void => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    findings.push(`${target.name} --seed ${seed} --from ${number} --cases 1: ${text}`);
  };
  // What is thrown outside of the case it belongs to.
  process.on('uncaughtException', find);
  try {
    for (; number < from + cases && findings.length < MAX_FINDINGS && stop?.aborted !== true; number++) {
      const before = cpuMs();
      try {
        await prepared.run(new CaseRandom(seed, number));
      } catch (error) {
        find(error);
      }
      const took = cpuMs() - before;
      slowestMs = Math.max(slowestMs, took);
      if (took > MAX_CPU_MS) find(new Error(`it took ${took.toFixed(0)} ms of CPU time`));
      // Signals are heard between turns, of which most cases leave none.
      if (number % 100 === 99) await new Promise((resolve) => setImmediate(resolve));
      if (number % 1000 === 999) onProgress?.(number + 1 - from);
    }
    const used = prepared.used();
    await prepared.close?.();
    return {
      target: target.name,
      cases: number - from,
      used,
      seconds: (performance.now() - begun) / 1000,
      slowestMs,
      findings,
    };
  } finally {
    process.off('uncaughtException', find);
  }
}
