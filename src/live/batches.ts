// SPDX-License-Identifier: MIT
/** Batches of a live session: records of the ring, counters, counts by process, locks and names, each before the rows that need it. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { RingBuffer } from 'ebpf-ts';
import { clearBatch, createBatch, DEFAULT_BATCH_ROWS, type EventBatch } from '../core/events/batch.js';
import { pushEnd } from '../core/events/user-rows.js';
import { VlOpen } from '../schema/events.gen.js';
import type { Attachment } from './attachment.js';
import { COUNTED_BATCH, CountedReader } from './counted.js';
import { EventDecoder } from './decode.js';
import { LockersReader } from './lockers.js';
import type { NameRows } from './names/names.js';
import type { Sampler } from './sampler.js';
import type { SessionClock, SessionControls } from './session-clock.js';
import type { VmstatCount } from './vmstat.js';

/** What the kernel side counts by process is read at every so many samples. */
const COUNTED_EVERY = 4;

export interface BatchSources {
  readonly attachment: Pick<Attachment, 'ring' | 'lockers' | 'queues' | 'counted'> & {
    readonly controls: SessionControls;
  };
  readonly clock: SessionClock;
  readonly names: NameRows;
  readonly sampler: Sampler;
  readonly vmstat: VmstatCount;
  /** Rows of one sample, at most. */
  readonly counterRows: number;
}

export class LiveBatches {
  /** So many at once make a batch worth while, and leave most of the ring free. Where names are urgent one is many. */
  readonly manyRows: number;
  readonly #ring: RingBuffer;
  readonly #clock: SessionClock;
  readonly #names: NameRows;
  readonly #sampler: Sampler;
  readonly #vmstat: VmstatCount;
  readonly #sessionOver: () => boolean;
  readonly #decoder: EventDecoder;
  readonly #lockers: LockersReader;
  readonly #counted: CountedReader;
  #events: EventBatch;
  #nameRows: EventBatch;
  #counterRows: EventBatch;
  #countedRows: EventBatch;
  #samples = 0;

  /** `base`: CLOCK_MONOTONIC ns that are time 0. */
  constructor({ attachment, clock, names, sampler, vmstat, counterRows }: BatchSources, base: bigint) {
    const { ring, lockers, queues, counted, controls } = attachment;
    this.#ring = ring;
    this.#clock = clock;
    this.#names = names;
    this.manyRows = names.isUrgent ? 1 : Math.min(DEFAULT_BATCH_ROWS / 2, ring.sizeBytes / (8 * VlOpen.size));
    this.#sampler = sampler;
    this.#vmstat = vmstat;
    this.#sessionOver = () => controls.ended;
    this.#decoder = new EventDecoder(ring, base);
    const { strings, comms } = this.#decoder;
    names.renewStrings(strings);
    this.#lockers = new LockersReader(lockers, queues, base, strings);
    this.#counted = new CountedReader(counted, comms);
    this.#events = createBatch(DEFAULT_BATCH_ROWS, strings);
    this.#nameRows = names.createBatch(strings);
    this.#counterRows = createBatch(counterRows, strings);
    this.#countedRows = createBatch(COUNTED_BATCH, strings);
  }

  /** Decodes what the ring holds, up to `until`, as far as there is room. Returns the number of rows added. */
  drain(until?: number): number {
    const from = this.#events.length;
    const added = this.#decoder.drainInto(this.#events, until);
    if (added > 0) this.#names.note(this.#events, from);
    return added;
  }

  /** Whether `drain` has no room left. */
  get full(): boolean {
    return this.#events.length === DEFAULT_BATCH_ROWS;
  }

  /** The rows that were drained, and before them the names of their processes. */
  drained(): Generator<EventBatch> {
    return this.#handOn(this.#events);
  }

  /** A sample of every counter, and the rows that it counts before it. */
  async *sample(): AsyncGenerator<EventBatch> {
    const counters = this.#counterRows;
    const time = this.#clock.now();
    const { end } = this.#ring.begin();
    // Counts by process are read before the counters, so that the counters include all that those rows say.
    if (++this.#samples % COUNTED_EVERY === 0) this.#counted.emit(this.#countedRows, time);
    this.#sampler.sample(counters, time);
    this.#clock.emit(counters, time);
    this.#vmstat.sample(this.#sessionOver);
    this.#lockers.emit(counters, time);
    yield* this.#upTo(end);
    yield* this.#countedByProcess();
    yield counters;
    clearBatch(counters);
    // At the time of the sample: the consumer of these batches may have been slow, and rows older than now are still to come.
    if (this.#names.emit(this.#nameRows, time) > 0) yield this.#nameRows;
    clearBatch(this.#nameRows);
    // All four batches are empty here.
    if (this.#decoder.renewStrings()) this.#renewStrings();
  }

  /** Once the session is over and no program runs any more: all that is left, and the row that ends the session. */
  async *rest(): AsyncGenerator<EventBatch> {
    while (this.drain() > 0 || this.#events.length > 0) yield* this.drained();
    for (let whole = false; !whole; ) {
      whole = this.#counted.emit(this.#countedRows, this.#clock.now(), true);
      yield* this.#countedByProcess();
    }
    await this.#names.finish();
    while (this.#names.emit(this.#nameRows, this.#clock.now(), true) > 0) {
      yield this.#nameRows;
      clearBatch(this.#nameRows);
    }
    const counters = this.#counterRows;
    this.#sampler.sample(counters, this.#clock.now());
    this.#vmstat.emit(counters, this.#clock.now());
    // A task that queues until the end has no record of the wait.
    this.#lockers.emit(counters, this.#clock.now());
    // Faults whose end was not seen by then are in flight: no step of theirs is lost.
    pushEnd(counters, this.#clock.now());
    yield counters;
  }

  /**
   * What the ring held up to `end`, and what was drained before, and no more. Counters read right after `end` was read count
   * these rows, so they follow them: else a recording that is divided there would count records that only its next part holds.
   */
  async *#upTo(end: number): AsyncGenerator<EventBatch> {
    while (((end - this.#ring.begin().start) | 0) > 0 || this.#events.length > 0) {
      const added = this.drain(end);
      if (this.#events.length > 0) {
        yield* this.drained();
      } else if (added === 0) {
        await sleep(1); // a record that is still being written
      }
    }
  }

  /** What was counted by process, and before it the names of those processes. */
  *#countedByProcess(): Generator<EventBatch> {
    if (this.#countedRows.length === 0) return;
    this.#names.note(this.#countedRows);
    yield* this.#handOn(this.#countedRows);
  }

  /** Names of processes, then the rows that need them. The batch of names is empty before and after. */
  *#handOn(batch: EventBatch): Generator<EventBatch> {
    if (this.#names.emitProcesses(this.#nameRows, batch.time[0] as number) > 0) yield this.#nameRows;
    clearBatch(this.#nameRows);
    yield batch;
    clearBatch(batch);
  }

  #renewStrings(): void {
    const { strings, comms } = this.#decoder;
    this.#names.renewStrings(strings);
    this.#lockers.renewStrings(strings);
    this.#counted.renewStrings(comms);
    this.#events = { ...this.#events, strings };
    this.#nameRows = { ...this.#nameRows, strings };
    this.#counterRows = { ...this.#counterRows, strings };
    this.#countedRows = { ...this.#countedRows, strings };
  }
}
