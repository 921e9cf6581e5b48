// SPDX-License-Identifier: MIT
/** Faults → event batches: several threads, counters as the live source reads them, losses as they happen in the kernel. */
import { createBatch, type EventBatch } from '../../src/core/events/batch.js';
import { CounterGroup, pushCounter, pushEnd, pushUserRow } from '../../src/core/events/user-rows.js';
import { VlKind, VlStepFlag, VlWait } from '../../src/schema/events.gen.js';
import { type Life, type LifeStep, TARGETS } from './check-life.js';
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

/** Indices of `sessionOf`'s programs. */
const PROGRAMS = [...TARGETS, 'up_read'];
const HOOKS: Readonly<Record<number, string>> = {
  [VlKind.VMA_LOCK]: 'lock_vma_under_rcu',
  [VlKind.HMF_EXIT]: 'handle_mm_fault',
  [VlKind.SWAP_ENTER]: 'do_swap_page',
  [VlKind.SWAP_EXIT]: 'do_swap_page',
  [VlKind.SWAP_DEVICE]: 'get_swap_device',
  [VlKind.FLOR_ENTER]: '__folio_lock_or_retry',
  [VlKind.FLOR_SLEEP]: 'io_schedule',
  [VlKind.FLOR_EXIT]: '__folio_lock_or_retry',
  [VlKind.UFFD_ENTER]: 'handle_userfault',
  [VlKind.UFFD_EXIT]: 'handle_userfault',
  [VlKind.ANON_PREPARE]: '__vmf_anon_prepare',
  [VlKind.MM_LOCK_ENTER]: 'lock_mm_and_find_vma',
  [VlKind.MM_LOCK_EXIT]: 'lock_mm_and_find_vma',
  [VlKind.VMA_RELEASE]: 'up_read',
  [VlKind.SIGNAL]: 'signal_deliver',
  [VlKind.TASK_EXIT]: 'sched_process_exit',
  [VlKind.ABANDONED]: 'handle_mm_fault',
  [VlKind.FILE_ENTER]: 'filemap_fault',
  [VlKind.FILE_SLEEP]: 'io_schedule',
  [VlKind.FILE_EXIT]: 'filemap_fault',
  [VlKind.INNER_RETRY]: 'do_huge_pmd_device_private',
  [VlKind.MM_RELEASED]: 'mmap_lock_released',
  [VlKind.MM_INSIDE]: 'mmap_lock_acquire_returned',
};

/** The hook whose program sends a step. */
export function hookOf(kind: number, a: number): string {
  if (kind === VlKind.WAIT_ENTER || kind === VlKind.WAIT_EXIT) {
    if (a === VlWait.RECLAIM) return 'mm_vmscan_direct_reclaim_begin';
    if (a === VlWait.MEMCG) return 'mm_vmscan_memcg_reclaim_begin';
    return a === VlWait.SYNC_READ ? 'swapin_sync' : 'swapin_readahead';
  }
  const hook = HOOKS[kind];
  return hook ?? 'handle_mm_fault';
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
  readonly misses: { readonly time: number; readonly program: number }[] = [];
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
      clock += random.int(300, 2000);
      if (life.looksUp === true) {
        // A missed run of lock_vma_under_rcu's program leaves the time of an older one, or none.
        if (this.#missed(clock, VlKind.VMA_LOCK)) looked = random.chance(0.5) ? looked : Number.NaN;
        else looked = clock;
      }
      const acquired = life.looksUp === false ? Number.NaN : looked;
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
        last = !this.#missed(clock, step.kind, step.a) && (number > 0 || OPENERS.has(step.kind));
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

  #missed(time: number, kind: number, a = 0): boolean {
    if (!this.#random.chance(this.#options.missRate ?? 0)) return false;
    this.misses.push({ time, program: PROGRAMS.indexOf(hookOf(kind, a)) });
    return true;
  }
}

/** `lives`: the faults of each thread, in order. */
export function streamOf(lives: readonly (readonly Life[])[], seed: number, options: StreamOptions = {}): EventBatch {
  const threads = new Threads(new Random(seed), options);
  for (const [i, own] of lives.entries()) threads.play(1000 + i, own);
  const rows = threads.rows.sort((x, y) => x.order - y.order);
  const misses = threads.misses.sort((x, y) => x.time - y.time);
  const every = options.readEvery ?? 40_000;
  const end = Math.max(0, rows.at(-1)?.order ?? 0, misses.at(-1)?.time ?? 0) + 1000;
  const batch = createBatch(rows.length * 2 + (8 + PROGRAMS.length) * Math.ceil(end / every) + 64, ['', 'worker']);
  let dropped = 0;
  let emitted = 0;
  let due = every;
  const read = (time: number): void => {
    const counted = options.counted ?? true;
    const missed = new Map<number, number>();
    for (const { time: at, program } of counted ? misses : [])
      if (at <= time) missed.set(program, (missed.get(program) ?? 0) + 1);
    pushCounter(batch, time, CounterGroup.Emitted, VlKind.HMF_EXIT, emitted);
    pushCounter(batch, time, CounterGroup.Self, 0, time);
    for (const [program, n] of missed) pushCounter(batch, time, CounterGroup.Missed, program, n);
    if (dropped > 0 && counted) pushCounter(batch, time, CounterGroup.Dropped, VlKind.HMF_EXIT, dropped);
  };
  for (const [type, flags, synchronous] of options.devices ?? [])
    pushUserRow(batch, 'SwapDevice', 0, { type, flags, isSynchronous: synchronous });
  for (const row of rows) {
    for (; row.order >= due; due += every) read(due);
    emitted++;
    if (row.dropped) dropped++;
    else push(batch, row);
  }
  if (options.cutOff) return batch;
  for (; due < end; due += every) read(due);
  read(end);
  pushEnd(batch, end);
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
