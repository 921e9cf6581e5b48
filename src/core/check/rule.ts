// SPDX-License-Identifier: MIT
/** What a rule is: words, where it can be held to, and a pure function over one lifecycle. */
import type { Facts } from './facts.js';
import type { Attempt, Call, Shape } from './shape.js';
import type { Step, Trace } from './trace.js';

/** How a rule tells what it found in a lifecycle. */
export interface Say {
  /** It was put to the test and held. */
  held(): void;
  /** It did not hold. `at`: index of the step that shows it. `overBefore`: the fault before it is part of the evidence. */
  violated(words: string, at: number, overBefore?: boolean): void;
  /** It could not be decided: a step that may be absent would decide it. */
  aside(): void;
  /** Something worth counting that is no violation. */
  found(what: FindingName, of?: number): void;
}

/** Claims and circumstances that are counted; none of them is a violation. */
export const FINDINGS = {
  'synchronous swap-ins under the VMA lock': 24,
  'synchronous swap-ins under the VMA lock that reclaimed memory first': 24,
  'synchronous swap-ins under the VMA lock that came to wait for the folio': 24,
  'waits with the VMA lock held: synchronous swap read': 23,
  'waits with the VMA lock held: migration entry': 23,
  'waits with the VMA lock held: reclaim': 23,
  'waits with the VMA lock held: swap-in submission': 23,
  'mmap_lock tried under the VMA lock by reclaim': 22,
  'a signal pending after RETRY ended the fault': 6,
} as const;
export type FindingName = keyof typeof FINDINGS;

export interface Judged {
  readonly trace: Trace;
  readonly steps: readonly Step[];
  readonly shape: Shape;
  readonly facts: Facts;
}

export interface Rule {
  /** As in docs/check.md. */
  readonly number: number;
  readonly statement: string;
  /** First and last kernel it holds for, as `version()`; absent: no bound. */
  readonly from?: number;
  readonly to?: number;
  /** Hooks without which there is nothing to judge. An array within: one of them will do. */
  readonly hooks: readonly (string | readonly string[])[];
  /** Only where each VMA-lock release is seen (`--release observed`, 6.4 to 6.14). */
  readonly exact?: true;
  /** Only in this scope are the lifecycles sent that it looks at. */
  readonly scope?: 'all';
  /** A fixed reason why it can be observed nowhere; then there is no `judge`. */
  readonly never?: string;
  /** What its premise is, for when it did not occur: `no … was seen`. */
  readonly premise: string;
  /** Judged only when a step of one of these kinds is there. */
  readonly kinds?: readonly number[];
  /** A claim: what is found is counted, and no result is a violation. */
  readonly claim?: true;
  readonly judge?: (x: Judged, say: Say) => void;
}

export const isOver = (attempt: Attempt): boolean => attempt.exit >= 0;

/** Whether a step of `kind` lies between two indices, both excluded. */
export function between(steps: readonly Step[], from: number, to: number, kind: number): boolean {
  return countBetween(steps, from, to, kind) > 0;
}

export function countBetween(steps: readonly Step[], from: number, to: number, kind: number): number {
  let n = 0;
  for (let i = Math.max(0, from + 1); i < to && i < steps.length; i++) if (steps[i]?.kind === kind) n++;
  return n;
}

export const isWhole = (call: Call): boolean => call.enter >= 0 && call.exit >= 0;

export function callsOf(x: Judged, kind: Call['kind']): readonly (readonly [Attempt, Call])[] {
  const found: (readonly [Attempt, Call])[] = [];
  for (const attempt of x.shape.attempts)
    for (const call of attempt.calls) if (call.kind === kind && isWhole(call)) found.push([attempt, call]);
  return found;
}

/** fault_flag_allow_retry_first() (include/linux/mm.h): what decides whether a callee may drop the fault lock. */
export function isFirstTry(flags: number, facts: Facts): boolean {
  return (flags & facts.bits.allowRetry) !== 0 && (flags & facts.bits.tried) === 0;
}
