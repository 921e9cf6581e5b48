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

/** What it takes for a fault to have held, by the ways in which it could have broken. */
export interface Hold {
  /** As `Say.held` was called with. */
  readonly sights: readonly string[];
  /** Why a violation would not have been seen; '' when it would. */
  readonly why: string;
  /** Hooks of which no run may have been missed, and all of them in one; '' when no absent step is part of it. */
  readonly hooks: readonly string[];
  readonly key: string;
  /** None from the task's fault before on, and not only from this one. */
  readonly sinceBefore: boolean;
}

export interface Seen {
  readonly sight: Sight;
  /** '' when it would be seen. */
  readonly why: string;
  /** Every hook of it, flat. */
  readonly hooks: readonly string[];
}

/** More readings than wait at a time: two numbers of them make one. */
const READINGS = 2 ** 26;

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
  words = '';
  /** By hooks, and by the readings before the first and the last step. */
  readonly #waiting: Map<string, Map<number, Waiting>> = new Map();
  readonly #holds: Hold[] = [];

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
    const kinds = this.#kinds;
    if (kinds === null) return true;
    for (let i = 0; i < kinds.length; i++) if (trace.has(kinds[i] as number)) return true;
    return false;
  }

  hold(sights: readonly string[]): Hold {
    for (const hold of this.#holds) if (isSame(hold.sights, sights)) return hold;
    const hold = holdOf(this, sights);
    this.#holds.push(hold);
    return hold;
  }

  /** Faults of [from, to], counted with those that the same readings decide: `first` and `last`, by number, come before its ends. */
  wait({ hooks, key }: Hold, first: number, last: number, from: number, to: number): void {
    let known = this.#waiting.get(key);
    if (known === undefined) {
      known = new Map();
      this.#waiting.set(key, known);
    }
    const readings = (first % READINGS) * READINGS + (last % READINGS);
    const waiting = known.get(readings);
    if (waiting === undefined) known.set(readings, { from, to, hooks, count: 1 });
    else {
      waiting.from = Math.min(waiting.from, from);
      waiting.to = Math.max(waiting.to, to);
      waiting.count++;
    }
  }

  /** Those that wait; one of which `settled` says so waits no more. */
  settle(settled: (waiting: Waiting) => boolean): void {
    for (const known of this.#waiting.values())
      for (const [readings, waiting] of known) if (settled(waiting)) known.delete(readings);
  }

  get waiting(): number {
    let count = 0;
    for (const known of this.#waiting.values()) for (const waiting of known.values()) count += waiting.count;
    return count;
  }

  violated(unless: Policy | null, suspicion: Suspicion | null): void {
    const known = this.violations.get(unless) ?? { count: 0, first: null };
    known.count++;
    known.first ??= suspicion;
    this.violations.set(unless, known);
  }
}

function isSame(x: readonly string[], y: readonly string[]): boolean {
  if (x.length !== y.length) return false;
  for (let i = 0; i < x.length; i++) if (x[i] !== y[i]) return false;
  return true;
}

function holdOf({ rule, sees }: Tally, sights: readonly string[]): Hold {
  const silent: Seen[] = [];
  for (const name of sights.length > 0 ? sights : sees.keys()) {
    const seen = sees.get(name);
    if (seen === undefined) throw new Error(`rule ${rule.number} has no sight ${name}`);
    if (seen.why !== '') return { sights, why: seen.why, hooks: [], key: '', sinceBefore: false };
    if (seen.sight.silent !== undefined) silent.push(seen);
  }
  const hooks = [...new Set(silent.flatMap((seen) => seen.hooks))];
  const sinceBefore = silent.some(({ sight }) => sight.silent === 'fault before');
  return { sights, why: '', hooks, key: hooks.join(' '), sinceBefore };
}
