// SPDX-License-Identifier: MIT
/** What is known of a rule so far. */
import type { Facts } from './facts.js';
import { whyNot, whyUnseen } from './observable.js';
import type { Policy, Rule, Sight } from './rule.js';
import type { Trace } from './trace.js';

/** A lifecycle that disobeyed, and over which time nothing may have been lost for it to count. */
export interface Suspicion {
  readonly trace: Trace;
  readonly before: Trace | null;
  readonly words: string;
  readonly at: number;
  readonly from: number;
  readonly to: number;
  /** Not a violation on kernels of this policy; null: on every kernel. */
  readonly unless: Policy | null;
}

/** Violations of one kind: those that count on every kernel, or those that do unless it has a policy. */
export interface Violations {
  count: number;
  first: Suspicion | null;
}

/** Faults that held because no step came to contradict them, all between the same two readings of the counters. */
export interface Waiting {
  from: number;
  to: number;
  readonly hooks: readonly string[];
  count: number;
}

export interface Seen {
  readonly sight: Sight;
  /** '' when it would be seen. */
  readonly why: string;
  /** Every hook of it, flat. */
  readonly hooks: readonly string[];
}

export class Tally {
  readonly rule: Rule;
  readonly why: string;
  readonly sees: ReadonlyMap<string, Seen>;
  readonly #kinds: readonly number[] | null;
  held = 0;
  unseen = 0;
  /** Why a violation would not have been seen, of the first fault of that sort. */
  unseenWhy = '';
  setAside = 0;
  suspected: Suspicion[] = [];
  readonly violations: Map<Policy | null, Violations> = new Map();
  /** By the readings before the first and the last step. */
  readonly waiting: Map<string, Waiting> = new Map();
  words = '';

  constructor(rule: Rule, facts: Facts) {
    this.rule = rule;
    this.why = whyNot(rule, facts);
    this.#kinds = rule.kinds ?? null;
    this.sees = new Map(
      Object.entries(rule.sees).map(([name, sight]) => [
        name,
        { sight, why: whyUnseen(sight, facts), hooks: sight.hooks.flat() },
      ]),
    );
  }

  /** Whether a lifecycle has a step without which there is nothing to judge. */
  concerns(trace: Trace): boolean {
    return this.#kinds === null || this.#kinds.some((kind) => trace.has(kind));
  }

  violated(unless: Policy | null, suspicion: Suspicion | null): void {
    const known = this.violations.get(unless) ?? { count: 0, first: null };
    known.count++;
    known.first ??= suspicion;
    this.violations.set(unless, known);
  }
}
