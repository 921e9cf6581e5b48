// SPDX-License-Identifier: MIT
/** `verdict`: three policies over the same faults. Batches in, one report out; everything in between has a bound. */
import { windowOf } from '../aggregate/counterfactual.js';
import { MMAP_LOCK_HOOK, seesQueue, VMA_WRITE_HOOK } from '../aggregate/mmap-lock.js';
import { Pipeline } from '../aggregate/pipeline.js';
import { type Faulted, placeOf } from '../aggregate/stalls.js';
import { BoundedMap } from '../bounded/bounded-map.js';
import { type EventBatch, isOfNoFault } from '../events/batch.js';
import { isHooked, type SessionInfo } from '../events/session.js';
import type { Interval, Lifecycle } from '../lifecycle/lifecycle.js';
import type { RetryCause } from '../vocabulary/causes.js';
import { ComesAgain } from './comes-again.js';
import { Observed } from './observed.js';
import { type FaultVerdict, retriedAttempt, type Under, verdictOf } from './outcome.js';
import { ALTERNATIVES, type Alternative } from './policies.js';
import { PolicyStalls } from './policy-stalls.js';
import { VerdictSums } from './sums.js';
import { WriterRows } from './writers.js';

const MAX_PROCESSES = 256;

type Window = ReturnType<typeof windowOf>;

export interface ProcessVerdict {
  readonly tgid: number;
  comm: string;
  readonly sums: VerdictSums;
}

export class Verdict {
  readonly session: SessionInfo;
  readonly all: VerdictSums = new VerdictSums();
  readonly byCause: Map<RetryCause, VerdictSums> = new Map();
  readonly byProcess: BoundedMap<number, ProcessVerdict> = new BoundedMap(MAX_PROCESSES, ({ sums }) => sums.retries);
  readonly observed: Observed = new Observed();
  /** `none`: no hook on writers, so nothing is known of their stalls. */
  readonly basis: 'exact' | 'bound' | 'none';
  readonly queueSeen: boolean;
  readonly stalls: Readonly<Record<Alternative, PolicyStalls>>;
  readonly writers: WriterRows;
  readonly pipeline: Pipeline;
  readonly #again: ComesAgain = new ComesAgain();
  #finished = false;

  constructor(session: SessionInfo) {
    this.session = session;
    const exact = isHooked(session, VMA_WRITE_HOOK);
    this.basis = exact ? 'exact' : isHooked(session, MMAP_LOCK_HOOK) ? 'bound' : 'none';
    this.queueSeen = seesQueue(session);
    const priorities = WriterRows.priorities();
    const stallsOf = (): PolicyStalls => new PolicyStalls(exact, (tid) => priorities.get(tid));
    this.stalls = Object.fromEntries(ALTERNATIVES.map((name) => [name, stallsOf()])) as Record<
      Alternative,
      PolicyStalls
    >;
    const policies = ALTERNATIVES.map((name) => this.stalls[name]);
    this.writers = new WriterRows(policies, this.#again, priorities, isHooked(session, MMAP_LOCK_HOOK));
    this.pipeline = new Pipeline(session, { onClosed: (fault) => this.#closed(fault) });
  }

  push(batch: EventBatch): void {
    this.pipeline.push(batch);
    for (let i = 0; i < batch.length; i++) if (isOfNoFault(batch.kind[i] as number)) this.writers.push(batch, i);
  }

  /** What is in flight ends here: nothing may be pushed after. */
  finish(): this {
    if (this.#finished) return this;
    this.#finished = true;
    for (const fault of this.pipeline.open()) this.#closed({ ...fault, end: Number.NaN });
    this.#again.finish();
    for (const name of ALTERNATIVES) this.stalls[name].finish();
    return this;
  }

  #closed(fault: Lifecycle): void {
    this.observed.closed(fault);
    this.#again.closed(fault);
    const attempt = retriedAttempt(fault);
    if (attempt === null) return;
    const verdict = verdictOf(fault, attempt, this.queueSeen);
    const cause = this.#causeOf(verdict.cause);
    const process = this.#processOf(fault);
    const all = [this.all, cause, process];
    for (const sums of all) {
      sums.add(verdict, fault.last - fault.first);
      sums.under.retry.add(verdict.retry);
    }
    const at = placeOf(fault);
    const window = verdict.keptOver ? windowOf(fault, attempt) : null;
    this.#kept(fault, verdict.keep, window, all);
    if (this.basis === 'none') return;
    this.#windows(at, fault.tid, verdict, window, cause, process);
    if (Number.isNaN(at.address)) return;
    for (const name of ALTERNATIVES)
      this.stalls[name].behind.arrived(at, fault.first, {
        least: all.map(({ under }) => under[name].lost),
        most: all.map(({ under }) => under[name].lostMost),
      });
    if (verdict.keep.course !== 'either' || window === null || Number.isNaN(window.end)) return;
    const most = all.map(({ under }) => under.keep.lostMost);
    this.stalls.keep.behind.arrived(at, window.end, { least: [], most });
  }

  #kept(fault: Lifecycle, keep: Under, window: Window, all: readonly VerdictSums[]): void {
    const add = (saved: Interval | null): void => {
      for (const { under } of all) under.keep.add({ ...keep, saved });
    };
    if (keep.course !== 'either' || keep.saved === null || window === null) add(keep.saved);
    else this.#again.away(fault, window, keep.saved, add);
  }

  /** `window`: over which keep holds the VMA lock; null: over none. */
  #windows(
    at: Faulted,
    tid: number,
    verdict: FaultVerdict,
    window: Window,
    cause: VerdictSums,
    process: VerdictSums,
  ): void {
    const put = (policy: Alternative, start: number, end: number): void => {
      const [byCause, byProcess] = [cause.under[policy].stall, process.under[policy].stall];
      if (Number.isNaN(start) || Number.isNaN(end) || Number.isNaN(at.address)) {
        for (const sums of [this.stalls[policy].all, byCause, byProcess]) sums.unknown++;
        return;
      }
      this.stalls[policy].stalls.window(at, start, end, byCause, byProcess, tid);
    };
    for (const { start, end } of verdict.later) put('retry', start, end);
    if (window !== null) put('keep', window.start, window.end);
  }

  #causeOf(cause: RetryCause): VerdictSums {
    let sums = this.byCause.get(cause);
    if (sums === undefined) {
      sums = new VerdictSums();
      this.byCause.set(cause, sums);
    }
    return sums;
  }

  #processOf({ tgid, comm }: Lifecycle): VerdictSums {
    let process = this.byProcess.get(tgid);
    if (process === undefined) {
      process = { tgid, comm, sums: new VerdictSums() };
      this.byProcess.set(tgid, process);
    }
    process.comm = comm;
    return process.sums;
  }
}
