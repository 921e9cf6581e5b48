// SPDX-License-Identifier: MIT
/** Reads the kernel's per-CPU counters (mmaped, no system call) into Counter rows: changed values only, cumulative. */
import type { EventBatch } from '../core/events/batch.js';
import { CounterGroup, pushCounter } from '../core/events/user-rows.js';
import { VlCounter, VlCpu } from '../schema/events.gen.js';

const ROW_WORDS = VlCpu.size / 4;
/** `struct fast_counters` of bpf/maps.bpf.h: a cache line. */
const FAST_WORDS = 16;
const GROUPS = [
  { group: CounterGroup.Kernel, offset: VlCpu.counter, count: 128 },
  { group: CounterGroup.Emitted, offset: VlCpu.emitted, count: 64 },
  { group: CounterGroup.Dropped, offset: VlCpu.dropped, count: 64 },
  { group: CounterGroup.Hist, offset: VlCpu.hist, count: 256 },
] as const;

/** Upper bound of the rows one sample can add, programs aside. */
export const COUNTER_ROWS: number = 128 + 64 * 2 + 256;

/** The u64 at two words that a CPU may be counting up: the halves of one value, also while the lower one runs over. */
function wide(words: Uint32Array, w: number): number {
  for (;;) {
    const high = Atomics.load(words, w + 1);
    const low = Atomics.load(words, w);
    if (Atomics.load(words, w + 1) === high) return high * 4294967296 + low;
  }
}

export class CounterReader {
  readonly #words: Uint32Array;
  readonly #fast: Uint32Array;
  readonly #cpus: number;
  readonly #last = new Map<number, number>();

  /**
   * `view`: the values of the `cpus` map, a `struct vl_cpu` a CPU. `fast`: `fast_counters` in the object's
   * .bss, where the first CPUs count faults done under the VMA lock.
   */
  constructor(view: ArrayBufferLike, cpus: number, fast: Uint32Array) {
    this.#words = new Uint32Array(view, 0, cpus * ROW_WORDS);
    this.#fast = fast;
    this.#cpus = cpus;
  }

  #fastOk(): number {
    let total = 0;
    for (let w = 0; w < this.#fast.length; w += FAST_WORDS) total += wide(this.#fast, w);
    return total;
  }

  /** Sum over CPUs of the u64 at a byte offset of the row; exact below 2^53. */
  sum(offset: number): number {
    let total = 0;
    for (let cpu = 0, w = offset / 4; cpu < this.#cpus; cpu++, w += ROW_WORDS) total += wide(this.#words, w);
    return total;
  }

  /** `enum vl_counter`, summed over CPUs. */
  counter(index: number): number {
    return this.sum(VlCpu.counter + 8 * index);
  }

  sample(batch: EventBatch, time: number): void {
    for (const { group, offset, count } of GROUPS)
      for (let i = 0; i < count; i++) {
        const fast = group === CounterGroup.Kernel && i === VlCounter.VMA_OK ? this.#fastOk() : 0;
        this.push(batch, time, group, i, fast + this.sum(offset + 8 * i));
      }
  }

  /** A row when the value changed since the last sample. */
  push(batch: EventBatch, time: number, group: number, index: number, value: number): void {
    const key = group * 65536 + index;
    if ((this.#last.get(key) ?? 0) === value) return;
    this.#last.set(key, value);
    pushCounter(batch, time, group, index, value);
  }
}
