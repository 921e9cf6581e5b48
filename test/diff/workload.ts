// SPDX-License-Identifier: MIT
/**
 * A made-up workload over swap: bursts, waits with long tails, neighbouring faults alike. The same options with another
 * seed are another run of the same workload.
 */
import { createBatch, type EventBatch } from '../../src/core/events/batch.js';
import type { SessionInfo } from '../../src/core/events/session.js';
import { CounterGroup, pushCounter, pushEnd } from '../../src/core/events/user-rows.js';
import { VlCounter, VlKind, VlStepFlag, VlWait } from '../../src/schema/events.gen.js';
import { MMAP_FLAGS, RET, SWAP_DISK, SWAP_ZRAM, syntheticSession, VMA_FLAGS } from '../core/session.js';

export interface Workload {
  readonly seconds: number;
  /** Faults a second, on average. */
  readonly rate: number;
  readonly swap: 'zram' | 'disk';
  /** Median wait for a folio, ns. */
  readonly folioNs: number;
  /** How much a tenth of a second is like the one before it: 0 to 1. */
  readonly memory?: number;
  /** Everything takes this many times as long. Default 1. */
  readonly slowness?: number;
}

const HOOKS: readonly string[] = [
  'handle_mm_fault',
  'lock_mm_and_find_vma',
  'do_swap_page',
  '__folio_lock_or_retry',
  'get_swap_device',
  'swapin_sync',
];

export function workloadSession(changes: Partial<SessionInfo> = {}): SessionInfo {
  const hooks = HOOKS.map((target) => ({ target, attached: true, note: '' }));
  return syntheticSession({ hooks, scope: 'swap', ...changes });
}

class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = (seed * 2_654_435_761) >>> 0;
  }

  /** mulberry32 */
  unit(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.unit())) * Math.cos(2 * Math.PI * this.unit());
  }
}

type Step = readonly [kind: number, a: number, b: number, after: number];

function stepsOf(random: Random, { swap, folioNs }: Workload, load: number): readonly Step[] {
  const length = (median: number): number => Math.ceil(median * Math.exp(0.8 * random.normal() + 0.4 * load));
  const waits = random.unit() < (swap === 'disk' ? 0.5 : 0.01);
  if (!waits && swap === 'zram') {
    return [
      [VlKind.SWAP_ENTER, VMA_FLAGS, 0, 0],
      [VlKind.SWAP_DEVICE, 0, SWAP_ZRAM, 500],
      [VlKind.WAIT_ENTER, VlWait.SYNC_READ, 0, 500],
      [VlKind.WAIT_EXIT, VlWait.SYNC_READ, 0, length(20_000)],
      [VlKind.SWAP_EXIT, 0, 0, 1000],
      [VlKind.HMF_EXIT, VMA_FLAGS, RET.VM_FAULT_MAJOR, 500],
    ];
  }
  if (!waits) {
    return [
      [VlKind.SWAP_ENTER, VMA_FLAGS, 0, 0],
      [VlKind.SWAP_DEVICE, 0, SWAP_DISK, 500],
      [VlKind.SWAP_EXIT, 0, 0, 3000],
      [VlKind.HMF_EXIT, VMA_FLAGS, 0, 500],
    ];
  }
  return [
    [VlKind.SWAP_ENTER, VMA_FLAGS, 0, 0],
    [VlKind.SWAP_DEVICE, 0, swap === 'disk' ? SWAP_DISK : SWAP_ZRAM, 500],
    [VlKind.FLOR_ENTER, VMA_FLAGS, 0, 2000],
    [VlKind.FLOR_EXIT, 0, RET.VM_FAULT_RETRY, length(folioNs)],
    [VlKind.SWAP_EXIT, 0, RET.VM_FAULT_RETRY, 500],
    [VlKind.HMF_EXIT, VMA_FLAGS, RET.VM_FAULT_RETRY | RET.VM_FAULT_MAJOR, 500],
    [VlKind.MM_LOCK_ENTER, 1, 0, 500],
    [VlKind.MM_LOCK_EXIT, 1, 0, length(2000)],
    [VlKind.HMF_EXIT, MMAP_FLAGS, 0, 5000],
  ];
}

const BURST_NS = 100e6;
const SAMPLE_NS = 250e6;

/** Batches of one run. Faults do not overlap: only their number and their waits matter here. */
export function runOf(workload: Workload, seed: number): EventBatch[] {
  const random = new Random(seed);
  const memory = workload.memory ?? 0.3;
  const strings = ['', 'db', 'web'];
  const rows: [time: number, write: (batch: EventBatch, i: number) => void][] = [];
  let load = 0;
  let fault = 0;
  const retried: number[] = [];
  const done: number[] = [];
  for (let burst = 0; burst < (workload.seconds * 1e9) / BURST_NS; burst++) {
    load = memory * load + Math.sqrt(1 - memory * memory) * random.normal();
    const expected = ((workload.rate * BURST_NS) / 1e9) * Math.exp(0.5 * load - 0.125);
    const faults = Math.floor(expected) + (random.unit() < expected % 1 ? 1 : 0);
    for (let k = 0; k < faults; k++) {
      let time = Math.floor((burst + k / faults) * BURST_NS);
      const id = fault++;
      // Enough threads that none comes back before its wait is over.
      const tid = 1000 + (id % 256);
      for (const [step, [kind, a, b, after]] of stepsOf(random, workload, load).entries()) {
        time += Math.round(after * (workload.slowness ?? 1));
        if (kind === VlKind.HMF_EXIT && a === VMA_FLAGS) ((b & RET.VM_FAULT_RETRY) !== 0 ? retried : done).push(time);
        const at = time;
        rows.push([
          at,
          (batch, i) => {
            batch.kind[i] = kind;
            batch.flags[i] = step === 0 ? VlStepFlag.INFO : kind === VlKind.HMF_EXIT ? VlStepFlag.REGS : 0;
            batch.tid[i] = tid;
            batch.fault[i] = id;
            batch.step[i] = step;
            batch.time[i] = at;
            batch.a[i] = a;
            batch.b[i] = b;
            batch.tgid[i] = tid < 1128 ? 1000 : 1128;
            batch.comm[i] = tid < 1128 ? 1 : 2;
            batch.mm[i] = 0x1000;
            batch.address[i] = 0x7f00_0000_0000 + 4096 * (id % 64);
          },
        ]);
      }
    }
  }
  const end = workload.seconds * 1e9;
  for (let sample = SAMPLE_NS; sample <= end; sample += SAMPLE_NS) {
    const counters: readonly (readonly [number, readonly number[]])[] = [
      [VlCounter.VMA_OK, done],
      [VlCounter.VMA_RETRY, retried],
    ];
    for (const [counter, times] of counters) {
      const value = times.filter((time) => time <= sample).length;
      rows.push([sample, (batch) => counted(batch, sample, counter, value)]);
    }
  }
  rows.sort(([x], [y]) => x - y);
  return pack(rows, strings, end);
}

function counted(batch: EventBatch, time: number, counter: number, value: number): void {
  // The row was counted by `pack` already.
  batch.length--;
  pushCounter(batch, time, CounterGroup.Kernel, counter, value);
}

function pack(
  rows: readonly (readonly [time: number, write: (batch: EventBatch, i: number) => void])[],
  strings: readonly string[],
  end: number,
): EventBatch[] {
  const batches: EventBatch[] = [];
  for (const [n, [, write]] of rows.entries()) {
    if (n % 2048 === 0) batches.push(createBatch(2049, strings));
    const batch = batches.at(-1) as EventBatch;
    write(batch, batch.length++);
  }
  pushEnd(batches.at(-1) ?? createBatch(1, strings), end);
  return batches;
}
