// SPDX-License-Identifier: MIT
/** Sums of waits for a lock, by whether they have a holder and, of those that have none, why. */
import type { WaitedFor } from './blocker-rows.js';
import { Histogram } from './histogram.js';

export class Waited<Why extends string> {
  readonly times: Histogram = new Histogram();
  named = 0;
  /** Nobody held it: it was acquired at once, past a queue that was about to acquire it. */
  free = 0;
  readonly why: Record<Why, number>;

  constructor(reasons: Readonly<Record<Why, string>>) {
    this.why = Object.fromEntries(Object.keys(reasons).map((key) => [key, 0])) as Record<Why, number>;
  }

  row(): WaitedFor<Why> {
    return { waits: this.times.stats(), named: this.named, why: { ...this.why }, free: this.free };
  }
}
