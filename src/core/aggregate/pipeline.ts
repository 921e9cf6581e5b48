// SPDX-License-Identifier: MIT
/** Batches in, snapshots out: the pure core behind every view. */

import { VlKind } from '../../schema/events.gen.js';
import { type EventBatch, isLockEvent, isOfNoFault } from '../events/batch.js';
import { noteClock } from '../events/clocks.js';
import { faultBits } from '../events/fault-bits.js';
import { Names } from '../events/names.js';
import type { SessionInfo } from '../events/session.js';
import { UserArgs, UserKind } from '../events/user-rows.js';
import { copyLifecycle } from '../lifecycle/copy-lifecycle.js';
import { DEFAULT_MAX_OPEN, LifecycleFold } from '../lifecycle/fold.js';
import type { Lifecycle } from '../lifecycle/lifecycle.js';
import { RecordPool } from '../lifecycle/record-pool.js';
import { Aggregate } from './aggregate.js';
import { Counters } from './counters.js';
import type { Figures } from './figures.js';
import { inFlight, makeFigures, makeSnapshot, type SnapshotInputs } from './make-snapshot.js';
import type { Snapshot } from './snapshot.js';

export interface PipelineOptions {
  /** Lifecycles open at a time, at most; the oldest is given up (`lifecycles.evicted`). Default 65 536. */
  readonly maxOpen?: number;
  /** Called with a copy of each lifecycle as it ends, for exports. An R2 release is not bounded yet at that time. */
  readonly onClosed?: (lifecycle: Lifecycle) => void;
}

export class Pipeline {
  readonly #session: SessionInfo;
  readonly #sums: Aggregate;
  readonly #fold: LifecycleFold;
  readonly #counters: Counters;
  readonly #names: Names = new Names();
  #time = 0;
  /** Time of the latest counters. */
  #sampled = 0;
  #ended = false;

  constructor(session: SessionInfo, options: PipelineOptions = {}) {
    this.#session = session;
    const pool = new RecordPool();
    this.#sums = new Aggregate(pool, options.onClosed ?? null, session, this.#names.processes);
    this.#fold = new LifecycleFold(faultBits(session), this.#sums, pool, options.maxOpen ?? DEFAULT_MAX_OPEN);
    this.#counters = new Counters(session);
  }

  /** Keeps no reference to the batch. */
  push(batch: EventBatch): void {
    const { kind, time, length } = batch;
    const { decoded } = this.#counters;
    let newest = this.#time;
    let from = 0;
    for (let i = 0; i < length; i++) {
      const k = kind[i] as number;
      const at = time[i] as number;
      if (at > newest) newest = at;
      if (k >= UserKind.Counter) this.#userRow(batch, i, k);
      else {
        (decoded[k] as number)++;
        if (!isOfNoFault(k)) continue;
        // What writers do and what faults say of them are pushed in the order of the ring.
        this.#fold.push(batch, from, i);
        if (isLockEvent(k)) this.#sums.blockers.push(batch, i);
        else this.#sums.writers.push(batch, i);
        if (k === VlKind.W_VMA) this.#sums.blockers.vmas.written(batch, i);
        from = i + 1;
      }
    }
    this.#time = newest;
    this.#fold.push(batch, from, length);
  }

  #userRow(batch: EventBatch, i: number, kind: number): void {
    if (kind === UserKind.Counter) {
      // A sample is many rows of one time, in one batch or more: it is whole when the next one begins.
      const at = batch.time[i] as number;
      if (at !== this.#sampled) {
        this.#sums.timeline.counted(this.#sampled, this.#counters.outcomes());
        this.#sampled = at;
      }
      this.#counters.set(
        batch[UserArgs.Counter.group][i] as number,
        batch[UserArgs.Counter.index][i] as number,
        batch[UserArgs.Counter.value][i] as number,
      );
    } else if (kind === UserKind.End) this.#ended = true;
    else if (kind === UserKind.Clock) noteClock(this.#session, batch, i);
    else if (kind === UserKind.Lock) this.#sums.blockers.pushNow(batch, i);
    else if (kind === UserKind.Counted)
      this.#sums.pushCounted(
        batch,
        i,
        this.#names.devices.get(batch[UserArgs.Counted.device][i] as number)?.synchronous ?? false,
      );
    else this.#names.push(batch, i);
  }

  /** Lifecycles that ended so far. */
  get closed(): number {
    return this.#sums.latest.count;
  }

  /** A copy of the lifecycle that ended first after `closed` of them had; null: none did, or 64 more did. */
  closedAfter(closed: number): Lifecycle | null {
    const { latest } = this.#sums;
    const fault = latest.newestFirst()[latest.count - closed - 1];
    return fault === undefined ? null : copyLifecycle(fault);
  }

  /** Copies of the lifecycles still open, oldest first: those that `onClosed` was not called with. To be read while nothing is pushed. */
  *open(): Generator<Lifecycle, void, undefined> {
    for (const fault of this.#fold.open()) yield inFlight(fault);
  }

  snapshot(): Snapshot {
    return makeSnapshot(this.#inputs());
  }

  /** What of a snapshot costs little. */
  figures(): Figures {
    return makeFigures(this.#inputs());
  }

  #inputs(): SnapshotInputs {
    return {
      session: this.#session,
      time: this.#time,
      ended: this.#ended,
      fold: this.#fold,
      sums: this.#sums,
      counters: this.#counters,
      names: this.#names,
      sampled: this.#sampled,
    };
  }
}
