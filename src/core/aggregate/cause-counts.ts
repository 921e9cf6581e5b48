// SPDX-License-Identifier: MIT
/** How many attempts failed of which cause, and of how many the cause is not final. */
import type { AttemptRecord } from '../lifecycle/attempt-record.js';
import { type AbortCause, type Cause, RETRY_CAUSES, type RetryCause } from '../vocabulary/causes.js';
import { add } from './name-counts.js';
import { ProvisionalCauses } from './provisional-causes.js';

export class CauseCounts {
  readonly retries: Record<RetryCause, number> = Object.fromEntries(RETRY_CAUSES.map((cause) => [cause, 0])) as Record<
    RetryCause,
    number
  >;
  readonly aborts: Partial<Record<AbortCause, number>> = {};
  /** RETRYs without a cause, by the innermost function. */
  readonly unknownBy: Record<string, number> = {};
  readonly undecided: ProvisionalCauses = new ProvisionalCauses();

  /** Of this attempt's outcome: `by` more of a cause. */
  count(attempt: AttemptRecord, cause: Cause, by: number): void {
    this.undecided.count(attempt.outcome, cause, by);
    if (attempt.outcome === 'abort') add(this.aborts, cause as AbortCause, by);
    else {
      this.retries[cause as RetryCause] += by;
      if (cause === 'unknown') add(this.unknownBy, attempt.innermost, by);
    }
  }
}
