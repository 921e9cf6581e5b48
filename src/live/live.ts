// SPDX-License-Identifier: MIT
/** The running kernel as a Source: begins a session, drains the ring, samples the counters, ends it at one instant. */

import { setTimeout as sleep } from 'node:timers/promises';
import { awaitRuns } from 'ebpf-ts';
import type { EventBatch } from '../core/events/batch.js';
import type { KernelEnums, Scope, SessionInfo } from '../core/events/session.js';
import type { Attachment } from './attachment.js';
import { LiveBatches } from './batches.js';
import { COUNTER_ROWS, CounterReader } from './counters.js';
import { drainUntil } from './drain-loop.js';
import { MAX_LOCK_ROWS } from './lockers.js';
import { NameRows } from './names/names.js';
import type { LiveOptions, LiveSource } from './options.js';
import { stayResident } from './resident.js';
import { type HostContext, rowsOf } from './rodata.js';
import { Sampler } from './sampler.js';
import { SessionClock } from './session-clock.js';
import { describeSession } from './session-info.js';
import { VmstatCount } from './vmstat.js';

/** Runs of programs that began before the end may still count and send: where membarrier(2) cannot wait for them, no more than a scheduling delay. */
const SETTLE_MS = 30;
/** /proc/kallsyms of a busy host takes a second. */
const PRIMED_MS = 10_000;
/** Of a host with thousands of cgroups, some may have to do without. */
const CONTAINERS_MS = 300;

export class Live implements LiveSource {
  /** Set by `begin`. */
  session!: SessionInfo;
  readonly #attachment: Attachment;
  readonly #clock: SessionClock;
  readonly #sampler: Sampler;
  readonly #vmstat: VmstatCount = new VmstatCount();
  readonly #names: NameRows;
  readonly #counterRows: number;
  /** Until the session begins: it holds on to the kernel's BTF and the names of all its functions. */
  #describe: ((base: bigint, realtime: bigint) => SessionInfo) | null;
  readonly #lock: boolean;
  readonly #standDown: () => void;
  #batches!: LiveBatches;
  #closing = false;
  #finished = false;
  #ended: (() => void) | undefined;
  #iterated = false;

  /** `attachment`: this source's from now on. */
  constructor(attachment: Attachment, options: LiveOptions, around: HostContext, enums: KernelEnums) {
    const { object, ring, stats, swapDevices } = attachment;
    this.#attachment = attachment;
    this.#clock = new SessionClock(attachment.controls, around.facts.namespaces.monotonicAheadNs);
    this.#lock = options.lock;
    this.#standDown = options.standDown;
    // After attaching: only now kallsyms knows our own programs, which no stack is to show.
    const { kernel, user } = options.stacks;
    const maps = { stacks: kernel || user ? object.map('stacks') : null, swapDevices };
    const { why } = around.addresses;
    const lost = why === '' ? [] : [`${why}: a RETRY of a driver or file system is unknown`];
    this.#names = new NameRows(maps, options.stacks, [''], lost, options.hostRoot);
    const { programs } = attachment;
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
    const describe = this.#describe;
    if (describe === null) throw new Error('begin() may be called once');
    this.#describe = null;
    this.#sampler.begin();
    const { base, realtime } = this.#clock.begin();
    this.#vmstat.beginning();
    this.#attachment.controls.begin();
    this.#vmstat.begun();
    this.#batches = new LiveBatches(
      {
        attachment: this.#attachment,
        clock: this.#clock,
        names: this.#names,
        sampler: this.#sampler,
        vmstat: this.#vmstat,
        counterRows: this.#counterRows,
      },
      base,
    );
    this.session = describe(base, realtime);
  }

  async *batches(): AsyncGenerator<EventBatch> {
    if (this.#finished) return; // closed before it began
    if (this.#iterated) throw new Error('batches() may be iterated once');
    this.#iterated = true;
    const batches = this.#batches;
    try {
      yield* drainUntil(batches, () => this.#closing);
      await sleep(awaitRuns() ? 0 : SETTLE_MS);
      yield* batches.rest();
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
    this.#clock.limit(ms);
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
      this.#finished = true;
      this.#letGo();
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      this.#ended = resolve;
    });
  }

  /** The session ends at this instant, whatever is still to be read and detached. */
  #end(): void {
    if (this.#clock.hasEnded || !this.#attachment.held) return;
    const { controls } = this.#attachment;
    this.#vmstat.sample(() => controls.ended);
    this.#clock.end();
    this.#vmstat.ended();
  }

  /** The session is over: the programs are detached and their maps unmapped. */
  #letGo(): void {
    this.#end();
    this.#attachment.letGo();
  }
}
