// SPDX-License-Identifier: MIT
/** Faults → event batches: several threads, counters as the live source reads them, losses as the kernel has them. */
import { CounterGroup, createBatch, type EventBatch, pushUserRow, UserKind } from '../../src/core/events/batch.js';
import { VlKind, VlStepFlag } from '../../src/schema/events.gen.js';
import type { Life, LifeStep } from './check-shapes.js';
import { Random } from './scripts.js';

export interface StreamOptions {
  /** Share of records the ring had no room for: the step number is used up. Default 0. */
  readonly dropRate?: number;
  /** Share of program runs missed: no step number is. Default 0. */
  readonly missRate?: number;
  /** Whether losses are counted, as they are in the kernel. Default true. */
  readonly counted?: boolean;
  /** ns between readings of the counters. Default 40 000. */
  readonly readEvery?: number;
  /** Leave the End row out, and what the counters said last. Default false. */
  readonly cutOff?: boolean;
  /** Rows of `UserKind.SwapDevice`: type, flags, what the block device says. */
  readonly devices?: readonly (readonly [type: number, flags: number, synchronous: number])[];
}

interface Row {
  readonly step: LifeStep;
  readonly tid: number;
  readonly fault: number;
  readonly number: number;
  readonly order: number;
  readonly life: Life;
  readonly address: number;
  readonly acquired: number;
  readonly dropped: boolean;
}

const VMA_START = 0x7f00_0000_0000;
const VMA_END = 0x7f40_0000_0000;
/** Hooks that open a record; the others find none and pass. */
const OPENERS: ReadonlySet<number> = new Set([
  VlKind.VMA_LOCK,
  VlKind.HMF_EXIT,
  VlKind.SWAP_ENTER,
  VlKind.UFFD_ENTER,
  VlKind.FILE_ENTER,
  VlKind.ANON_PREPARE,
  VlKind.INNER_RETRY,
  VlKind.MM_LOCK_ENTER,
]);

class Threads {
  readonly rows: Row[] = [];
  /** Times at which runs were missed. */
  readonly misses: number[] = [];
  readonly #random: Random;
  readonly #options: StreamOptions;
  #fault = 0;

  constructor(random: Random, options: StreamOptions) {
    this.#random = random;
    this.#options = options;
  }

  play(tid: number, lives: readonly Life[]): void {
    const random = this.#random;
    let clock = random.int(1000, 20_000);
    let address = VMA_START;
    let looked = Number.NaN;
    let abandon: ((order: number) => void) | null = null;
    for (const life of lives) {
      const fault = this.#fault++;
      const previous = clock;
      clock += random.int(300, 2000);
      if (life.looksUp === true) {
        // A missed run of lock_vma_under_rcu's program leaves the time of an older one, or none.
        if (this.#missed(clock)) looked = random.chance(0.5) ? looked : Number.NaN;
        else looked = clock;
      }
      const acquired = life.looksUp === false ? Number.NaN : life.looksUp === 'stale' ? previous - 5 : looked;
      if (!life.sameAddress) address = VMA_START + random.int(0, 9999) * 4096;
      const at = life.astray ? VMA_END + 4096 : address;
      let number = 0;
      let last = false;
      const send = (step: LifeStep, order: number): void => {
        const dropped = random.chance(this.#options.dropRate ?? 0);
        this.rows.push({ step, tid, fault, number, order, life, address: at, acquired, dropped });
        number++;
      };
      for (const step of life.steps) {
        clock += random.int(50, 900);
        last = !this.#missed(clock) && (number > 0 || OPENERS.has(step.kind));
        if (!last) continue;
        if (number === 0 && life.depth === 0) {
          abandon?.(clock - 10);
          abandon = null;
        }
        send(step, clock);
      }
      // What was to close its record was missed: the next fault finds it open.
      if (!last && number > 0)
        abandon = (order) => send({ kind: VlKind.ABANDONED, a: VlKind.HMF_EXIT, b: 0, flags: 0 }, order);
    }
  }

  #missed(time: number): boolean {
    if (!this.#random.chance(this.#options.missRate ?? 0)) return false;
    this.misses.push(time);
    return true;
  }
}

/** `lives`: the faults of each thread, in order. */
export function streamOf(lives: readonly (readonly Life[])[], seed: number, options: StreamOptions = {}): EventBatch {
  const threads = new Threads(new Random(seed), options);
  for (const [i, own] of lives.entries()) threads.play(1000 + i, own);
  const rows = threads.rows.sort((x, y) => x.order - y.order);
  const misses = threads.misses.sort((x, y) => x - y);
  const every = options.readEvery ?? 40_000;
  const end = Math.max(0, rows.at(-1)?.order ?? 0, misses.at(-1) ?? 0) + 1000;
  const batch = createBatch(rows.length * 2 + 8 * Math.ceil(end / every) + 64, ['', 'worker']);
  let dropped = 0;
  let emitted = 0;
  let due = every;
  const read = (time: number): void => {
    const counted = options.counted ?? true;
    const missed = counted ? misses.filter((at) => at <= time).length : 0;
    pushUserRow(batch, UserKind.Counter, time, CounterGroup.Emitted, VlKind.HMF_EXIT, emitted);
    pushUserRow(batch, UserKind.Counter, time, CounterGroup.Self, 0, time);
    if (missed > 0) pushUserRow(batch, UserKind.Counter, time, CounterGroup.Missed, 0, missed);
    if (dropped > 0 && counted)
      pushUserRow(batch, UserKind.Counter, time, CounterGroup.Dropped, VlKind.HMF_EXIT, dropped);
  };
  for (const [type, flags, synchronous] of options.devices ?? [])
    pushUserRow(batch, UserKind.SwapDevice, 0, type, flags, synchronous);
  for (const row of rows) {
    for (; row.order >= due; due += every) read(due);
    emitted++;
    if (row.dropped) dropped++;
    else push(batch, row);
  }
  if (options.cutOff) return batch;
  for (; due < end; due += every) read(due);
  read(end);
  pushUserRow(batch, UserKind.End, end, 0, 0, 0);
  return batch;
}

function push(batch: EventBatch, row: Row): void {
  const i = batch.length++;
  const { step, life } = row;
  const info = row.number === 0;
  batch.kind[i] = step.kind;
  batch.flags[i] = step.flags | (info ? VlStepFlag.INFO : 0);
  batch.tid[i] = row.tid;
  batch.fault[i] = row.fault;
  batch.step[i] = row.number;
  batch.time[i] = row.order - (step.ago ?? 0);
  batch.a[i] = step.a;
  batch.b[i] = step.b;
  if (!info) return;
  batch.tgid[i] = 1000;
  batch.comm[i] = 1;
  batch.depth[i] = life.depth;
  batch.acquired[i] = row.acquired;
  batch.mm[i] = 0x8881_0000_0000;
  batch.address[i] = row.address;
  const whole = life.vmFlags !== 0n;
  batch.vmaStart[i] = whole ? VMA_START : 0;
  batch.vmaEnd[i] = whole ? VMA_END : 0;
  batch.vmFlags[i] = life.vmFlags;
  batch.pte[i] = life.pte;
}
