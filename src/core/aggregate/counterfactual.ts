// SPDX-License-Identifier: MIT
/** Verdicts on retries and what each side of the argument would have cost, over all, by cause and by process. */

import type { ProcessNames } from '../events/process-names.js';
import { isHooked, type SessionInfo } from '../events/session.js';
import type { AttemptRecord, WaitRecord } from '../lifecycle/attempt-record.js';
import type { Attempt, Lifecycle, Wait } from '../lifecycle/lifecycle.js';
import type { FaultRecord } from '../lifecycle/record.js';
import { type Cause, isAtOnce, RETRY_CAUSES, type RetryCause } from '../vocabulary/causes.js';
import { DROPPING_WAITS } from '../vocabulary/waits.js';
import { CounterfactualSums } from './counterfactual-sums.js';
import { MMAP_LOCK_HOOK, seesQueue, VMA_WRITE_HOOK } from './mmap-lock.js';
import type { CounterfactualRow, StallSums } from './snapshot-rows.js';
import { type OpenWindow, type Provisional, placeOf, Stalls } from './stalls.js';
import type { ProcessSums } from './sums.js';

const MAX_COUNTERFACTUAL_PROCESSES = 64;
/** Waits in flight looked at for one snapshot. */
const MAX_OPEN_WINDOWS = 4096;

const NOT_SEEN = { start: Number.NaN, end: Number.NaN };

/** The window of a retry; null when it did not wait, NaN where an end of it was not seen. */
export function windowOf(
  fault: Pick<Lifecycle, 'waits'>,
  attempt: Pick<Attempt, 'cause' | 'released'>,
): { readonly start: number; readonly end: number } | null {
  if (isAtOnce(attempt.cause)) return null;
  const { lo, hi } = attempt.released;
  const { waits } = fault;
  for (let i = waits.length - 1; i >= 0; i--) {
    const wait = waits[i] as Wait;
    // What began after the lock was gone belongs to a later attempt.
    if (!DROPPING_WAITS.has(wait.kind) || wait.start > hi || Number.isNaN(wait.end)) continue;
    // Nothing bounds the release from below: the wait began with it, give or take a few instructions.
    return { start: Number.isFinite(lo) ? lo : wait.start, end: wait.end };
  }
  return NOT_SEEN;
}

export class Counterfactual {
  readonly stalls: Stalls = new Stalls();
  readonly all: CounterfactualSums = new CounterfactualSums();
  readonly byCause: Readonly<Record<RetryCause, CounterfactualSums>> = Object.fromEntries(
    RETRY_CAUSES.map((cause) => [cause, new CounterfactualSums()]),
  ) as Record<RetryCause, CounterfactualSums>;
  readonly basis: StallSums['basis'];
  readonly #queueSeen: boolean;

  constructor(session: SessionInfo | null) {
    const hooked = (target: string): boolean => session !== null && isHooked(session, target);
    this.basis = hooked(VMA_WRITE_HOOK) ? 'exact' : hooked(MMAP_LOCK_HOOK) ? 'bound' : 'none';
    this.#queueSeen = session !== null && seesQueue(session);
  }

  /** A VMA-lock attempt returned RETRY; its cause may still change. */
  retried(cause: Cause, process: ProcessSums): void {
    this.all.retries++;
    this.#of(cause).retries++;
    process.counterfactual ??= new CounterfactualSums();
    process.counterfactual.retries++;
  }

  caused(cause: Cause, was: Cause): void {
    this.#of(was).retries--;
    this.#of(cause).retries++;
  }

  /** Verdict and cause are final. `wait`: the fallback's, null when not seen. */
  judged(fault: FaultRecord, attempt: AttemptRecord, wait: WaitRecord | null, process: ProcessSums): void {
    const { verdict } = attempt;
    if (verdict === null) return;
    const cause = this.#of(attempt.cause ?? 'unknown');
    process.counterfactual ??= new CounterfactualSums();
    const own = process.counterfactual;
    this.all.judge(verdict, wait);
    cause.judge(verdict, wait);
    own.judge(verdict, wait);
    if (this.basis === 'none') return;
    const window = windowOf(fault, attempt);
    if (window === null) return;
    if (Number.isNaN(window.start) || Number.isNaN(window.end) || Number.isNaN(fault.address)) {
      this.all.stallUnknown++;
      cause.stallUnknown++;
      own.stallUnknown++;
      return;
    }
    this.stalls.window(placeOf(fault), window.start, window.end, cause, own);
  }

  /** What waits in flight add until `now`; `open`: oldest first. */
  provisional(open: Iterable<FaultRecord>, now: number): Provisional {
    if (this.basis === 'none') return new Map();
    const windows: OpenWindow[] = [];
    for (const fault of open) {
      if (windows.length === MAX_OPEN_WINDOWS) break;
      const { attempt } = fault;
      const process = fault.process as ProcessSums;
      if (attempt === null || attempt.lock !== 'vma' || Number.isNaN(fault.address)) continue;
      const wait = fault.waits.findLast(({ kind, end }) => DROPPING_WAITS.has(kind) && Number.isNaN(end));
      if (wait === undefined || wait.held !== 'none') continue;
      // It is not sure yet that this attempt returns RETRY: no sums are made for its sake.
      windows.push({
        at: placeOf(fault),
        start: wait.start,
        process: process.counterfactual ?? new CounterfactualSums(),
      });
    }
    return this.stalls.provisional(windows, now);
  }

  row(key: string, sums: CounterfactualSums, provisional: Provisional): CounterfactualRow {
    const stall = sums === this.all ? this.stalls.all : sums;
    const more = provisional.get(stall);
    const pending = sums.retries - sums.judged;
    const why = [...sums.unknownWhy].sort(([x], [y]) => (x < y ? -1 : 1));
    if (pending > 0) why.push(['fallback not seen yet', pending]);
    const exact = this.basis === 'exact';
    return {
      key,
      retries: sums.retries,
      verdicts: { ...sums.verdicts, unknown: sums.verdicts.unknown + pending },
      avoidableQuiet: sums.avoidableQuiet,
      avoidableBusy: sums.avoidableBusy,
      unknownWhy: Object.fromEntries(why),
      savedNs: this.#queueSeen ? sums.queuedNs : null,
      lookupNs: this.#queueSeen ? sums.lookupNs : sums.lookupNs + sums.queuedNs,
      stall: {
        exactNs: stall.exactNs + (more?.exactNs ?? 0),
        boundNs: stall.boundNs + (more?.boundNs ?? 0),
        writers: (exact ? stall.exactHolds : stall.boundHolds) + ((exact ? more?.exactHolds : more?.boundHolds) ?? 0),
        basis: this.basis,
        unknown: sums.stallUnknown,
      },
    };
  }

  causeRows(provisional: Provisional): CounterfactualRow[] {
    return RETRY_CAUSES.filter((cause) => this.byCause[cause].retries > 0).map((cause) =>
      this.row(cause, this.byCause[cause], provisional),
    );
  }

  processRows(processes: Iterable<ProcessSums>, provisional: Provisional, names: ProcessNames): CounterfactualRow[] {
    const rows: { process: ProcessSums; sums: CounterfactualSums }[] = [];
    for (const process of processes)
      if (process.counterfactual !== null) rows.push({ process, sums: process.counterfactual });
    return rows
      .sort((x, y) => y.sums.retries - x.sums.retries || x.process.tgid - y.process.tgid)
      .slice(0, MAX_COUNTERFACTUAL_PROCESSES)
      .map(({ process, sums }) =>
        this.row(`${process.tgid} ${names.of(process.tgid, process.comm)}`, sums, provisional),
      );
  }

  #of(cause: Cause): CounterfactualSums {
    return this.byCause[cause as RetryCause] ?? this.byCause.unknown;
  }
}
