// SPDX-License-Identifier: MIT
/** What a rule is: words, where it can be held to, and a pure function over one lifecycle. */
import { VlStepFlag } from '../../schema/events.gen.js';
import type { Call } from './calls.js';
import type { Facts } from './facts.js';
import type { Attempt, Shape } from './shape.js';
import type { Step } from './step-store.js';
import type { Trace } from './trace.js';

/**
 * One way a rule can break, and what shows it. Where one of the ways that a fault could have taken would not have been
 * seen, that fault is no proof that the rule held.
 */
export interface Sight {
  /** What would be seen. */
  readonly shows: string;
  /** Hooks that show it; all are needed. An array within: one of them will do. */
  readonly hooks: readonly Hooks[];
  readonly options?: readonly Option[];
  /** Why no hook shows it, on any kernel. */
  readonly never?: string;
  /**
   * That it did not happen is known by a step that did not come, so no run of these hooks may have been missed from
   * the fault's first step, or from the task's fault before it, to its last.
   */
  readonly silent?: 'fault' | 'fault before';
}

export type Hooks = string | readonly string[];

/** What a sight needs beside hooks. */
export type Option = 'release observed' | 'scope all' | 'x86-64 or arm64';

/** A kernel that does otherwise by design: the steps that contradict a rule are then no violation of it. */
export const POLICIES = {
  'retry-vma': 'this kernel tries once more under the VMA lock, with TRIED',
  'keep-vma': 'this kernel waits for folios with the VMA lock held',
} as const;
export type Policy = keyof typeof POLICIES;

/** How a rule reports what it found in a lifecycle. */
export interface Say {
  /** It was put to the test and held. `sights`: the ways it could have broken in this fault; none named: all of them. */
  held(...sights: string[]): void;
  /** Nothing contradicts it, and a violation might not have been seen. */
  unseen(why: string): void;
  /** It did not hold. `at`: index of the step that shows it. `overBefore`: the fault before it is part of the evidence. */
  violated(words: string, at: number, overBefore?: boolean): void;
  /** As `violated`, but for kernels of that policy. */
  violatedUnless(policy: Policy, words: string, at: number): void;
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
  'second tries under the VMA lock after its RETRY': 6,
  'waits for a folio that kept the VMA lock': 13,
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
  readonly hooks: readonly Hooks[];
  /** Each way it can break, by the name its `judge` uses. */
  readonly sees: Readonly<Record<string, Sight>>;
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
  return firstBetween(steps, from, to, kind) >= 0;
}

export function countBetween(steps: readonly Step[], from: number, to: number, kind: number): number {
  let n = 0;
  for (let i = Math.max(0, from + 1); i < to && i < steps.length; i++) if (steps[i]?.kind === kind) n++;
  return n;
}

/** The first step between two indices, both excluded, that is of `kind` and as `like` says; -1 for none. */
export function firstBetween(
  steps: readonly Step[],
  from: number,
  to: number,
  kind: number | null,
  like: ((step: Step) => boolean) | null = null,
): number {
  for (let i = Math.max(0, from + 1); i < to && i < steps.length; i++) {
    const step = steps[i] as Step;
    if ((kind === null || step.kind === kind) && (like === null || like(step))) return i;
  }
  return -1;
}

const isWhole = (call: Call): boolean => call.enter >= 0 && call.exit >= 0;

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

/** An attempt under the VMA lock that has TRIED, since the one before it in the same exception came back with RETRY. */
export function secondTry(x: Judged, attempt: Attempt): boolean {
  const { bits } = x.facts;
  const before = x.shape.attempts[x.shape.attempts.indexOf(attempt) - 1];
  if (before === undefined || !isOver(before) || !isOver(attempt) || attempt.vma !== true) return false;
  return before.vma === true && (before.ret & bits.retry) !== 0 && (attempt.flags & bits.tried) !== 0;
}

/** A signal was pending when the attempt's handle_mm_fault returned. */
export function signalPending(x: Judged, attempt: Attempt): boolean {
  return ((x.steps[attempt.exit]?.flags ?? 0) & VlStepFlag.SIGPENDING) !== 0;
}

/** Attempts in pairs, both seen to return, of an exception (get_user_pages takes its locks by itself). */
export function pairs(x: Judged): readonly (readonly [Attempt, Attempt])[] {
  if (x.shape.attempts.length < 2) return [];
  return x.shape.attempts.flatMap((next, i) => {
    const before = x.shape.attempts[i - 1];
    return before !== undefined && isOver(before) && isOver(next) && before.regs && next.regs
      ? [[before, next] as const]
      : [];
  });
}
