// SPDX-License-Identifier: MIT
/**
 * When steps may have been lost without a gap: the counters of missed runs and of dropped records, read now and then.
 * What looks like a violation is one only if none of them moved around it.
 */
import { VlCounter } from '../../schema/events.gen.js';
import { CounterGroup } from '../events/batch.js';

/** Counters of the kernel that say: something could not be recorded. */
const LOST: ReadonlySet<number> = new Set([VlCounter.STATE_LOST, VlCounter.NESTED_LOST, VlCounter.NOTE_LOST]);

/** Readings remembered at most: a suspicion older than that is not confirmed any more. */
const MAX_READINGS = 65_536;

export interface Reading {
  readonly time: number;
  moved: boolean;
}

export class Losses {
  readonly #values: Map<number, number> = new Map();
  /** In the order of time. */
  readonly #readings: Reading[] = [];
  #forgot = false;

  /** A `UserKind.Counter` row. Rows of one reading have the same time. */
  counter(time: number, group: number, index: number, value: number): void {
    const reading = this.reading(time);
    const counts = group === CounterGroup.Missed || group === CounterGroup.Dropped;
    if (!counts && !(group === CounterGroup.Kernel && LOST.has(index))) return;
    const key = group * 65_536 + index;
    if (value <= (this.#values.get(key) ?? 0)) return;
    this.#values.set(key, value);
    reading.moved = true;
  }

  /** The counters were read at `time`, whether or not one had changed. */
  reading(time: number): Reading {
    const last = this.#readings.at(-1);
    if (last !== undefined && time <= last.time) return last;
    const reading = { time, moved: false };
    this.#readings.push(reading);
    if (this.#readings.length > MAX_READINGS) {
      this.#readings.splice(0, MAX_READINGS >> 1);
      this.#forgot = true;
    }
    return reading;
  }

  /** Whether `during` can answer for what was over at `time`: the readings it looks at are there, and complete. */
  settled(time: number): boolean {
    const after = this.#readings.at(-3);
    return after !== undefined && after.time >= time;
  }

  /**
   * Whether something may have been lost in [from, to]. A counter is read a moment before or after the time its
   * reading bears, so one reading more on either side is looked at.
   */
  during(from: number, to: number): boolean {
    const readings = this.#readings;
    const before = readings.findLastIndex((reading) => reading.time <= from);
    if (before < 1 && this.#forgot) return true;
    const after = readings.findIndex((reading) => reading.time >= to);
    if (after < 0) return true;
    return readings.slice(Math.max(0, before), after + 2).some((reading) => reading.moved);
  }
}
