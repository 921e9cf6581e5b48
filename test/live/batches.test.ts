// SPDX-License-Identifier: MIT
/** The order of what a live session hands on: no counter before the rows it counts, no row before the name of its process. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RingProducer } from 'ebpf-ts/testing';
import { CounterGroup, UserKind } from '../../src/core/events/user-rows.js';
import { LiveBatches } from '../../src/live/batches.js';
import { COUNTER_ROWS, CounterReader } from '../../src/live/counters.js';
import { LOCKER } from '../../src/live/lockers.js';
import { NameRows } from '../../src/live/names/names.js';
import { Sampler } from '../../src/live/sampler.js';
import { SessionClock } from '../../src/live/session-clock.js';
import { VmstatCount } from '../../src/live/vmstat.js';
import { VlCounted, VlCountedLimit, VlCpu, VlKind } from '../../src/schema/events.gen.js';
import { encodeOpen, type Open } from './records.js';

const KIND = VlKind.HMF_EXIT;
const EMITTED = (VlCpu.emitted + 8 * KIND) / 4;

/** A row as the test looks at it. */
interface Row {
  readonly kind: number;
  readonly time: number;
  readonly tgid: number;
  readonly a: number;
  readonly b: number;
  readonly value: number;
}

/** The kernel side: a ring, and counters that count what was meant for it. */
class Kernel {
  readonly producer: RingProducer = new RingProducer(1 << 16);
  readonly words: Uint32Array = new Uint32Array(VlCpu.size / 4);
  readonly controls = {
    ended: false,
    endsAt: 0n,
    end(): void {
      this.ended = true;
    },
    endAt(ns: bigint): void {
      this.endsAt = ns;
    },
  };
  readonly clock: SessionClock = new SessionClock(this.controls, 0n);
  readonly base: bigint = this.clock.begin().base;
  readonly batches: LiveBatches;

  constructor(names = new NameRows({ stacks: null, swapDevices: null }, { kernel: false, user: false }, [''])) {
    const counters = new CounterReader(this.words.buffer as ArrayBuffer, 1, new Uint32Array(16));
    const sampler = new Sampler({ counters, programs: [], ring: this.producer.ring, stats: false });
    sampler.begin();
    const attachment = {
      ring: this.producer.ring,
      lockers: new ArrayBuffer(4 * LOCKER.words),
      queues: new Uint32Array(4096),
      counted: new ArrayBuffer(VlCountedLimit.ROWS * VlCounted.size),
      controls: this.controls,
    };
    const vmstat = new VmstatCount('/nonexistent');
    const counterRows = COUNTER_ROWS + 16;
    this.batches = new LiveBatches({ attachment, clock: this.clock, names, sampler, vmstat, counterRows }, this.base);
  }

  /** The first step of a fault of a thread of this process. */
  emit(step = 0): void {
    this.words[EMITTED] = (this.words[EMITTED] as number) + 1;
    const first: Open = {
      kind: KIND,
      flags: 0,
      cpu: 0,
      tid: process.pid + 1,
      fault: 1,
      faultCpu: 0,
      step,
      ts: this.base + 1n,
      a: 0,
      b: 0,
      acquired: 0n,
      mm: 1n,
      address: 0x1000n,
      vmaStart: 0x1000n,
      vmaEnd: 0x2000n,
      vmFlags: 0n,
      pte: 0n,
      cgroup: 0n,
      tgid: process.pid,
      depth: 0,
      comm: Buffer.from('worker'),
    };
    assert.ok(this.producer.output(encodeOpen(first)));
  }
}

async function rowsOf(batches: ReturnType<LiveBatches['sample']>, meanwhile: () => void = () => {}): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const batch of batches) {
    for (let i = 0; i < batch.length; i++)
      rows.push({
        kind: batch.kind[i] as number,
        time: batch.time[i] as number,
        tgid: batch.tgid[i] as number,
        a: batch.a[i] as number,
        b: batch.b[i] as number,
        value: batch.value[i] as number,
      });
    meanwhile();
  }
  return rows;
}

const isEmitted = ({ kind, a, b }: Row): boolean =>
  kind === UserKind.Counter && a === CounterGroup.Emitted && b === KIND;

describe('what a live session hands on', () => {
  it('a sample comes after the rows it counts, and before those that came while it was handed on', async () => {
    const kernel = new Kernel();
    for (let n = 0; n < 3; n++) kernel.emit();
    kernel.batches.drain();
    for (let n = 0; n < 2; n++) kernel.emit();
    const rows = await rowsOf(kernel.batches.sample(), () => kernel.emit());
    const at = rows.findIndex(isEmitted);
    assert.equal(rows[at]?.value, 5);
    assert.equal(rows.slice(0, at).filter(({ kind }) => kind === KIND).length, 5);
    assert.equal(rows.filter(({ kind }) => kind === KIND).length, 5);
  });

  it('the name of a process comes before the rows of its threads', async () => {
    const kernel = new Kernel();
    kernel.emit();
    const rows = await rowsOf(kernel.batches.sample());
    const named = rows.findIndex(({ kind, a }) => kind === UserKind.Process && a === process.pid);
    assert.ok(named >= 0);
    assert.ok(named < rows.findIndex(({ kind }) => kind === KIND));
  });

  it('the rest has every row, the last counters, and ends with the end of the session', async () => {
    const kernel = new Kernel();
    for (let n = 0; n < 3; n++) kernel.emit();
    kernel.clock.end();
    const ended = kernel.clock.now();
    const rows = await rowsOf(kernel.batches.rest());
    assert.equal(rows.filter(({ kind }) => kind === KIND).length, 3);
    assert.equal(rows.find(isEmitted)?.value, 3);
    const last = rows.at(-1);
    assert.equal(last?.kind, UserKind.End);
    assert.equal(last?.time, ended);
  });
});

describe('the time of a session', () => {
  it('goes no further than its limit, where the programs ended it by themselves', () => {
    const kernel = new Kernel();
    kernel.clock.limit(250);
    assert.equal(kernel.controls.endsAt, kernel.base + 250_000_000n);
    kernel.controls.ended = true;
    assert.equal(kernel.clock.now(), 250e6);
    kernel.clock.end();
    assert.equal(kernel.clock.now(), 250e6);
  });

  it('stands still after its end', () => {
    const kernel = new Kernel();
    assert.equal(kernel.clock.hasEnded, false);
    kernel.clock.end();
    const ended = kernel.clock.now();
    const until = performance.now() + 2;
    while (performance.now() < until);
    assert.equal(kernel.clock.now(), ended);
    assert.ok(kernel.clock.hasEnded && kernel.controls.ended);
  });
});

it('many rows are an eighth of a small ring, and one where stacks of users are named while their process lives', () => {
  assert.equal(Math.floor(new Kernel().batches.manyRows), 68);
  const stacks = { get: () => undefined };
  const urgent = new NameRows({ stacks, swapDevices: null }, { kernel: false, user: true }, ['']);
  assert.equal(new Kernel(urgent).batches.manyRows, 1);
});
