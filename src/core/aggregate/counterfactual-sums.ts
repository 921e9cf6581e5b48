// SPDX-License-Identifier: MIT
/** What the verdicts on some retries sum to: over all, over a cause's, or over a process's. */
import type { WaitRecord } from '../lifecycle/attempt-record.js';
import type { Verdict } from '../lifecycle/lifecycle.js';
import { VERDICTS, type VerdictKind } from '../vocabulary/verdicts.js';
import { StallTotals } from './stall-hold.js';

const NO_VERDICTS = Object.fromEntries(VERDICTS.map((kind) => [kind, 0])) as Record<VerdictKind, number>;

export class CounterfactualSums extends StallTotals {
  retries = 0;
  judged = 0;
  readonly verdicts: Record<VerdictKind, number> = { ...NO_VERDICTS };
  avoidableQuiet = 0;
  avoidableBusy = 0;
  readonly unknownWhy: Map<string, number> = new Map();
  queuedNs = 0;
  lookupNs = 0;
  stallUnknown = 0;

  /** `wait`: the fallback's in lock_mm_and_find_vma, null when not seen. */
  judge(verdict: Verdict, wait: WaitRecord | null): void {
    this.judged++;
    this.verdicts[verdict.kind]++;
    if (verdict.kind === 'unknown') this.unknownWhy.set(verdict.why, (this.unknownWhy.get(verdict.why) ?? 0) + 1);
    if (verdict.kind !== 'avoidable') return;
    if (wait !== null) {
      const queued = Number.isNaN(wait.contended) ? 0 : wait.end - wait.contended;
      this.queuedNs += queued;
      this.lookupNs += wait.end - wait.start - queued;
    }
    if (verdict.mmWriters === 0) this.avoidableQuiet++;
    else if (verdict.mmWriters > 0) this.avoidableBusy++;
  }
}
