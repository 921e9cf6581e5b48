// SPDX-License-Identifier: MIT
/** Which policy the kernel itself follows, told by what its faults do and never by its version. */
import { Histogram } from '../aggregate/histogram.js';
import type { Lifecycle } from '../lifecycle/lifecycle.js';
import { DROPPING_WAITS } from '../vocabulary/waits.js';
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

  closed({ attempts, waits }: Lifecycle): void {
    for (let i = 1; i < attempts.length; i++) {
      const [before, attempt] = [attempts[i - 1], attempts[i]];
      if (before?.lock !== 'vma' || before.outcome !== 'retry' || attempt?.lock !== 'vma') continue;
      this.secondTries++;
      if (attempt.outcome === 'ok' || attempt.outcome === 'completed') this.secondOk++;
      else if (attempt.outcome === 'retry') this.secondRetry++;
      else if (attempt.outcome === 'abort') this.secondAbort++;
    }
    // After a second try no wait tells: FAULT_FLAG_TRIED keeps the lock everywhere.
    if (attempts[0]?.lock !== 'vma' || attempts[1]?.lock === 'vma') return;
    const over = attempts[0].released.hi;
    for (const { kind, held, start, end } of waits) {
      if (!DROPPING_WAITS.has(kind) || Number.isNaN(end)) continue;
      if (held === 'vma') this.kept.record(end - start);
      else if (held === 'none' && start <= over) this.dropped++;
    }
  }

  /** null: no fault waited in a way that would show it. */
  get policy(): Policy | null {
    if (this.secondTries > 0) return 'retry';
    if (this.kept.count > 0 && this.kept.count > this.dropped) return 'keep';
    return this.dropped > 0 ? 'today' : null;
  }
}
