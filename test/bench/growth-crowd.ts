// SPDX-License-Identifier: MIT
/**
 * A stream in which ever more threads, VMAs and cgroups come: a half of the rounds are of threads never seen before, the other
 * half of some that were. Four threads are a process, and each has a VMA of its own.
 */
import type { EventBatch } from '../../src/core/events/batch.js';
import { UserKind } from '../../src/core/events/user-rows.js';
import { VlStepFlag } from '../../src/schema/events.gen.js';
import { Endless } from '../core/endless.js';
import { Random } from '../core/random.js';
import type { GrowthOptions } from './growth.js';

const THREADS_PER_PROCESS = 4;
/** As `synthesize` numbers threads. */
const FIRST_TID = 1000;
const VMA_BYTES = 2 ** 30;

export interface Seen {
  readonly threads: number;
  readonly vmas: number;
  readonly cgroups: number;
}

export class Crowd {
  /** In all. */
  readonly rounds: number;
  readonly #stream: Endless;
  /** Threads of a round. */
  readonly #threads: number;
  readonly #cgroups: number;
  readonly #random: Random = new Random(1);
  /** Blocks of threads seen so far, and which one the rows are of. */
  #blocks = 0;
  #block = 0;

  constructor({ lifecycles, faults, threads, cgroups, rate }: GrowthOptions & { readonly rate: number }) {
    this.rounds = 2 * Math.ceil(lifecycles / faults / 2);
    this.#threads = THREADS_PER_PROCESS * Math.ceil((2 * threads) / this.rounds / THREADS_PER_PROCESS);
    if (this.#threads > faults) throw new Error('not every thread would have a fault');
    this.#cgroups = cgroups;
    this.#stream = new Endless({ faults, threads: this.#threads, rate, unfinished: false });
  }

  get seen(): Seen {
    const threads = this.#blocks * this.#threads;
    return { threads, vmas: threads, cgroups: Math.min(this.#cgroups, threads / THREADS_PER_PROCESS) };
  }

  /** The next round; valid until the one after it is asked for. */
  next(): readonly EventBatch[] {
    const first = this.#stream.rounds === 0;
    const batches = this.#stream.next();
    if (first) for (const batch of batches) apart(batch);
    const to = this.#stream.rounds % 2 === 1 ? this.#blocks++ : this.#random.int(0, this.#blocks - 1);
    for (const batch of batches) this.#move(batch, (to - this.#block) * this.#threads);
    this.#block = to;
    return batches;
  }

  #move(batch: EventBatch, by: number): void {
    for (let i = 0; i < batch.length; i++) {
      if ((batch.kind[i] as number) >= UserKind.Counter) continue;
      batch.tid[i] = (batch.tid[i] as number) + by;
      if (!((batch.flags[i] as number) & VlStepFlag.INFO)) continue;
      const tgid = (batch.tgid[i] as number) + by;
      batch.tgid[i] = tgid;
      batch.mm[i] = 0x8881_0000_0000 + tgid * 0x1000;
      batch.cgroup[i] = 4000 + (((tgid - FIRST_TID) / THREADS_PER_PROCESS) % this.#cgroups);
    }
  }
}

/** Threads of a process have VMAs apart. */
function apart(batch: EventBatch): void {
  for (let i = 0; i < batch.length; i++) {
    if (!((batch.flags[i] as number) & VlStepFlag.INFO) || (batch.kind[i] as number) >= UserKind.Counter) continue;
    const up = ((batch.tid[i] as number) % THREADS_PER_PROCESS) * VMA_BYTES;
    batch.vmaStart[i] = (batch.vmaStart[i] as number) + up;
    batch.vmaEnd[i] = (batch.vmaStart[i] as number) + VMA_BYTES;
    batch.address[i] = (batch.address[i] as number) + up;
  }
}
