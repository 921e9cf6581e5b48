// SPDX-License-Identifier: MIT
/** What is known of a rule so far. */
import type { Facts } from './facts.js';
import { whyNot } from './observable.js';
import type { Rule } from './rule.js';
import type { Trace } from './trace.js';

/** A lifecycle that disobeyed, and over which time nothing may have been lost for it to count. */
export interface Suspicion {
  readonly trace: Trace;
  readonly before: Trace | null;
  readonly words: string;
  readonly at: number;
  readonly from: number;
  readonly to: number;
}

export class Tally {
  readonly rule: Rule;
  readonly why: string;
  /** Bits of the kinds one of which has to be there; all bits when any will do. */
  readonly kinds: number;
  held = 0;
  violated = 0;
  setAside = 0;
  suspected: Suspicion[] = [];
  first: Suspicion | null = null;
  words = '';

  constructor(rule: Rule, facts: Facts) {
    this.rule = rule;
    this.why = whyNot(rule, facts);
    this.kinds = rule.kinds === undefined ? -1 : rule.kinds.reduce((bits, kind) => bits | (1 << kind), 0);
  }
}
