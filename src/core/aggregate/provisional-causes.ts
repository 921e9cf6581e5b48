// SPDX-License-Identifier: MIT
/**
 * Failed attempts whose cause the fallback may still change: of a RETRY until it is judged, of an ABORT until its fault
 * is over. A count of causes that must not go back leaves these out.
 */
import type { AttemptRecord } from '../lifecycle/attempt-record.js';
import type { FaultRecord } from '../lifecycle/record.js';
import type { AbortCause, Cause, RetryCause } from '../vocabulary/causes.js';
import { add } from './name-counts.js';

export class ProvisionalCauses {
  readonly retries: Partial<Record<RetryCause, number>> = {};
  readonly aborts: Partial<Record<AbortCause, number>> = {};

  /** Attempts of that outcome and cause: so many more. */
  count(outcome: AttemptRecord['outcome'], cause: Cause, by: number): void {
    if (outcome === 'abort') add(this.aborts, cause as AbortCause, by);
    else add(this.retries, cause as RetryCause, by);
  }

  judged({ cause }: AttemptRecord): void {
    add(this.retries, (cause ?? 'unknown') as RetryCause, -1);
  }

  closed({ vmaAttempt }: FaultRecord): void {
    if (vmaAttempt?.outcome !== 'abort' || !vmaAttempt.reported) return;
    add(this.aborts, (vmaAttempt.cause ?? 'VMA lock unavailable') as AbortCause, -1);
  }
}
