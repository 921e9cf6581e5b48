// SPDX-License-Identifier: MIT
/**
 * What the kernel side sends of a storm of swap faults in the default scope, a second a round: the lifecycles of those that
 * retry and of one in 256 others, step by step; of the rest one row a second for each process and bucket of time.
 */
import { createBatch, type EventBatch } from '../../src/core/events/batch.js';
import type { SessionInfo } from '../../src/core/events/session.js';
import { CountedField, CounterGroup, pushCounter, pushRow, UserKind } from '../../src/core/events/user-rows.js';
import { VlCounter, VlHist, VlKind, VlStepFlag } from '../../src/schema/events.gen.js';
import { Endless } from '../core/endless.js';
import type { Rounds } from '../core/paced.js';
import type { Random } from '../core/random.js';
import { countedIn } from '../core/rounds.js';
import { folio } from '../core/script-makers.js';
import { type Script, ScriptWriter, type Sight } from '../core/script-writer.js';
import { syntheticSession, VMA_FLAGS } from '../core/session.js';
import { COMMS } from '../core/synthetic-pack.js';

/** SAMPLE_EVERY of src/live/rodata.ts. */
const SAMPLE_EVERY = 256;
const THREADS_PER_PROCESS = 4;
/** Index of swap_info[], as the scripts have it. */
const ZRAM = 1;
/** As `synthesize` numbers threads. */
const FIRST_TID = 1000;
/** Shares of the counted faults by log2 of their ns: a page from zram. */
const BUCKETS: readonly (readonly [bucket: number, share: number])[] = [
  [12, 0.08],
  [13, 0.47],
  [14, 0.3],
  [15, 0.12],
  [16, 0.03],
];
/** Of one thread, so that faults last as long as their scripts say and are spread over the second. */
const PAUSE = 2.2e9;

export const STORM_SESSION: SessionInfo = syntheticSession({ scope: 'retry' });

export interface StormOptions {
  /** Swap faults a second. */
  readonly faults: number;
  /** Of those, how many retry. */
  readonly retries: number;
  readonly threads: number;
}

/** Exactly `sampled` of `of` faults are ordinary ones that are followed as a sample, evenly spread; all others retry. */
function maker(sampled: number, of: number): (random: Random, sight: Sight) => Script {
  let n = 0;
  return (random, sight) => {
    const w = new ScriptWriter(random, sight);
    const at = n++ % of;
    if (Math.floor(((at + 1) * sampled) / of) === Math.floor((at * sampled) / of)) return folio(w);
    w.add(VlKind.SWAP_ENTER, VMA_FLAGS, 0, VlStepFlag.SAMPLED).device().add(VlKind.SWAP_EXIT, 0, 0, 0, 200_000);
    return w.hmf(VMA_FLAGS, 0).done('sampled', 'ok-vma');
  };
}

export class SwapStorm implements Rounds {
  /** Of a second, the End row aside. */
  readonly rows: number;
  /** Of a second: lifecycles that are sent, and faults that are only counted. */
  readonly followed: number;
  readonly counted: number;
  readonly #followed: Endless;
  readonly #processes: number;
  readonly #ordinary: EventBatch;
  /** What the kernel counts of a second's counted faults, by index of `enum vl_counter`. */
  readonly #more: ReadonlyMap<number, number>;
  /** And of those that are sent. */
  readonly #sent: ReadonlyMap<number, number>;

  constructor({ faults, retries, threads }: StormOptions) {
    const sampled = Math.round((faults - retries) / SAMPLE_EVERY);
    this.followed = retries + sampled;
    this.counted = faults - this.followed;
    const make = (rate: number): Endless =>
      new Endless({
        faults: this.followed,
        threads,
        rate,
        unfinished: false,
        pauseNs: (PAUSE * threads) / this.followed,
        make: maker(sampled, this.followed),
      });
    const once = make(1);
    // The rows of a round, whatever they come to, are a second's.
    this.#followed = make(once.rows);
    const batches = once.next();
    this.#sent = new Map([
      ...kernelCounters(batches),
      [VlCounter.SWAP_FOLLOWED, rowsOf(batches, VlKind.SWAP_ENTER)],
      [VlCounter.SWAP_SAMPLED, sampled],
    ]);
    const { counted } = this;
    this.#more = new Map(
      [VlCounter.VMA_OK, VlCounter.SWAP, VlCounter.SWAP_SYNC, VlCounter.SWAP_COUNTED].map((index) => [index, counted]),
    );
    this.#processes = Math.ceil(threads / THREADS_PER_PROCESS);
    this.#ordinary = createBatch(this.#processes * (BUCKETS.length + 1) + 128, COMMS);
    this.#fill(0);
    this.rows = this.#followed.rows + this.#ordinary.length;
  }

  get rounds(): number {
    return this.#followed.rounds;
  }

  get span(): number {
    return this.#followed.span;
  }

  next(): EventBatch[] {
    const batches = this.#followed.next();
    // Endless moves these rows on by what it counted itself.
    if (this.rounds > 1) for (const batch of batches) this.#addCounted(batch);
    this.#fill(this.rounds);
    return [...batches, this.#ordinary];
  }

  end(): EventBatch {
    return this.#followed.end();
  }

  #addCounted(batch: EventBatch): void {
    for (let i = 0; i < batch.length; i++)
      if (batch.kind[i] === UserKind.Counter && batch.a[i] === CounterGroup.Kernel)
        batch.value[i] = (batch.value[i] as number) + (this.#more.get(batch.b[i] as number) ?? 0);
  }

  /** The rows at the end of second `n`: what was counted in it by process, and the counters as they stand then. */
  #fill(n: number): void {
    const batch = this.#ordinary;
    const time = this.span * n;
    batch.length = 0;
    const processes = this.#processes;
    const hist = new Map<number, number>();
    for (let p = 0; p < processes; p++) {
      const faults = share(this.counted, p, processes);
      const tgid = FIRST_TID + p * THREADS_PER_PROCESS;
      const row = (field: number, value: number): void => {
        if (value === 0) return;
        const at = batch.length;
        pushRow(batch, UserKind.Counted, time, ZRAM, field, value);
        batch.tgid[at] = tgid;
        batch.cgroup[at] = 4000 + tgid;
        batch.comm[at] = 1 + ((tgid >> 2) % (COMMS.length - 1));
      };
      let [left, ns] = [faults, 0];
      BUCKETS.forEach(([bucket, part], i) => {
        const here = i === BUCKETS.length - 1 ? left : Math.min(left, Math.round(faults * part));
        left -= here;
        ns += here * 1.5 * 2 ** bucket;
        hist.set(bucket, (hist.get(bucket) ?? 0) + here);
        row(bucket, here);
      });
      row(CountedField.Ns, ns);
    }
    for (const index of new Set([...this.#sent.keys(), ...this.#more.keys()]))
      pushCounter(
        batch,
        time,
        CounterGroup.Kernel,
        index,
        n * ((this.#sent.get(index) ?? 0) + (this.#more.get(index) ?? 0)),
      );
    for (const [bucket, value] of hist)
      pushCounter(batch, time, CounterGroup.Hist, VlHist.SWAP * 64 + bucket, n * value);
  }
}

/** Part `i` of `parts` of a whole, in whole numbers that add up to it. */
function share(whole: number, i: number, parts: number): number {
  return Math.floor(((i + 1) * whole) / parts) - Math.floor((i * whole) / parts);
}

/** What batches that begin at nothing come to, by index of `enum vl_counter`. */
export function kernelCounters(batches: readonly EventBatch[]): Map<number, number> {
  const group = CounterGroup.Kernel * 65_536;
  return new Map(
    [...countedIn(batches)]
      .filter(([key]) => key >= group && key < group + 65_536)
      .map(([key, value]) => [key - group, value]),
  );
}

function rowsOf(batches: readonly EventBatch[], kind: number): number {
  let rows = 0;
  for (const batch of batches) for (let i = 0; i < batch.length; i++) if (batch.kind[i] === kind) rows++;
  return rows;
}
