// SPDX-License-Identifier: MIT
/** Counters as they stand: the kernel side's, each program's account, and what we take ourselves. */

import type { LinkAccount, RingBuffer } from 'ebpf-ts';
import type { EventBatch } from '../core/events/batch.js';
import { CounterGroup } from '../core/events/user-rows.js';
import { VlCounter } from '../schema/events.gen.js';
import type { CounterReader } from './counters.js';
import { isStandby, programName } from './program-names.js';

/** A program where it is attached. */
export interface AttachedProgram {
  /** The program's. */
  readonly name: string;
  account(): LinkAccount;
}

export interface Sampled {
  readonly counters: CounterReader;
  readonly programs: readonly AttachedProgram[];
  readonly ring: RingBuffer;
  /** Whether the kernel takes run times of programs. */
  readonly stats: boolean;
}

export class Sampler {
  readonly #of: Sampled;
  /** Our own CPU time counts from here: what loading cost is not what watching costs. */
  #cpuAtStart: NodeJS.CpuUsage = process.cpuUsage();
  /** What the programs' accounts said when the session began: they count from their loading on. */
  #before: readonly LinkAccount[] = [];
  /** What each program was last said to have missed. */
  readonly #missed: number[] = [];

  constructor(of: Sampled) {
    this.#of = of;
  }

  /** The session begins right after: runs, and missed runs, before that do not belong to it. */
  begin(): void {
    this.#before = this.#of.programs.map((program) => program.account());
    this.#cpuAtStart = process.cpuUsage();
  }

  /** Appends a row for each counter, of `time` (ns of the session). No value is less than it was before. */
  sample(batch: EventBatch, time: number): void {
    const { counters, programs, ring, stats } = this.#of;
    // Runs go on meanwhile: what the standby took is read after what was missed, or what comes in between would be no more than missed.
    const accounts = programs.map((program) => program.account());
    const standby = counters.counter(VlCounter.STANDBY);
    counters.sample(batch, time);
    programs.forEach(({ name }, i) => {
      const now = accounts[i] as LinkAccount;
      const before = this.#before[i];
      const misses = missed(name, skipped(now) - (before === undefined ? 0 : skipped(before)), standby);
      // At least so many, each time: so is the most of them.
      this.#missed[i] = Math.max(this.#missed[i] ?? 0, misses);
      counters.push(batch, time, CounterGroup.Missed, i, this.#missed[i]);
      counters.push(batch, time, CounterGroup.RunCount, i, now.runCount - (before?.runCount ?? 0));
      counters.push(batch, time, CounterGroup.RunTime, i, now.runTimeNs - (before?.runTimeNs ?? 0));
    });
    const cpu = process.cpuUsage(this.#cpuAtStart);
    counters.push(batch, time, CounterGroup.Self, 0, stats ? time : 0);
    counters.push(batch, time, CounterGroup.Self, 1, (cpu.user + cpu.system) * 1000);
    counters.push(batch, time, CounterGroup.Self, 2, process.memoryUsage.rss());
    counters.push(batch, time, CounterGroup.Self, 3, ring.used());
  }
}

/**
 * Runs that there were not: ftrace did not come to the program (fprobe's nmissed: it was inside another callback of this task, or
 * had no room to remember a return), or the program was busy (prog->stats misses).
 */
function skipped({ recursionMisses, missed }: LinkAccount): number {
  return recursionMisses + (missed ?? 0);
}

/** What the first program on handle_mm_fault missed and the second one took is not missed; the second one's own runs are mostly empty. */
function missed(program: string, misses: number, standby: number): number {
  if (isStandby(program)) return 0;
  return program === programName('fexit', 'handle_mm_fault') ? misses - standby : misses;
}
