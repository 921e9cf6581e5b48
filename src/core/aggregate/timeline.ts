// SPDX-License-Identifier: MIT
/**
 * What happened when: outcomes and the length of waits in time slices, for charts and heat maps.
 *
 * The slices depend on event times alone, never on how often somebody looked: a replay draws what was seen live.
 * `whole` covers the session and doubles its slice when it runs out of slices; `recent` keeps the last four minutes.
 */
import type { Wait } from '../lifecycle/lifecycle.js';
import type { WaitKind } from '../vocabulary/waits.js';

export const SLICES = 240;
/** Latency rows of the heat map: under 1 µs, then one per power of two; the last holds all from 4.2 s on. */
export const HEAT_ROWS = 24;
const FIRST_SLICE_NS = 100e6;
const RECENT_SLICE_NS = 1e9;

export const OUTCOMES = ['success', 'retry', 'completed', 'abort', 'error', 'kernelMode'] as const;
export type Outcome = (typeof OUTCOMES)[number];

export interface Timeline {
  readonly sliceNs: number;
  /** Beginning of the first slice, ns since base; and how many slices there are. */
  readonly startNs: number;
  readonly slices: number;
  /** Faults per slice, from the kernel's counters, spread evenly between two samples. */
  readonly outcomes: Readonly<Record<Outcome, Float64Array>>;
  /** Waits that ended in a slice by length: index = slice * HEAT_ROWS + row. Kinds without any wait are absent. */
  readonly waits: Readonly<Partial<Record<WaitKind, Uint32Array>>>;
}

/** Row of a duration in ns. */
export function heatRow(ns: number): number {
  const us = ns / 1000;
  return us < 1 ? 0 : Math.min(HEAT_ROWS - 1, 1 + Math.floor(Math.log2(us)));
}

/** Shortest duration of a row, ns. */
export function heatRowStart(row: number): number {
  return row === 0 ? 0 : 1000 * 2 ** (row - 1);
}

/** One axis of slices: either it doubles its slice when full, or the oldest slices fall out. */
class Axis {
  sliceNs: number;
  start = 0;
  used = 0;
  readonly #doubles: boolean;
  readonly outcomes: Readonly<Record<Outcome, Float64Array>>;
  readonly waits: Map<WaitKind, Uint32Array> = new Map();

  constructor(sliceNs: number, doubles: boolean) {
    this.sliceNs = sliceNs;
    this.#doubles = doubles;
    this.outcomes = Object.fromEntries(OUTCOMES.map((name) => [name, new Float64Array(SLICES)])) as Record<
      Outcome,
      Float64Array
    >;
  }

  /** Slice of a time, made if need be; -1 for one that fell out already, or lies before the session. */
  slice(time: number): number {
    if (!(time >= this.start)) return -1;
    let at = Math.floor((time - this.start) / this.sliceNs);
    while (at >= SLICES) {
      if (this.#doubles) this.#halve();
      else this.#shift(at - SLICES + 1);
      at = Math.floor((time - this.start) / this.sliceNs);
    }
    if (at >= this.used) this.used = at + 1;
    return at;
  }

  wait(kind: WaitKind, at: number, ns: number): void {
    let cells = this.waits.get(kind);
    if (cells === undefined) {
      cells = new Uint32Array(SLICES * HEAT_ROWS);
      this.waits.set(kind, cells);
    }
    const cell = at * HEAT_ROWS + heatRow(ns);
    cells[cell] = (cells[cell] ?? 0) + 1;
  }

  copy(): Timeline {
    const end = this.used;
    return {
      sliceNs: this.sliceNs,
      startNs: this.start,
      slices: end,
      outcomes: Object.fromEntries(OUTCOMES.map((name) => [name, this.outcomes[name].slice(0, end)])) as Record<
        Outcome,
        Float64Array
      >,
      waits: Object.fromEntries([...this.waits].map(([kind, cells]) => [kind, cells.slice(0, end * HEAT_ROWS)])),
    };
  }

  #halve(): void {
    for (const values of Object.values(this.outcomes)) merge(values, 1);
    for (const cells of this.waits.values()) merge(cells, HEAT_ROWS);
    this.sliceNs *= 2;
    this.used = (this.used + 1) >> 1;
  }

  #shift(slices: number): void {
    const by = Math.min(slices, SLICES);
    for (const values of Object.values(this.outcomes)) drop(values, by);
    for (const cells of this.waits.values()) drop(cells, by * HEAT_ROWS);
    this.start += slices * this.sliceNs;
    this.used = SLICES;
  }
}

/** Adds each odd group of `size` cells to the even one before it, and closes up. */
export function merge(cells: Float64Array | Uint32Array, size: number): void {
  const groups = cells.length / size;
  for (let to = 0; to < groups; to++) {
    for (let i = 0; i < size; i++) {
      const from = 2 * to * size + i;
      cells[to * size + i] = 2 * to < groups ? (cells[from] ?? 0) + (cells[from + size] ?? 0) : 0;
    }
  }
}

function drop(cells: Float64Array | Uint32Array, count: number): void {
  cells.copyWithin(0, count);
  cells.fill(0, cells.length - count);
}

export interface Timelines {
  readonly whole: Timeline;
  readonly recent: Timeline;
}

const NO_AXIS: Timeline = new Axis(RECENT_SLICE_NS, false).copy();
/** Where nobody asks for them. */
export const NO_TIMELINES: Timelines = { whole: NO_AXIS, recent: NO_AXIS };

export class TimelineSums {
  readonly #axes: readonly [Axis, Axis] = [new Axis(FIRST_SLICE_NS, true), new Axis(RECENT_SLICE_NS, false)];
  readonly #last: Float64Array = new Float64Array(OUTCOMES.length);
  #sampled = 0;

  /** A wait whose end was seen. */
  waited(wait: Wait): void {
    const ns = wait.end - wait.start;
    if (!(ns >= 0)) return;
    for (const axis of this.#axes) {
      const at = axis.slice(wait.end);
      if (at >= 0) axis.wait(wait.kind, at, ns);
    }
  }

  /** The kernel's counters as they stand at `time`, in the order of `OUTCOMES`, cumulative. */
  counted(time: number, counts: readonly number[]): void {
    const from = this.#sampled;
    if (!(time > from)) return;
    for (const axis of this.#axes) {
      OUTCOMES.forEach((name, i) => {
        const more = (counts[i] ?? 0) - (this.#last[i] ?? 0);
        if (more > 0) spreadOver(axis, axis.outcomes[name], from, time, more);
      });
      axis.slice(time);
    }
    for (let i = 0; i < OUTCOMES.length; i++) this.#last[i] = counts[i] ?? 0;
    this.#sampled = time;
  }

  /** As if these had been counted, though the rest of their sample may be still to come: nothing of them stays. */
  preview(time: number, counts: readonly number[]): Timelines {
    const last = this.#last.slice();
    const sampled = this.#sampled;
    if (!(time > sampled)) return this.copy();
    // The slices that time makes stay: whatever comes later makes them too.
    for (const axis of this.#axes) axis.slice(time);
    const outcomes = this.#axes.map((axis) => OUTCOMES.map((name) => axis.outcomes[name].slice()));
    this.counted(time, counts);
    const seen = this.copy();
    outcomes.forEach((saved, a) => {
      saved.forEach((values, i) => {
        this.#axes[a as 0 | 1].outcomes[OUTCOMES[i] as Outcome].set(values);
      });
    });
    this.#last.set(last);
    this.#sampled = sampled;
    return seen;
  }

  copy(): Timelines {
    return { whole: this.#axes[0].copy(), recent: this.#axes[1].copy() };
  }
}

/** Adds `more` evenly over [from, to]: between two samples nothing finer is known. */
function spreadOver(axis: Axis, values: Float64Array, from: number, to: number, more: number): void {
  const last = axis.slice(to);
  const first = axis.slice(Math.max(from, axis.start));
  const length = to - Math.max(from, axis.start);
  for (let at = first; at <= last; at++) {
    const lo = Math.max(from, axis.start + at * axis.sliceNs);
    const hi = Math.min(to, axis.start + (at + 1) * axis.sliceNs);
    const share = length > 0 ? Math.max(0, hi - lo) / length : 1;
    values[at] = (values[at] ?? 0) + more * share;
  }
}
