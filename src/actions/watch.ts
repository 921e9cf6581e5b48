// SPDX-License-Identifier: MIT
/**
 * Judges rules as batches come, at fixed times of the session and not of the clock on the wall: rows alone decide what is
 * in a snapshot, so a replay of the recording gives the same alerts at the same event times.
 */

import type { Pipeline } from '../core/aggregate/pipeline.js';
import type { AlertEngine } from '../core/alerts/engine.js';
import type { AlertEvent } from '../core/alerts/event.js';
import type { Findings } from '../core/alerts/interval.js';
import type { Checker } from '../core/check/checker.js';
import type { EventBatch } from '../core/events/batch.js';
import { UserKind } from '../core/events/user-rows.js';
import { rowsOf } from '../recording/play/run.js';

const DEFAULT_STEP_NS = 1e9;

export interface AlertWatchOptions {
  /** Event time between two judgements, ns. Default 1 s. */
  readonly stepNs?: number;
  /** Rows up to this time were pushed already, ns: for a watch that begins in the middle of a session. Default 0. */
  readonly fromNs?: number;
  /** Is given every row as well; rules get its totals. Absent: nothing is checked. */
  readonly checker?: Checker;
  /** Called with what a judgement said, if anything. Must not throw. */
  readonly onEvents: (events: readonly AlertEvent[]) => void;
}

export class AlertWatch {
  readonly engine: AlertEngine;
  readonly #pipeline: Pipeline;
  readonly #options: AlertWatchOptions;
  readonly #stepNs: number;
  #due: number;
  /** The kernel's counters were read since the latest judgement: without, all rates of the interval would be 0. */
  #counted = false;

  constructor(pipeline: Pipeline, engine: AlertEngine, options: AlertWatchOptions) {
    this.engine = engine;
    this.#pipeline = pipeline;
    this.#options = options;
    this.#stepNs = options.stepNs ?? DEFAULT_STEP_NS;
    this.#due = this.#after(options.fromNs ?? 0);
  }

  /** Pushes the batch into the pipeline; it is not to be pushed by anybody else. Keeps no reference to it. */
  push(batch: EventBatch): void {
    const { kind, time, length } = batch;
    let from = 0;
    for (let i = 0; i < length; i++) {
      const at = time[i] as number;
      if (at >= this.#due) from = this.#step(batch, from, i, at);
      if (kind[i] === UserKind.Counter) this.#counted = true;
    }
    this.#take(batch, from, length);
  }

  /** To be called when nothing more comes: what is left is judged, however short it is. */
  finish(): void {
    this.#options.checker?.finish();
    this.#judge();
  }

  /** A row that is not older than the step is next: what was before it is judged. Returns where the rows not pushed begin. */
  #step(batch: EventBatch, from: number, to: number, time: number): number {
    this.#due = this.#after(time);
    if (!this.#counted) return from;
    this.#take(batch, from, to);
    this.#judge();
    return to;
  }

  /** The next step after a time. */
  #after(time: number): number {
    return (Math.floor(time / this.#stepNs) + 1) * this.#stepNs;
  }

  #take(batch: EventBatch, from: number, to: number): void {
    if (to === from) return;
    const rows = rowsOf(batch, from, to);
    this.#pipeline.push(rows);
    this.#options.checker?.push(rows);
  }

  #judge(): void {
    this.#counted = false;
    const events = this.engine.evaluate(this.#pipeline.figures(), this.#findings());
    if (events.length > 0) this.#options.onEvents(events);
  }

  #findings(): Findings | null {
    const { checker } = this.#options;
    if (checker === undefined) return null;
    return { violated: checker.report().rules.reduce((sum, rule) => sum + rule.violated, 0) };
  }
}
