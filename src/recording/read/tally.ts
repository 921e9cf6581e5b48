// SPDX-License-Identifier: MIT
/** What is in a recording, from when to when, and where it has losses: counted row by row, in memory that does not grow. */
import type { EventBatch } from '../../core/events/batch.js';
import { CounterGroup, UserArgs, UserKind } from '../../core/events/user-rows.js';
import { Baseline } from '../format/baseline.js';
import type { Part } from '../format/part.js';
import { Marks } from './marks.js';

const TWO_32 = 2 ** 32;

/** Of the rows as they stand in the file, those of a time range: `from` and `to` on the scale of their own times. */
export class Tally {
  readonly rows: Float64Array = new Float64Array(256);
  first: number = Number.NaN;
  last: number = Number.NaN;
  silence = 0;
  silenceTime: number = Number.NaN;
  /** The longest time between two samples of the counters, ns; 0 with less than two. */
  pause = 0;
  readonly marks: Marks = new Marks();
  /** Newest kernel row. */
  #newest = Number.NaN;
  #sampled = Number.NaN;
  readonly #values: Map<number, number> = new Map();
  readonly #before: Baseline;
  readonly #from: number;
  readonly #to: number;
  #inside: boolean;

  constructor(from: number, to: number, part: Part | null) {
    this.#from = from;
    this.#to = to;
    this.#before = new Baseline(part?.before ?? null);
    this.#inside = from <= this.#before.time;
    for (const [group, index, value] of part?.before?.counters ?? []) this.#values.set(group * TWO_32 + index, value);
  }

  /** Newest row of before the time range. */
  get end(): number {
    return this.#before.time;
  }

  get counters(): ReadonlyMap<number, number> {
    const rest = new Map<number, number>();
    for (const [key, value] of this.#values)
      rest.set(key, this.#before.rest(Math.floor(key / TWO_32), key % TWO_32, value));
    return rest;
  }

  /** False once a row lies behind the time range. */
  add(batch: EventBatch): boolean {
    const { kind, time } = batch;
    for (let i = 0; i < batch.length; i++) {
      const at = time[i] as number;
      if (at > this.#to) return false;
      this.#inside ||= at >= this.#from;
      const k = kind[i] as number;
      if (k === UserKind.Counter) this.#counter(batch, i);
      if (!this.#inside) {
        this.#before.add(batch, i, i + 1);
        continue;
      }
      this.rows[k] = (this.rows[k] as number) + 1;
      // Rows of the user side come each 250 ms, whether or not anything happens.
      if (k < UserKind.Counter) this.#event(at);
      else if (k === UserKind.Counter) this.#sample(at);
      if (!(at >= this.first)) this.first = at;
      if (!(at <= this.last)) this.last = at;
    }
    return true;
  }

  #event(at: number): void {
    if (at - this.#newest > this.silence) {
      this.silence = at - this.#newest;
      this.silenceTime = this.#newest;
    }
    if (!(at <= this.#newest)) this.#newest = at;
  }

  #sample(at: number): void {
    if (at - this.#sampled > this.pause) this.pause = at - this.#sampled;
    if (!(at <= this.#sampled)) this.#sampled = at;
  }

  #counter(batch: EventBatch, i: number): void {
    const [group, index, value] = [
      batch[UserArgs.Counter.group][i] as number,
      batch[UserArgs.Counter.index][i] as number,
      batch[UserArgs.Counter.value][i] as number,
    ];
    const key = group * TWO_32 + index;
    const more = value - (this.#values.get(key) ?? 0);
    this.#values.set(key, value);
    if (!this.#inside || !(more > 0)) return;
    const time = batch.time[i] as number;
    if (group === CounterGroup.Dropped) this.marks.lost(time, more);
    else if (group === CounterGroup.Missed) this.marks.missed(time, index, more);
  }
}
