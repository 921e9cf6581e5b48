// SPDX-License-Identifier: MIT
/** Fills a series from a recording: the kernel's counters, and what the lifecycles say besides. */
import { VlCounter } from '../../../schema/events.gen.js';
import { BoundedMap } from '../../bounded/bounded-map.js';
import type { EventBatch } from '../../events/batch.js';
import { CounterGroup, UserArgs, UserKind } from '../../events/user-rows.js';
import type { Lifecycle } from '../../lifecycle/lifecycle.js';
import { Series } from './series.js';

interface Keys {
  readonly faults: string;
  readonly lifecycles: string;
  readonly incomplete: string;
  outcome(name: Outcome): string;
  cause(cause: string): string;
  verdict(kind: string): string;
  waits(kind: string): string;
  waitNs(kind: string): string;
  process(comm: string, what: 'retries' | 'aborts' | 'waitNs'): string;
}

/** Names of sums in a cell. `faults` is what everything is normalised by. */
export const key: Keys = {
  faults: 'faults',
  lifecycles: 'lifecycles',
  incomplete: 'incomplete',
  outcome: (name: Outcome): string => `outcome/${name}`,
  cause: (cause: string): string => `cause/${cause}`,
  verdict: (kind: string): string => `verdict/${kind}`,
  waits: (kind: string): string => `wait/${kind}`,
  waitNs: (kind: string): string => `wait-ns/${kind}`,
  process: (comm: string, what: 'retries' | 'aborts' | 'waitNs'): string => `process/${what}/${comm}`,
};

export const OUTCOMES = ['success', 'retry', 'completed', 'error', 'access-error', 'abort', 'kernel-mode'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** The kernel's own counts: they hold whatever the ring lost. */
const OUTCOME_COUNTERS: Readonly<Record<Outcome, number>> = {
  success: VlCounter.VMA_OK,
  retry: VlCounter.VMA_RETRY,
  completed: VlCounter.VMA_COMPLETED,
  error: VlCounter.VMA_ERROR,
  'access-error': VlCounter.ACCESS_ERROR,
  abort: VlCounter.ABORT,
  'kernel-mode': VlCounter.KERNEL,
};
const OUTCOME_OF: ReadonlyMap<number, Outcome> = new Map(OUTCOMES.map((name) => [OUTCOME_COUNTERS[name], name]));

/** Histogram of a cell that is no wait: see `paceOf`. */
export const PACE = 'pace';

/** Process names kept apart; what goes beyond is summed under `OTHERS`. */
const MAX_PROCESSES = 256;
export const OTHERS = '(others)';

export class Collector {
  readonly series: Series = new Series();
  readonly #counters: Map<Outcome, number> = new Map();
  readonly #processes: BoundedMap<string, true> = new BoundedMap(MAX_PROCESSES + 1, () => 0);
  #sample = 0;
  #sampleBefore = 0;

  /** To be given every batch. Keeps nothing of it. */
  batch(batch: EventBatch): void {
    for (let i = 0; i < batch.length; i++) {
      if (batch.kind[i] !== UserKind.Counter || batch[UserArgs.Counter.group][i] !== CounterGroup.Kernel) continue;
      const outcome = OUTCOME_OF.get(batch[UserArgs.Counter.index][i] as number);
      if (outcome === undefined) continue;
      // All rows of one sample bear one time.
      const time = batch.time[i] as number;
      if (time > this.#sample) {
        this.#sampleBefore = this.#sample;
        this.#sample = time;
      }
      const value = batch.value[i] as number;
      const more = value - (this.#counters.get(outcome) ?? 0);
      this.#counters.set(outcome, value);
      if (more <= 0) continue;
      this.series.spread(key.outcome(outcome), this.#sampleBefore, time, more);
      this.series.spread(key.faults, this.#sampleBefore, time, more);
    }
  }

  /** To be given every lifecycle that ended. */
  lifecycle(lifecycle: Lifecycle): void {
    const cell = this.series.at(Number.isFinite(lifecycle.end) ? lifecycle.end : lifecycle.last);
    const comm = this.#process(lifecycle.processName);
    cell.add(key.lifecycles, 1);
    if (lifecycle.how === 'incomplete') cell.add(key.incomplete, 1);
    for (const attempt of lifecycle.attempts) {
      if (attempt.cause === null) continue;
      if (attempt.outcome === 'retry' && attempt.lock !== 'vma') continue;
      cell.add(key.cause(attempt.cause), 1);
      cell.add(key.process(comm, attempt.outcome === 'abort' ? 'aborts' : 'retries'), 1);
      if (attempt.verdict !== null) cell.add(key.verdict(attempt.verdict.kind), 1);
    }
    const pace = paceOf(lifecycle);
    if (pace > 0) cell.record(PACE, pace);
    for (const wait of lifecycle.waits) {
      const ns = wait.end - wait.start;
      if (!(ns >= 0)) continue;
      cell.add(key.waits(wait.kind), 1);
      cell.add(key.waitNs(wait.kind), ns);
      cell.record(wait.kind, ns);
      cell.add(key.process(comm, 'waitNs'), ns);
    }
    if (lifecycle.leftOut === null) return;
    // How long each of them took is not known: they are in no histogram.
    for (const [kind, { count, ns }] of lifecycle.leftOut.waited) {
      cell.add(key.waits(kind), count);
      if (ns >= 0) for (const sum of [key.waitNs(kind), key.process(comm, 'waitNs')]) cell.add(sum, ns);
    }
  }

  #process(comm: string): string {
    if (this.#processes.get(comm) === undefined) {
      if (this.#processes.size >= MAX_PROCESSES) return OTHERS;
      this.#processes.set(comm, true);
    }
    return comm;
  }
}

/**
 * From the end of a folio wait to lock_mm_and_find_vma: out of do_swap_page and handle_mm_fault, nothing to wait for. How
 * long that takes says how fast the machine was; NaN when the fault did not come this way.
 */
function paceOf({ attempts, waits }: Lifecycle): number {
  const [first, second] = waits;
  if (attempts[0]?.lock !== 'vma' || first?.kind !== 'folio' || second?.kind !== 'mmapLock') return Number.NaN;
  return second.start - first.end;
}
