// SPDX-License-Identifier: MIT
/** The running kernel as a Source: loads and attaches the programs, drains the ring, samples the counters, detaches. */

import {
  BpfError,
  type BpfLink,
  BpfObject,
  type Btf,
  dropCapabilities,
  enableStats,
  type Pages,
  RingBuffer,
} from 'ebpf-ts';
import {
  clearBatch,
  createBatch,
  DEFAULT_BATCH_ROWS,
  type EventBatch,
  pushUserRow,
  UserKind,
} from '../core/events/batch.js';
import type { KernelEnums, ReleaseMode, Scope, SessionInfo } from '../core/events/session.js';
import { LAYOUT_DIGEST } from '../schema/events.gen.js';
import { layoutDigest } from '../schema/generate.js';
import type { AttachPlan, PlannedProgram } from './attach-plan.js';
import { Switches } from './controls.js';
import { COUNTER_ROWS, CounterReader } from './counters.js';
import { EventDecoder } from './decode.js';
import type { HostFacts } from './host.js';
import { OBJECT, possibleCpus } from './kernel.js';
import { NameRows } from './names/names.js';
import type { LiveOptions, LiveSource } from './options.js';
import { configure, type HostContext, rowsOf } from './rodata.js';
import { Sampler } from './sampler.js';
import { describeSession } from './session-info.js';

/** The ring is looked at this often while it is in use, and up to so seldom while it stays empty: no wakeup per event. */
const DRAIN_MS = 5;
const IDLE_MS = 25;
/** Counters are sampled, and a batch that is not full is handed on, this often. */
const SAMPLE_MS = 250;
/** After detaching, programs that already run may still send: no more than a scheduling delay. */
const SETTLE_MS = 30;
/** /proc/kallsyms of a busy host takes a second. */
const PRIMED_MS = 10_000;

const u32 = (n: number): Uint8Array => new Uint8Array(new Uint32Array([n]).buffer);

export class Live implements LiveSource {
  readonly session: SessionInfo;
  readonly #object: BpfObject;
  readonly #links: BpfLink[] = [];
  readonly #ring: RingBuffer;
  readonly #sampler: Sampler;
  readonly #counterRows: number;
  readonly #decoder: EventDecoder;
  readonly #names: NameRows;
  readonly #pages: Pages[] = [];
  readonly #switches: Switches;
  readonly #stats: { close(): void } | null;
  readonly #started: bigint = process.hrtime.bigint();
  #closing = false;
  #finished = false;
  #ended: (() => void) | undefined;
  #iterated = false;

  constructor(
    options: LiveOptions,
    facts: HostFacts,
    btf: Btf,
    enums: KernelEnums,
    release: ReleaseMode,
    trackStart: boolean,
    plan: AttachPlan,
  ) {
    const object = BpfObject.open(OBJECT);
    this.#object = object;
    try {
      if (layoutDigest(object.btf) !== LAYOUT_DIGEST)
        throw new BpfError({
          what: 'load BPF programs',
          why: 'their event layout is not the one this build decodes',
          remedy: 'run: make clean build',
        });
      const cpus = possibleCpus();
      const around: HostContext = { facts, btf, release, trackStart, plan, cpus };
      configure(object, options, around);
      object.load();
      const counters = object.map('cpus').mmapArray({ writable: false });
      const bss = object.map('.bss').mmapArray({ writable: true });
      this.#pages.push(counters, bss);
      const { offset, size } = object.variable('.bss', 'quick');
      const quick = new Uint32Array(bss.view, offset, size / 4);
      this.#switches = new Switches(object, bss.view, options.scope);
      this.#ring = RingBuffer.open(object.map('events').fd, options.ringBytes);
      for (const tgid of options.pids) object.map('tgids').set(u32(tgid), new Uint8Array([1]));
      for (const tid of options.tids) object.map('tids').set(u32(tid), new Uint8Array([1]));
      this.#stats = options.stats ? enableStats() : null;
      for (const planned of plan.programs) this.#links.push(attach(object, planned));
      // The session begins when the last program is in its place: before, a RETRY would have no cause, and a fault no begin.
      const base = process.hrtime.bigint(); // CLOCK_MONOTONIC, as bpf_ktime_get_ns
      const realtime = BigInt(Date.now()) * 1_000_000n;
      this.#started = base;
      this.#decoder = new EventDecoder(this.#ring, base);
      this.#switches.observe();
      // After attaching: only now kallsyms knows our own programs, which no stack is to show.
      const { kernel, user } = options.stacks;
      const maps = { stacks: kernel || user ? object.map('stacks') : null, swapDevices: object.map('swap_devices') };
      this.#names = new NameRows(maps, options.stacks, this.#decoder.strings);
      const programs = plan.programs.map(({ program }) => object.program(program));
      this.#counterRows = COUNTER_ROWS + 3 * programs.length + 8;
      this.#sampler = new Sampler({
        counters: new CounterReader(counters.view, rowsOf(plan, cpus), quick),
        programs,
        ring: this.#ring,
        stats: this.#stats !== null,
      });
      this.session = describeSession(options, around, { base, realtime, enums });
    } catch (error) {
      this.#detach();
      object.close();
      throw error;
    }
  }

  async *batches(): AsyncGenerator<EventBatch> {
    if (this.#iterated) throw new Error('batches() may be iterated once');
    this.#iterated = true;
    let batch = createBatch(DEFAULT_BATCH_ROWS, this.#decoder.strings);
    let names = this.#names.createBatch(this.#decoder.strings);
    let counters = createBatch(this.#counterRows, this.#decoder.strings);
    try {
      let due = performance.now() + SAMPLE_MS;
      let pause = DRAIN_MS;
      while (!this.#closing) {
        pause = this.#drain(batch) > 0 ? DRAIN_MS : Math.min(IDLE_MS, pause + DRAIN_MS);
        if (performance.now() >= due) {
          due = performance.now() + SAMPLE_MS;
          const time = this.#now();
          this.#sampler.sample(counters, time);
          yield* this.#upToNow(batch);
          yield counters;
          clearBatch(counters);
          // Of the same time: whoever took these may have been slow, and older rows than now are still to come.
          if (this.#names.emit(names, time) > 0) yield names;
          clearBatch(names);
          // All three are empty here.
          if (this.#decoder.renewStrings()) {
            const { strings } = this.#decoder;
            this.#names.renewStrings(strings);
            batch = { ...batch, strings };
            names = { ...names, strings };
            counters = { ...counters, strings };
          }
        } else if (batch.length === DEFAULT_BATCH_ROWS) {
          yield batch;
          clearBatch(batch);
        } else {
          await sleep(pause);
        }
      }
      this.#unlink();
      await sleep(SETTLE_MS);
      while (this.#drain(batch) > 0 || batch.length > 0) {
        yield batch;
        clearBatch(batch);
      }
      await this.#names.finish();
      while (this.#names.emit(names, this.#now(), true) > 0) {
        yield names;
        clearBatch(names);
      }
      this.#sampler.sample(counters, this.#now());
      pushUserRow(counters, UserKind.End, this.#now(), 0, 0, 0);
      yield counters;
    } finally {
      this.#detach();
      this.#object.close();
      this.#finished = true;
      this.#ended?.();
    }
  }

  spawnWindow<T>(start: () => T): T {
    this.#switches.followChildren(true);
    try {
      return start();
    } finally {
      this.#switches.followChildren(false);
    }
  }

  dropPrivileges(): void {
    dropCapabilities();
  }

  lowerScope(): Scope | null {
    // Once it has ended there is nothing to write to.
    return this.#pages.length === 0 ? null : this.#switches.lowerScope();
  }

  primed(): Promise<void> {
    return this.#names.symbols.settle(PRIMED_MS);
  }

  close(): Promise<void> {
    this.#closing = true;
    if (this.#finished) return Promise.resolve();
    if (!this.#iterated) {
      this.#iterated = true;
      this.#detach();
      this.#object.close();
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      this.#ended = resolve;
    });
  }

  /**
   * What the ring holds at this moment, and what is in `batch`. Counters that have just been read count it: they are handed
   * on behind it, or a recording that is divided there would count records that only its next part holds.
   */
  async *#upToNow(batch: EventBatch): AsyncGenerator<EventBatch> {
    const { end } = this.#ring.begin();
    while (((end - this.#ring.begin().start) | 0) > 0 || batch.length > 0) {
      const added = this.#drain(batch);
      if (batch.length > 0) {
        yield batch;
        clearBatch(batch);
      } else if (added === 0) {
        await sleep(1); // a record that is still being written
      }
    }
  }

  /** Returns the number of rows added. */
  #drain(batch: EventBatch): number {
    const from = batch.length;
    const added = this.#decoder.drainInto(batch);
    if (added > 0) this.#names.note(batch, from);
    return added;
  }

  #now(): number {
    return Number(process.hrtime.bigint() - this.#started);
  }

  #unlink(): void {
    // Programs go one by one: a fault whose functions are not all watched is not followed. Only what has begun goes on.
    if (this.#links.length > 0) this.#switches.beginNothing();
    // What begins a lifecycle goes first, so that what has begun can still end.
    for (const link of this.#links.reverse()) link.close();
    this.#links.length = 0;
  }

  #detach(): void {
    this.#unlink();
    this.#stats?.close();
    this.#ring?.close();
    for (const pages of this.#pages) pages.close();
    this.#pages.length = 0;
  }
}

function attach(object: BpfObject, { program, target, method }: PlannedProgram): BpfLink {
  const loaded = object.program(program);
  if (method === 'kprobe.multi') return loaded.attachKprobeMulti([target], { retprobe: false });
  if (method === 'kretprobe.multi') return loaded.attachKprobeMulti([target], { retprobe: true });
  return loaded.attach();
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
