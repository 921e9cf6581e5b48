// SPDX-License-Identifier: MIT
/**
 * When steps may have been lost without a gap: the counters of missed runs and of dropped records, read now and then.
 * What looks like a violation is one only if none of them moved around it; what is held because no step came to
 * contradict it is held only if none moved that would have sent such a step.
 */
import { VlCounter } from '../../schema/events.gen.js';
import type { ProgramInfo } from '../events/session.js';
import { CounterGroup } from '../events/user-rows.js';

/** Counters of the kernel that say: something could not be recorded. */
const LOST: ReadonlySet<number> = new Set([VlCounter.STATE_LOST, VlCounter.NESTED_LOST, VlCounter.PENDING_LOST]);

/** Readings remembered at most: a suspicion older than that is not confirmed any more. */
const MAX_READINGS = 65_536;

/** Stands for losses that may be of any hook: dropped records, and what could not be recorded. */
const ANY = '';

export interface Reading {
  readonly time: number;
  /** Hooks whose programs missed runs, or `ANY`; null while nothing moved. */
  moved: Set<string> | null;
}

export class Losses {
  readonly #values: Map<number, number> = new Map();
  readonly #programs: readonly ProgramInfo[];
  /** In the order of time. */
  readonly #readings: Reading[] = [];
  #forgotten = 0;

  constructor(programs: readonly ProgramInfo[]) {
    this.#programs = programs;
  }

  /** A `UserKind.Counter` row. Rows of one reading have the same time. */
  counter(time: number, group: number, index: number, value: number): void {
    const reading = this.reading(time);
    const missed = group === CounterGroup.Missed;
    const counts = missed || group === CounterGroup.Dropped;
    if (!counts && !(group === CounterGroup.Kernel && LOST.has(index))) return;
    const key = group * 65_536 + index;
    if (value <= (this.#values.get(key) ?? 0)) return;
    this.#values.set(key, value);
    reading.moved ??= new Set();
    reading.moved.add((missed ? this.#programs[index]?.target : undefined) ?? ANY);
  }

  /** The counters were read at `time`, whether or not one had changed. */
  reading(time: number): Reading {
    const last = this.#readings.at(-1);
    if (last !== undefined && time <= last.time) return last;
    const reading: Reading = { time, moved: null };
    this.#readings.push(reading);
    if (this.#readings.length > MAX_READINGS) {
      this.#forgotten += this.#readings.splice(0, MAX_READINGS >> 1).length;
    }
    return reading;
  }

  /** Which reading was the last one at or before `time`: the number of readings up to it; 0 when there is none any more. */
  before(time: number): number {
    const at = this.#lastUpTo(time);
    return at < 0 ? 0 : this.#forgotten + at + 1;
  }

  /** Whether `during` can answer for what was over at `time`: the readings it looks at are there, and complete. */
  settled(time: number): boolean {
    const after = this.#readings.at(-3);
    return after !== undefined && after.time >= time;
  }

  /**
   * Whether something may have been lost in [from, to], of these hooks or of any. A counter is read a moment before or
   * after the time its reading bears, so one reading more on either side is looked at.
   */
  during(from: number, to: number, hooks?: readonly string[]): boolean {
    const readings = this.#readings;
    const before = this.#lastUpTo(from);
    if (before < 1 && this.#forgotten > 0) return true;
    // Looked for from the end: there may be tens of thousands, and it is one of the last.
    let after = readings.length;
    while (after > 0 && (readings[after - 1] as Reading).time >= to) after--;
    if (after === readings.length) return true;
    for (let i = Math.max(0, before); i < after + 2; i++) {
      const moved = readings[i]?.moved ?? null;
      if (moved === null) continue;
      if (hooks === undefined || moved.has(ANY) || hooks.some((hook) => moved.has(hook))) return true;
    }
    return false;
  }

  /** Index of the last reading at or before `time`; -1 when there is none. */
  #lastUpTo(time: number): number {
    let at = this.#readings.length - 1;
    while (at >= 0 && !((this.#readings[at] as Reading).time <= time)) at--;
    return at;
  }
}
