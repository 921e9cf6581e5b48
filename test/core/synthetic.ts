// SPDX-License-Identifier: MIT
/**
 * Synthetic event streams, shaped as the kernel side sends them: interleaved over threads and CPUs, with counters,
 * an End row, and (by option) dropped records and missed program runs. The same seed gives the same stream.
 */
import { DEFAULT_BATCH_ROWS, type EventBatch } from '../../src/core/events/batch.js';
import { CounterGroup, pushCounter, pushEnd } from '../../src/core/events/user-rows.js';
import { VlCounter, VlKind, VlStepFlag } from '../../src/schema/events.gen.js';
import type { Sight } from './script-writer.js';
import { makeScript, Random, type Script, type ScriptStep } from './scripts.js';
import { COMMS, counterOf, Packer, type SyntheticRow, type Truth, type Who } from './synthetic-pack.js';

export interface SyntheticOptions {
  /** Threads in all, four to a process. Default 16. */
  readonly threads?: number;
  /** Share of records the ring had no room for: a gap in the step numbers. Default 0. */
  readonly dropRate?: number;
  /** Share of program runs missed: no gap. Default 0. */
  readonly missRate?: number;
  /** VMA_RELEASE steps, as on 6.4 to 6.14 (`session.release === 'observed'`). Default false. */
  readonly observed?: boolean;
  /** VL_MM_RELEASED steps (`syntheticHooks(true)`). Default false. */
  readonly released?: boolean;
  /** Leave the last fault of every fourth thread unfinished. Default true. */
  readonly unfinished?: boolean;
  readonly batchRows?: number;
  /** What a fault is. Default: a mix of every shape. */
  make?(random: Random, sight: Sight): Script;
  /** Between two faults of a thread, at most; before its first one 3 ms, or this if it is longer. Default 400 000. */
  readonly pauseNs?: number;
}

export interface SyntheticStream {
  readonly batches: EventBatch[];
  /** Rows in the order of the ring, without those dropped or missed. */
  readonly rows: readonly SyntheticRow[];
  readonly truths: ReadonlyMap<number, Truth>;
  readonly dropped: number;
  readonly released: boolean;
}

const COUNTER_PERIOD_NS = 100e6;
const PAGE = 4096;

class Maker {
  readonly rows: SyntheticRow[] = [];
  readonly truths: Map<number, Truth> = new Map();
  readonly random: Random;
  readonly options: SyntheticOptions;
  readonly #nextFault: number[] = [0, 0, 0, 0];

  constructor(seed: number, options: SyntheticOptions) {
    this.random = new Random(seed);
    this.options = options;
  }

  thread(tid: number, faults: number): void {
    const { random } = this;
    const { make = makeScript, pauseNs = 400_000 } = this.options;
    let clock = random.int(1000, Math.max(3_000_000, pauseNs));
    let order = 0;
    let abandon: ((time: number, by: number) => void) | null = null;
    const unfinishedTail = (this.options.unfinished ?? true) && tid % 4 === 3;

    const play = (script: Script, depth: number, cutAt: number): void => {
      const faultCpu = random.int(0, 3);
      const fault = this.#nextFault[faultCpu] ?? 0;
      this.#nextFault[faultCpu] = fault + 1;
      const truth: Truth = { id: faultCpu * 2 ** 32 + fault, tid, script, unfinished: cutAt < script.steps.length };
      this.truths.set(truth.id, truth);
      const tgid = tid - (tid % 4);
      // A herd: half of what retries for the folio is on few pages.
      const hot = script.cause?.startsWith('folio locked') === true && random.chance(0.5);
      const who: Who = {
        tgid,
        comm: 1 + ((tgid >> 2) % (COMMS.length - 1)),
        depth,
        acquired: script.name === 'ordinary' && random.chance(0.5) ? clock : Number.NaN,
        mm: 0x8881_0000_0000 + tgid * 0x1000,
        address: 0x7f00_0000_0000 + (hot ? random.int(0, 3) : random.int(4, 100_000)) * PAGE,
        pte: script.steps[0]?.kind === VlKind.SWAP_ENTER ? script.pte : 0n,
        vmFlags: script.vmFlags,
      };
      let step = 0;
      let cpu = faultCpu;
      const send = (kind: number, flags: number, time: number, a: number, b: number): void => {
        const dropped = random.chance(this.options.dropRate ?? 0);
        order = Math.max(order, time);
        const info = step === 0 ? VlStepFlag.INFO : 0;
        this.rows.push({
          kind,
          flags: flags | info,
          tid,
          cpu,
          fault,
          faultCpu,
          step: step++,
          time,
          a,
          b,
          who,
          order,
          dropped,
        });
      };
      let lastSent = true;
      script.steps.slice(0, cutAt).forEach((s: ScriptStep) => {
        if (s.inner !== undefined) play(s.inner, depth + 1, s.inner.steps.length);
        clock += s.after;
        if (random.chance(0.05)) cpu = random.int(0, 3);
        // The first run makes the record: missed, there would be no lifecycle.
        lastSent = step === 0 || !random.chance(this.options.missRate ?? 0);
        if (!lastSent) return;
        // The next fault gives up what is open, in the middle of its own first program.
        if (step === 0 && depth === 0) {
          abandon?.(clock + 50, s.kind);
          abandon = null;
        }
        send(s.kind, s.flags, clock, s.a, s.b);
      });
      if (depth === 0 && !truth.unfinished && (script.open || !lastSent)) {
        abandon = (time, by) => send(VlKind.ABANDONED, 0, time, by, 0);
      }
    };

    for (let i = 0; i < faults; i++) {
      const script = make(random, {
        observed: this.options.observed ?? false,
        released: this.options.released ?? false,
      });
      const last = i === faults - 1;
      // A fault cut before its last step is in flight when the session ends.
      const cut = last && unfinishedTail && script.steps.length > 1 && !script.open;
      play(script, 0, cut ? random.int(1, script.steps.length - 1) : script.steps.length);
      clock += random.int(1000, pauseNs);
    }
    // Nothing comes after the last fault: its abandonment is sent by a fault outside the scope.
    (abandon as ((time: number, by: number) => void) | null)?.(clock, VlKind.HMF_EXIT);
  }
}

function raise(counters: Float64Array, index: number): void {
  if (index >= 0) counters[index] = (counters[index] ?? 0) + 1;
}

/** A stream of about `faults` faults, with the truth beside it. */
export function synthesizeStream(faults: number, seed: number, options: SyntheticOptions = {}): SyntheticStream {
  const maker = new Maker(seed, options);
  const threads = Math.min(options.threads ?? 16, Math.max(1, faults));
  for (let t = 0; t < threads; t++) maker.thread(1000 + t, Math.floor((faults + t) / threads));
  maker.rows.sort((x, y) => x.order - y.order);
  const packer = new Packer(options.batchRows ?? DEFAULT_BATCH_ROWS);
  const kernel = new Float64Array(64);
  const emitted = new Float64Array(64);
  const dropped = new Float64Array(64);
  let lost = 0;
  const counters = (time: number): void => {
    const group = (id: number, values: Float64Array): void =>
      values.forEach((value, i) => {
        if (value > 0) pushCounter(packer.room(), time, id, i, value);
      });
    group(CounterGroup.Kernel, kernel);
    group(CounterGroup.Emitted, emitted);
    group(CounterGroup.Dropped, dropped);
    pushCounter(packer.room(), time, CounterGroup.RunCount, 0, kernel[VlCounter.VMA_OK] ?? 0);
    pushCounter(packer.room(), time, CounterGroup.RunTime, 0, (kernel[VlCounter.VMA_OK] ?? 0) * 90);
    pushCounter(packer.room(), time, CounterGroup.Self, 0, time);
    pushCounter(packer.room(), time, CounterGroup.Self, 1, Math.floor(time / 200));
    pushCounter(packer.room(), time, CounterGroup.Self, 2, 80 << 20);
  };
  let due = COUNTER_PERIOD_NS;
  let time = 0;
  for (const row of maker.rows) {
    while (row.order >= due) {
      counters(due);
      due += COUNTER_PERIOD_NS;
    }
    time = Math.max(time, row.time);
    raise(kernel, counterOf(row, maker.truths.get(row.faultCpu * 2 ** 32 + row.fault)));
    if (row.step === 0) raise(kernel, VlCounter.OPENED);
    raise(emitted, row.kind);
    if (row.dropped) {
      raise(dropped, row.kind);
      lost++;
    } else packer.add(row);
  }
  counters(time + 1000);
  pushEnd(packer.room(), time + 1000);
  return {
    batches: packer.batches,
    rows: maker.rows.filter((row) => !row.dropped),
    truths: maker.truths,
    dropped: lost,
    released: options.released ?? false,
  };
}

/** Batches of about `n` faults: swaps, retries, userfaults, aborts, nested faults, counters, an End row. */
export function synthesize(n: number, seed: number, options: SyntheticOptions = {}): EventBatch[] {
  return synthesizeStream(n, seed, options).batches;
}
