// SPDX-License-Identifier: MIT
/**
 * A synthetic stream without end: one round of faults over and over, each moved on in time. With `churn` each round has
 * threads, processes, mms, cgroups, names and stacks of its own; those of the round before are never heard of again.
 */
import { createBatch, type EventBatch } from '../../src/core/events/batch.js';
import { CounterGroup, pushCounter, pushEnd, pushRow, UserKind } from '../../src/core/events/user-rows.js';
import { VlKind, VlStepFlag } from '../../src/schema/events.gen.js';
import { countedIn, moveOn } from './rounds.js';
import { type SyntheticOptions, synthesize } from './synthetic.js';

export interface EndlessOptions extends SyntheticOptions {
  /** In each round. */
  readonly faults: number;
  readonly threads: number;
  /** Rows of kernel and user side in a second of the session. */
  readonly rate: number;
  readonly churn?: boolean;
}

/** As `synthesize` numbers them. */
const FIRST_TID = 1000;
const THREADS_PER_PROCESS = 4;
/** Thread ids run to about PID_MAX_LIMIT (include/linux/threads.h), then begin anew. */
const MAX_TIDS = 4_000_000;
const STACKS = 200;
const FRAMES = 8;
/** Size of the kernel side's stack map. */
const STACK_IDS = 16_384;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export class Endless {
  /** Rounds given out. */
  rounds = 0;
  /** Rows in a round, without the End row. */
  readonly rows: number;
  /** Length of a round, ns. */
  readonly span: number;
  readonly #options: EndlessOptions;
  readonly #batches: Mutable<EventBatch>[];
  readonly #end: EventBatch;
  readonly #faults: number;
  readonly #tids: number;
  /** What counters grow by in a round. */
  readonly #added: ReadonlyMap<number, number>;

  constructor(options: EndlessOptions) {
    this.#options = options;
    const { threads, rate, churn = false } = options;
    if (churn && threads % THREADS_PER_PROCESS !== 0) throw new Error('whole processes come and go');
    this.#tids = Math.floor(MAX_TIDS / threads) * threads;
    this.#batches = synthesize(options.faults, 1, options).map((batch) => ({ ...batch }));
    this.#end = cutEnd(this.#batches);
    const last = lastTime(this.#batches);
    if (churn) {
      for (const batch of this.#batches) nameProcesses(batch);
      this.#batches.push(writerBatch(threads, last));
    }
    this.#faults = 1 + this.#most((batch, i) => (batch.kind[i] ?? 0) < UserKind.Counter && batch.fault[i]);
    const named = churn ? STACKS * FRAMES + threads / THREADS_PER_PROCESS : 0;
    this.rows = this.#batches.reduce((sum, { length }) => sum + length, named);
    // As many events a second as wanted, whatever the made-up threads would have had.
    const stretch = (this.rows / rate) * (1e9 / lastTime(this.#batches));
    for (const batch of this.#batches) {
      for (let i = 0; i < batch.length; i++) {
        batch.time[i] = Math.round((batch.time[i] ?? 0) * stretch);
        batch.acquired[i] = Math.round((batch.acquired[i] ?? Number.NaN) * stretch);
      }
    }
    this.span = lastTime(this.#batches);
    this.#added = countedIn(this.#batches);
  }

  /** The next round; valid until the one after it is asked for. */
  next(): EventBatch[] {
    if (this.rounds > 0) for (const batch of this.#batches) this.#advance(batch);
    this.rounds++;
    if (this.#options.churn !== true) return this.#batches;
    const strings = this.#comms();
    for (const batch of this.#batches) batch.strings = strings;
    return [this.#names(), ...this.#batches];
  }

  /** The End row, behind the round given out last. */
  end(): EventBatch {
    this.#end.time[0] = this.span * this.rounds;
    return this.#end;
  }

  #most(of: (batch: EventBatch, i: number) => number | false | undefined): number {
    let most = 0;
    for (const batch of this.#batches) for (let i = 0; i < batch.length; i++) most = Math.max(most, of(batch, i) || 0);
    return most;
  }

  #advance(batch: EventBatch): void {
    const { churn, threads } = this.#options;
    moveOn(batch, this.span, this.#faults, this.#added);
    if (churn !== true) return;
    for (let i = 0; i < batch.length; i++) {
      if (batch.kind[i] === UserKind.Counter) continue;
      batch.tid[i] = this.#moved(batch.tid[i] ?? 0, threads);
      if (batch.tgid[i] === 0) continue;
      const tgid = this.#moved(batch.tgid[i] ?? 0, threads);
      batch.tgid[i] = tgid;
      batch.mm[i] = 0x8881_0000_0000 + tgid * 0x1000;
      if ((batch.flags[i] ?? 0) & VlStepFlag.INFO) batch.cgroup[i] = 4000 + tgid;
    }
  }

  #moved(id: number, by: number): number {
    return FIRST_TID + ((id - FIRST_TID + by) % this.#tids);
  }

  /** A name for each process, by the index `nameProcesses` gave it. */
  #comms(): string[] {
    const { threads } = this.#options;
    const first = (this.rounds - 1) * (threads / THREADS_PER_PROCESS);
    return ['', ...Array.from({ length: threads / THREADS_PER_PROCESS }, (_, i) => `job-${first + i}`)];
  }

  /** The cgroup of each process of the round, and the stacks seen in it. */
  #names(): EventBatch {
    const { threads } = this.#options;
    const processes = threads / THREADS_PER_PROCESS;
    const strings = [''];
    const batch = createBatch(processes + STACKS * FRAMES, strings);
    const round = this.rounds - 1;
    const time = round * this.span;
    const name = (kind: number, a: number, b: number, value: number, text: string): void => {
      batch.comm[batch.length] = strings.push(text) - 1;
      pushRow(batch, kind, time, a, b, value);
    };
    for (let i = 0; i < processes; i++) {
      const tgid = this.#moved(FIRST_TID + i * THREADS_PER_PROCESS, round * threads);
      name(UserKind.Cgroup, 0, 0, 4000 + tgid, `/batch.slice/job-${tgid}.scope`);
    }
    for (let i = 0; i < STACKS; i++) {
      const id = (round * STACKS + i) % STACK_IDS;
      for (let frame = 0; frame < FRAMES; frame++)
        name(UserKind.Frame, id, frame, 1, `symbol_${(id * 7 + frame) % 4000}`);
    }
    return batch;
  }
}

/** Each process of the round has a name of its own. */
function nameProcesses(batch: EventBatch): void {
  for (let i = 0; i < batch.length; i++)
    if ((batch.flags[i] ?? 0) & VlStepFlag.INFO && (batch.kind[i] ?? 0) < UserKind.Counter)
      batch.comm[i] = 1 + ((batch.tgid[i] ?? 0) - FIRST_TID) / THREADS_PER_PROCESS;
}

/** Takes the End row off the last batch. */
function cutEnd(batches: readonly EventBatch[]): EventBatch {
  const last = batches.at(-1);
  if (last === undefined || last.kind[last.length - 1] !== UserKind.End) throw new Error('a stream without an end');
  last.length--;
  const end = createBatch(1, ['']);
  pushEnd(end, 0);
  return end;
}

function lastTime(batches: readonly EventBatch[]): number {
  let last = 0;
  for (const batch of batches) for (let i = 0; i < batch.length; i++) last = Math.max(last, batch.time[i] ?? 0);
  return last;
}

/** One hold of mmap_lock by each process at the end of the round, behind another of its threads, and what the kernel counted of them. */
function writerBatch(threads: number, from: number): EventBatch {
  const processes = threads / THREADS_PER_PROCESS;
  const batch = createBatch(3 * processes + 3, ['']);
  let time = from;
  const row = (kind: number, process: number, asked: number, b: number, flags: number): void => {
    const i = batch.length++;
    const tgid = FIRST_TID + process * THREADS_PER_PROCESS;
    batch.kind[i] = kind;
    batch.flags[i] = flags;
    batch.tid[i] = tgid;
    batch.tgid[i] = tgid;
    batch.time[i] = time;
    batch.acquired[i] = asked;
    batch.comm[i] = 1 + process;
    batch.mm[i] = 0x8881_0000_0000 + tgid * 0x1000;
    batch.a[i] = 11; // munmap
    batch.b[i] = b;
    batch.vmaStart[i] = 0x7f00_0000_0000;
    batch.vmaEnd[i] = 0x7f40_0000_0000;
  };
  for (let process = 0; process < processes; process++) {
    const asked = time;
    time += 5000;
    const had = time;
    row(VlKind.W_ACQUIRED, process, asked, FIRST_TID + process * THREADS_PER_PROCESS + 1, VlStepFlag.HOLDER_READER);
    time += 2000;
    row(VlKind.W_VMA, process, had, 1000, 0);
    time += 1000;
    row(VlKind.W_RELEASED, process, had, 0, 0);
  }
  time += 1000;
  for (const kind of [VlKind.W_ACQUIRED, VlKind.W_VMA, VlKind.W_RELEASED])
    pushCounter(batch, time, CounterGroup.Emitted, kind, processes);
  return batch;
}
