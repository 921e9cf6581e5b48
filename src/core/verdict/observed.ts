// SPDX-License-Identifier: MIT
/** Which policy the kernel itself follows, known by what its faults do and never by its version. */
import { Histogram } from '../aggregate/histogram.js';
import type { Lifecycle } from '../lifecycle/lifecycle.js';
import type { Policy } from './policies.js';

export class Observed {
  /** Attempts under the VMA lock after one that returned RETRY: what became of them. */
  secondTries = 0;
  secondOk = 0;
  secondRetry = 0;
  secondAbort = 0;
  /** Waits before which the lock was given back, and those spent with the VMA lock held. */
  dropped = 0;
  readonly kept: Histogram = new Histogram();

  closed({ attempts, waits, lost }: Lifecycle): void {
    for (let i = 1; i < attempts.length; i++) {
      const [before, attempt] = [attempts[i - 1], attempts[i]];
      if (before?.lock !== 'vma' || before.outcome !== 'retry' || attempt?.lock !== 'vma') continue;
      this.secondTries++;
      if (attempt.outcome === 'ok' || attempt.outcome === 'completed') this.secondOk++;
      else if (attempt.outcome === 'retry') this.secondRetry++;
      else if (attempt.outcome === 'abort') this.secondAbort++;
    }
    const [first] = attempts;
    if (first?.lock !== 'vma' || lost.length > 0) return;
    // A first try that gives its lock back returns RETRY. One that waited and did not has kept it.
    const keeps = attempts.length === 1 && first.outcome === 'ok';
    for (const { kind, start, end } of waits) {
      if ((kind !== 'folio' && kind !== 'file') || Number.isNaN(end)) continue;
      if (keeps) this.kept.record(end - start);
      else if (first.outcome === 'retry' && start <= first.released.hi) this.dropped++;
    }
  }

  /** null: no fault waited in a way that would show it. */
  get policy(): Policy | null {
    if (this.secondTries > 0) return 'retry';
    if (this.kept.count > 0 && this.kept.count > this.dropped) return 'keep';
    return this.dropped > 0 ? 'today' : null;
  }
}
