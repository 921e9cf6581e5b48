// SPDX-License-Identifier: MIT
/** What came of second tries under the VMA lock, on kernels that make one after a RETRY. */
import type { AttemptRecord } from '../lifecycle/attempt-record.js';

export class SecondTries {
  done = 0;
  retry = 0;
  other = 0;

  settled({ outcome }: AttemptRecord): void {
    if (outcome === 'retry') this.retry++;
    else if (outcome === 'ok' || outcome === 'completed') this.done++;
    else this.other++;
  }

  /**
   * Faults whose second lookup found no lock to take: they reached mmap_lock after one RETRY, though the kernel tries twice.
   * `joins`: faults that reached mmap_lock after a RETRY.
   */
  failedAgain(joins: number): number {
    return this.done + this.retry + this.other === 0 ? 0 : Math.max(0, joins - this.retry);
  }
}
