// SPDX-License-Identifier: MIT
/** What the row of a cause says. */

export interface CauseFacts {
  /** Kebab-case and stable: for links, filters, and names where spaces are not welcome. */
  readonly id: string;
  /** What happened, in one sentence with the kernel function that decided. */
  readonly sentence: string;
  /** Hooks without which a RETRY of this kind has no cause or a less exact one: all of them are needed. */
  readonly hooks: readonly string[];
  /** What the owner of the process can do about it: a sentence. */
  readonly process: string;
  /** What the owner of the kernel, its settings and its devices can do: a sentence. */
  readonly kernel: string;
}

export interface RetryFacts extends CauseFacts {
  /**
   * `waited`: it dropped the lock for a wait. `at once`: it returned without one, so keeping the lock would not have kept
   * it over a wait. `by design`: at once, and the kernel never does this part of a fault under the VMA lock.
   */
  readonly course: 'waited' | 'at once' | 'by design';
}
