// SPDX-License-Identifier: MIT
/** A pipeline on its way through a recording: it goes on, and never back. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Pipeline } from '../../core/aggregate/pipeline.js';
import type { Snapshot } from '../../core/aggregate/snapshot.js';
import type { EventBatch } from '../../core/events/batch.js';
import type { SessionInfo } from '../../core/events/session.js';
import type { Source } from '../../core/events/source.js';
import type { Lifecycle } from '../../core/lifecycle/lifecycle.js';

/** Longest time a run keeps timers, keys and signals waiting. */
const TURN_MS = 12;
/** Rows pushed between two looks at the clock: about a millisecond's work. */
const SLICE_ROWS = 4096;

/** Rows [from, to) of a batch, without a copy. */
export function rowsOf(batch: EventBatch, from: number, to: number): EventBatch {
  if (from === 0 && to === batch.length) return batch;
  const part = Object.fromEntries(
    Object.entries(batch).map(([key, value]) => [key, ArrayBuffer.isView(value) ? subarray(value, from, to) : value]),
  ) as unknown as EventBatch;
  part.length = to - from;
  return part;
}

function subarray(column: ArrayBufferView, from: number, to: number): ArrayBufferView {
  return (column as Uint8Array).subarray(from, to);
}

export interface RunOptions {
  /** Called with a copy of each fault that ended. */
  readonly onClosed?: (lifecycle: Lifecycle) => void;
  /** Called with the rows that are pushed. They are not to be kept. */
  readonly onRows?: (rows: EventBatch) => void;
}

export class Run {
  readonly session: SessionInfo;
  /** ns: the newest row that was pushed; 0 before the first. */
  newest = 0;
  atEnd = false;
  /** Why it is at the end, when the source failed; what came before was pushed. */
  error: unknown = null;
  readonly #source: Source;
  readonly #pipeline: Pipeline;
  readonly #batches: AsyncIterator<EventBatch>;
  #batch: EventBatch | null = null;
  #row = 0;

  readonly #onRows: ((rows: EventBatch) => void) | undefined;

  constructor(source: Source, { onClosed, onRows }: RunOptions = {}) {
    this.#source = source;
    this.#onRows = onRows;
    this.session = source.session;
    this.#pipeline = new Pipeline(source.session, onClosed === undefined ? {} : { onClosed });
    this.#batches = source.batches()[Symbol.asyncIterator]();
  }

  /**
   * Pushes every row up to the first that is younger than `time`. False when `stopped` ended it before, between two rows.
   */
  async advance(time: number, stopped: () => boolean): Promise<boolean> {
    let turn = performance.now();
    while (!this.atEnd) {
      const batch = this.#batch;
      if (batch === null || this.#row === batch.length) {
        await this.#next();
        continue;
      }
      const last = Math.min(batch.length, this.#row + SLICE_ROWS);
      const to = firstYounger(batch, time, this.#row, last);
      this.#push(batch, to);
      if (to < last) return true;
      if (performance.now() - turn < TURN_MS) continue;
      await nextTurn();
      if (stopped()) return false;
      turn = performance.now();
    }
    return true;
  }

  /** Pushes rows until a lifecycle has ended; it and what else came at that time. Null at the end. */
  async step(stopped: () => boolean): Promise<Lifecycle | null> {
    const { closed } = this.#pipeline;
    let turn = performance.now();
    while (!this.atEnd && this.#pipeline.closed === closed) {
      const batch = this.#batch;
      if (batch === null || this.#row === batch.length) await this.#next();
      else this.#push(batch, this.#row + 1);
      if (performance.now() - turn < TURN_MS) continue;
      await nextTurn();
      if (stopped()) return null;
      turn = performance.now();
    }
    const first = this.#pipeline.closedAfter(closed);
    await this.advance(this.newest, stopped);
    return first;
  }

  snapshot(): Snapshot {
    return this.#pipeline.snapshot();
  }

  close(): Promise<void> {
    this.atEnd = true;
    return this.#source.close();
  }

  async #next(): Promise<void> {
    this.#row = 0;
    this.#batch = null;
    try {
      const next = await this.#batches.next();
      if (next.done === true) this.atEnd = true;
      else this.#batch = next.value;
    } catch (error) {
      this.error = error;
      this.atEnd = true;
    }
  }

  #push(batch: EventBatch, to: number): void {
    if (to === this.#row) return;
    for (let i = this.#row; i < to; i++)
      if ((batch.time[i] as number) > this.newest) this.newest = batch.time[i] as number;
    const rows = rowsOf(batch, this.#row, to);
    this.#onRows?.(rows);
    this.#pipeline.push(rows);
    this.#row = to;
  }
}

function firstYounger(batch: EventBatch, time: number, from: number, to: number): number {
  for (let i = from; i < to; i++) if ((batch.time[i] as number) > time) return i;
  return to;
}
