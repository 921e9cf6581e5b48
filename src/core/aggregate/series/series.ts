// SPDX-License-Identifier: MIT
/** Sums and distributions per time slice, of a recording whose length is not known beforehand. */
import { LogHistogram } from './log-histogram.js';

/** What fell into one slice. */
export class Cell {
  readonly sums: Map<string, number> = new Map();
  readonly histograms: Map<string, LogHistogram> = new Map();

  add(key: string, value: number): void {
    this.sums.set(key, (this.sums.get(key) ?? 0) + value);
  }

  get(key: string): number {
    return this.sums.get(key) ?? 0;
  }

  record(key: string, ns: number): void {
    this.#histogram(key).record(ns);
  }

  merge(other: Cell): void {
    for (const [key, value] of other.sums) this.add(key, value);
    for (const [key, histogram] of other.histograms) this.#histogram(key).merge(histogram);
  }

  #histogram(key: string): LogHistogram {
    let histogram = this.histograms.get(key);
    if (histogram === undefined) {
      histogram = new LogHistogram();
      this.histograms.set(key, histogram);
    }
    return histogram;
  }
}

const FIRST_SLICE_NS = 50e6;
const MAX_SLICES = 480;

export class Series {
  /** ns; doubles whenever the slices run out, so that memory does not grow with the recording. */
  sliceNs: number = FIRST_SLICE_NS;
  #cells: Cell[] = [];

  get length(): number {
    return this.#cells.length;
  }

  /** The cell of a time (ns since base); times before the session are its beginning. */
  at(time: number): Cell {
    while (time >= this.sliceNs * MAX_SLICES) this.#halve();
    const index = Math.max(0, Math.floor(time / this.sliceNs));
    while (this.#cells.length <= index) this.#cells.push(new Cell());
    return this.#cells[index] as Cell;
  }

  /** Adds `value` evenly over [from, to]: between two samples of a counter nothing finer is known. */
  spread(key: string, from: number, to: number, value: number): void {
    this.at(to);
    if (!(to > from)) {
      this.at(to).add(key, value);
      return;
    }
    const first = Math.max(0, Math.floor(from / this.sliceNs));
    const last = Math.floor(to / this.sliceNs);
    for (let i = first; i <= last; i++) {
      const overlap = Math.min(to, (i + 1) * this.sliceNs) - Math.max(from, i * this.sliceNs);
      if (overlap > 0) this.at(i * this.sliceNs).add(key, (value * overlap) / (to - from));
    }
  }

  /** The slices gathered into `groups` cells of about equal length, in order. The series itself stays as it is. */
  regroup(groups: number): Cell[] {
    const out = Array.from({ length: groups }, () => new Cell());
    for (const [i, cell] of this.#cells.entries()) {
      out[Math.min(groups - 1, Math.floor((i * groups) / this.#cells.length))]?.merge(cell);
    }
    return out;
  }

  #halve(): void {
    const merged: Cell[] = [];
    for (const [i, cell] of this.#cells.entries()) {
      if (i % 2 === 0) merged.push(cell);
      else merged.at(-1)?.merge(cell);
    }
    this.#cells = merged;
    this.sliceNs *= 2;
  }
}
