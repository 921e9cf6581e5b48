// SPDX-License-Identifier: MIT
/** What the verdicts on some retries sum to: over all, over a cause's, or over a process's. */
import type { Verdict } from '../lifecycle/lifecycle.js';
import { VERDICTS, type VerdictKind } from '../vocabulary/verdicts.js';
import { StallTotals } from './stalls.js';

const NO_VERDICTS = Object.fromEntries(VERDICTS.map((kind) => [kind, 0])) as Record<VerdictKind, number>;

export class CounterfactualSums extends StallTotals {
  retries = 0;
  judged = 0;
  readonly verdicts: Record<VerdictKind, number> = { ...NO_VERDICTS };
  avoidableQuiet = 0;
  avoidableBusy = 0;
  readonly unknownWhy: Map<string, number> = new Map();
  savedNs = 0;
  stallUnknown = 0;

  judge(verdict: Verdict, savedNs: number): void {
    this.judged++;
    this.verdicts[verdict.kind]++;
    if (verdict.kind === 'unknown') this.unknownWhy.set(verdict.why, (this.unknownWhy.get(verdict.why) ?? 0) + 1);
    if (verdict.kind !== 'avoidable') return;
    this.savedNs += savedNs;
    if (verdict.mmWriters === 0) this.avoidableQuiet++;
    else if (verdict.mmWriters > 0) this.avoidableBusy++;
  }
}
