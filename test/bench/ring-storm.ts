// SPDX-License-Identifier: MIT
/**
 * The kernel's side of a ring that another thread reads: rows as records of bpf/events.h, written over and over,
 * counted as the programs count (`struct vl_cpu`). What finds no room is dropped and counted, as in the kernel.
 */
import { type EventBatch, isOfNoFault } from '../../src/core/events/batch.js';
import { VlCpu, VlOpen, VlStep } from '../../src/schema/events.gen.js';
import { encodeRows, HEADER_WORDS, type Records } from './ring-records.js';
import { kernelCounters } from './swap-storm.js';

/** Memory of both sides; each may be sent to a worker. */
export interface RingMemory {
  readonly consumer: SharedArrayBuffer;
  readonly producer: SharedArrayBuffer;
  /** The ring, twice in a row. */
  readonly data: SharedArrayBuffer;
  /** A `struct vl_cpu`. */
  readonly counters: SharedArrayBuffer;
}

export function ringMemory(bytes: number): RingMemory {
  return {
    consumer: new SharedArrayBuffer(8),
    producer: new SharedArrayBuffer(8),
    data: new SharedArrayBuffer(2 * bytes),
    counters: new SharedArrayBuffer(VlCpu.size),
  };
}

const FAULT = HEADER_WORDS + VlStep.fault / 4;
const TS = HEADER_WORDS + VlStep.ts / 4;
/** In a `struct vl_writer` too. */
const ACQUIRED = HEADER_WORDS + VlOpen.acquired / 4;
const HIGH = 2 ** 32;
const emitted = (kind: number): number => (VlCpu.emitted + 8 * kind) / 4;
const dropped = (kind: number): number => (VlCpu.dropped + 8 * kind) / 4;

export class RingStorm {
  /** Records of a round, and of all so far, those that found no room among them. */
  readonly records: number;
  sent = 0;
  lost = 0;
  readonly #of: Records;
  readonly #kernel: ReadonlyMap<number, number>;
  #base = 0;
  readonly #nsEach: number;
  readonly #consumer: Uint32Array;
  readonly #producer: Uint32Array;
  readonly #data: Uint32Array;
  readonly #half: number;
  readonly #counters: Uint32Array;

  constructor(memory: RingMemory, batches: readonly EventBatch[], rate: number) {
    this.#of = encodeRows(batches);
    this.records = this.#of.kinds.length;
    this.#kernel = kernelCounters(batches);
    this.#nsEach = 1e9 / rate;
    this.#consumer = new Uint32Array(memory.consumer);
    this.#producer = new Uint32Array(memory.producer);
    this.#data = new Uint32Array(memory.data);
    this.#half = this.#data.length / 2;
    this.#counters = new Uint32Array(memory.counters);
  }

  /** Record n has the time n / `rate` s after `base` (CLOCK_MONOTONIC, ns; below 2^53 for the first 104 days). */
  begin(base: number): void {
    this.#base = base;
  }

  /** Writes records until `until` were sent in all. */
  send(until: number): void {
    while (this.sent < until) {
      const n = this.sent % this.records;
      this.#one(n, (this.sent - n) / this.records);
      this.sent++;
      if (n === this.records - 1)
        for (const [index, value] of this.#kernel) this.#count(VlCpu.counter / 4 + 2 * index, value);
    }
  }

  #one(n: number, round: number): void {
    const data = this.#data;
    const { words, at, kinds, held, faults } = this.#of;
    const from = at[n] as number;
    const length = (at[n + 1] as number) - from;
    const kind = kinds[n] as number;
    this.#count(emitted(kind), 1);
    // The low halves of the positions do: a ring is smaller than 4 GiB. Pairs with the Atomics.store of RingBuffer.commit.
    const start = Atomics.load(this.#producer, 0);
    const next = (start + length * 4) >>> 0;
    if ((next - Atomics.load(this.#consumer, 0)) >>> 0 > this.#half * 4 - 1) {
      this.#count(dropped(kind), 1);
      this.lost++;
      return;
    }
    const time = this.#base + Math.floor(this.sent * this.#nsEach);
    const mask = this.#half - 1;
    const first = (start >>> 2) & mask;
    const put = (word: number, value: number): void => {
      const to = (first + word) & mask;
      data[to] = value;
      data[to + this.#half] = value;
    };
    for (let i = 0; i < length; i++) put(i, words[from + i] as number);
    if (!isOfNoFault(kind)) put(FAULT, (words[from + FAULT] as number) + round * faults);
    put(TS, time % HIGH);
    put(TS + 1, Math.floor(time / HIGH));
    const acquired = time - (held[n] as number);
    if (acquired > 0) {
      put(ACQUIRED, acquired % HIGH);
      put(ACQUIRED + 1, Math.floor(acquired / HIGH));
    }
    // The record is whole by now: it needs no busy bit.
    Atomics.store(this.#producer, 0, next);
  }

  /** A u64 at two words; we are the only CPU that counts here. */
  #count(word: number, more: number): void {
    const counters = this.#counters;
    const sum = (counters[word + 1] as number) * HIGH + (counters[word] as number) + more;
    Atomics.store(counters, word + 1, Math.floor(sum / HIGH));
    Atomics.store(counters, word, sum % HIGH);
  }
}
