// SPDX-License-Identifier: MIT
/** The running kernel as a Source: begins a session, drains the ring, samples the counters, ends it at one instant. */

import { awaitRuns } from 'ebpf-ts';
import { clearBatch, createBatch, DEFAULT_BATCH_ROWS, type EventBatch } from '../core/events/batch.js';
import { CLOCK_TOLERANCE_NS, pushClock } from '../core/events/clocks.js';
import type { KernelEnums, Scope, SessionInfo } from '../core/events/session.js';
import { pushEnd } from '../core/events/user-rows.js';
import type { Attachment } from './attachment.js';
import { COUNTED_BATCH, CountedReader } from './counted.js';
import { COUNTER_ROWS, CounterReader } from './counters.js';
import { EventDecoder } from './decode.js';
import { LockersReader, MAX_LOCK_ROWS } from './lockers.js';
import { NameRows } from './names/names.js';
import type { LiveOptions, LiveSource } from './options.js';
import { stayResident } from './resident.js';
import { type HostContext, rowsOf } from './rodata.js';
import { Sampler } from './sampler.js';
import { describeSession } from './session-info.js';
import { VmstatCount } from './vmstat.js';

/** The ring is looked at this often while it is in use, and up to so seldom while it stays empty: no wakeup per event. */
const DRAIN_MS = 5;
const IDLE_MS = 25;
/** Counters are sampled, and a batch that is not full is handed on, this often. */
const SAMPLE_MS = 250;
/** What the kernel side counts by process is read at every so many samples. */
const COUNTED_EVERY = 4;
/** Runs of programs that began before the end may still count and send: where membarrier(2) cannot wait for them, no more than a scheduling delay. */
const SETTLE_MS = 30;
/** A pair of clocks is said this often. */
const CLOCK_NS = 60e9;
/** /proc/kallsyms of a busy host takes a second. */
const PRIMED_MS = 10_000;
/** Of a host with thousands of cgroups, some may have to do without. */
const CONTAINERS_MS = 300;

export class Live implements LiveSource {
  /** Set by `begin`. */
  session!: SessionInfo;
  readonly #attachment: Attachment;
  readonly #sampler: Sampler;
  readonly #vmstat: VmstatCount = new VmstatCount();
  readonly #counterRows: number;
  readonly #standDown: () => void;
  #decoder!: EventDecoder;
  #lockers!: LockersReader;
  #counted!: CountedReader;
  readonly #names: NameRows;
  readonly #describe: (base: bigint, realtime: bigint) => SessionInfo;
  readonly #lock: boolean;
  /** `Namespaces.monotonicAheadNs` */
  readonly #aheadNs: bigint;
  #started = 0n;
  /** The pair of clocks said last. */
  #clock = { time: 0, realtime: 0n };
  /** ns of the session that were asked for. */
  #limit = Number.POSITIVE_INFINITY;
  /** ns of the session at which it ended; null while it lasts. */
  #endedAt: number | null = null;
  #closing = false;
  #finished = false;
  #ended: (() => void) | undefined;
  #iterated = false;

  /** `attachment`: this source's from now on. */
  constructor(attachment: Attachment, options: LiveOptions, around: HostContext, enums: KernelEnums) {
    const { object, ring, stats } = attachment;
    this.#attachment = attachment;
    this.#lock = options.lock;
    this.#standDown = options.standDown;
    this.#aheadNs = around.facts.namespaces.monotonicAheadNs;
    // After attaching: only now kallsyms knows our own programs, which no stack is to show.
    const { kernel, user } = options.stacks;
    const maps = { stacks: kernel || user ? object.map('stacks') : null, swapDevices: object.map('swap_devices') };
    const { why } = around.addresses;
    const lost = why === '' ? [] : [`${why}: a RETRY of a driver or file system is unknown`];
    this.#names = new NameRows(maps, options.stacks, [''], lost, options.hostRoot);
    const programs = around.plan.programs.map(({ program }) => object.program(program));
    this.#counterRows = COUNTER_ROWS + 3 * programs.length + 16 + MAX_LOCK_ROWS;
    this.#sampler = new Sampler({
      counters: new CounterReader(attachment.counters, rowsOf(around.plan, around.cpus), attachment.fast),
      programs,
      ring,
      stats: stats !== null,
    });
    this.#describe = (base, realtime) => describeSession(options, around, { base, realtime, enums });
  }

  /**
   * The session begins at this instant, every program being in its place: before, a RETRY would have no cause, and a fault
   * no begin. To be called once, before anything else is asked of the source.
   */
  begin(): void {
    this.#sampler.begin();
    const started = process.hrtime.bigint();
    // As bpf_ktime_get_ns has it, which knows no time namespaces.
    const base = started - this.#aheadNs;
    const realtime = BigInt(Date.now()) * 1_000_000n;
    this.#vmstat.beginning();
    this.#attachment.controls.begin();
    this.#vmstat.begun();
    this.#started = started;
    this.#clock = { time: 0, realtime };
    this.#decoder = new EventDecoder(this.#attachment.ring, base);
    this.#names.renewStrings(this.#decoder.strings);
    const { lockers, queues } = this.#attachment;
    this.#lockers = new LockersReader(lockers, queues, base, this.#decoder.strings);
    this.#counted = new CountedReader(this.#attachment.counted, this.#decoder.comms);
    this.session = this.#describe(base, realtime);
  }

  async *batches(): AsyncGenerator<EventBatch> {
    if (this.#iterated) throw new Error('batches() may be iterated once');
    this.#iterated = true;
    let batch = createBatch(DEFAULT_BATCH_ROWS, this.#decoder.strings);
    let names = this.#names.createBatch(this.#decoder.strings);
    let counters = createBatch(this.#counterRows, this.#decoder.strings);
    let counted = createBatch(COUNTED_BATCH, this.#decoder.strings);
    let samples = 0;
    try {
      let due = performance.now() + SAMPLE_MS;
      let pause = DRAIN_MS;
      while (!this.#closing) {
        pause = this.#drain(batch) > 0 ? DRAIN_MS : Math.min(IDLE_MS, pause + DRAIN_MS);
        if (performance.now() >= due) {
          due = performance.now() + SAMPLE_MS;
          const time = this.#now();
          const { end } = this.#attachment.ring.begin();
          // Before the counters: of what these say none is missing that a row says.
          if (++samples % COUNTED_EVERY === 0) this.#counted.emit(counted, time);
          this.#sampler.sample(counters, time);
          this.#readClock(counters, time);
          this.#vmstat.sample(() => this.#attachment.controls.ended);
          this.#lockers.emit(counters, time);
          yield* this.#upTo(end, batch, names);
          yield* this.#countedRows(counted, names);
          yield counters;
          clearBatch(counters);
          // Of the same time: the task that took these may have been slow, and older rows than now are still to come.
          if (this.#names.emit(names, time) > 0) yield names;
          clearBatch(names);
          // All four are empty here.
          if (this.#decoder.renewStrings()) {
            const { strings } = this.#decoder;
            this.#names.renewStrings(strings);
            this.#lockers.renewStrings(strings);
            this.#counted.renewStrings(this.#decoder.comms);
            counted = { ...counted, strings };
            batch = { ...batch, strings };
            names = { ...names, strings };
            counters = { ...counters, strings };
          }
        } else if (batch.length === DEFAULT_BATCH_ROWS) {
          yield* this.#handOn(batch, names);
        } else {
          await sleep(pause);
        }
      }
      await sleep(awaitRuns() ? 0 : SETTLE_MS);
      while (this.#drain(batch) > 0 || batch.length > 0) yield* this.#handOn(batch, names);
      for (let whole = false; !whole; ) {
        whole = this.#counted.emit(counted, this.#now(), true);
        yield* this.#countedRows(counted, names);
      }
      await this.#names.finish();
      while (this.#names.emit(names, this.#now(), true) > 0) {
        yield names;
        clearBatch(names);
      }
      this.#sampler.sample(counters, this.#now());
      this.#vmstat.emit(counters, this.#now());
      // A task that queues until the end has no record of the wait.
      this.#lockers.emit(counters, this.#now());
      // Faults whose end was not seen by then are in flight: no step of theirs is lost.
      pushEnd(counters, this.#now());
      yield counters;
    } finally {
      this.#letGo();
      this.#finished = true;
      this.#ended?.();
    }
  }

  spawnWindow<T>(start: () => T): T {
    this.#attachment.controls.followChildren(true);
    try {
      return start();
    } finally {
      this.#attachment.controls.followChildren(false);
    }
  }

  limit(ms: number): void {
    this.#limit = ms * 1e6;
    this.#attachment.controls.endAt(this.#started + BigInt(Math.round(this.#limit)));
  }

  dropPrivileges(): void {
    if (this.#lock) stayResident();
    this.#standDown();
  }

  lowerScope(): Scope | null {
    // Once it has ended there is nothing to write to.
    return !this.#attachment.held ? null : this.#attachment.controls.lowerScope();
  }

  raiseScope(): Scope | null {
    return !this.#attachment.held ? null : this.#attachment.controls.raiseScope();
  }

  primed(): Promise<void> {
    return this.#names.symbols.settle(PRIMED_MS);
  }

  /** Before privileges go, and before the session begins: names of containers. */
  primeNames(): Promise<void> {
    return this.#names.prime(CONTAINERS_MS);
  }

  close(): Promise<void> {
    this.#closing = true;
    this.#end();
    if (this.#finished) return Promise.resolve();
    if (!this.#iterated) {
      this.#iterated = true;
      this.#letGo();
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      this.#ended = resolve;
    });
  }

  /**
   * What the ring held up to `end`, and what is in `batch`, and no more. Counters read right after count it: they are handed
   * on behind it, or a recording that is divided there would count records that only its next part holds.
   */
  async *#upTo(end: number, batch: EventBatch, names: EventBatch): AsyncGenerator<EventBatch> {
    while (((end - this.#attachment.ring.begin().start) | 0) > 0 || batch.length > 0) {
      const added = this.#drain(batch, end);
      if (batch.length > 0) {
        yield* this.#handOn(batch, names);
      } else if (added === 0) {
        await sleep(1); // a record that is still being written
      }
    }
  }

  /** A pair of clocks each minute, and when the one before is no longer right: after suspend, or when somebody set the time. */
  #readClock(batch: EventBatch, time: number): void {
    const realtime = BigInt(Date.now()) * 1_000_000n;
    const passed = time - this.#clock.time;
    const drift = Math.abs(Number(realtime - this.#clock.realtime) - passed);
    if (passed < CLOCK_NS && drift < CLOCK_TOLERANCE_NS) return;
    this.#clock = { time, realtime };
    pushClock(batch, time, realtime);
  }

  /** Whose rows these are is said before them; `names` is empty, and is again. */
  *#handOn(batch: EventBatch, names: EventBatch): Generator<EventBatch> {
    if (this.#names.emitProcesses(names, batch.time[0] as number) > 0) yield names;
    clearBatch(names);
    yield batch;
    clearBatch(batch);
  }

  /** What was counted by process, and before it the names of those. */
  *#countedRows(counted: EventBatch, names: EventBatch): Generator<EventBatch> {
    if (counted.length === 0) return;
    this.#names.note(counted);
    yield* this.#handOn(counted, names);
  }

  /** Returns the number of rows added. */
  #drain(batch: EventBatch, until?: number): number {
    const from = batch.length;
    const added = this.#decoder.drainInto(batch, until);
    if (added > 0) this.#names.note(batch, from);
    return added;
  }

  /** ns of the session, which goes no further than its end. */
  #now(): number {
    if (this.#endedAt !== null) return this.#endedAt;
    const { controls } = this.#attachment;
    return controls.ended ? this.#limit : Number(process.hrtime.bigint() - this.#started);
  }

  /** The session ends at this instant, whatever is still to be read and detached. */
  #end(): void {
    if (this.#endedAt !== null || !this.#attachment.held) return;
    const { controls } = this.#attachment;
    this.#vmstat.sample(() => controls.ended);
    const now = this.#now();
    controls.end();
    this.#vmstat.ended();
    this.#endedAt = now;
  }

  /** The session is over; of the programs, the attachment takes leave by itself. */
  #letGo(): void {
    this.#end();
    this.#attachment.letGo();
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
