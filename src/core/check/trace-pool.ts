// SPDX-License-Identifier: MIT
/**
 * Traces that were judged, to be used again. One lives until its task's next fault is over, seconds in a storm of many
 * tasks: as garbage all of them would outlive the nursery.
 */
import { type Step, type StepRecord, StepStore } from './step-store.js';
import { type Holder, Trace } from './trace.js';

/** Kept; a herd that ends leaves more, and those go. */
const MAX_FREE = 1024;

/** The steps of one trace as records. */
class Showing {
  readonly steps: StepRecord[] = [];
  readonly #records: StepRecord[] = [];
  #trace: Trace | null = null;
  #uses = 0;
  #count = 0;

  is(trace: Trace): boolean {
    return this.#trace === trace && this.#uses === trace.uses && this.#count === trace.count;
  }

  show(store: StepStore, trace: Trace): void {
    const { steps } = this;
    const { count } = trace;
    this.#trace = trace;
    this.#uses = trace.uses;
    this.#count = count;
    store.read(trace, this.#records);
    if (steps.length > count) steps.length = count;
    for (let i = steps.length; i < count; i++) steps.push(this.#records[i] as StepRecord);
  }
}

export class TracePool implements Holder {
  readonly store: StepStore = new StepStore();
  readonly #traces: Trace[] = [];
  /** A trace that is judged, and the one before it. */
  #latest: Showing = new Showing();
  #other: Showing = new Showing();

  /** Held once. */
  trace(fault: number, faultCpu: number, tid: number): Trace {
    return this.#traces.pop()?.begin(fault, faultCpu, tid) ?? new Trace(this, fault, faultCpu, tid);
  }

  show(trace: Trace): readonly Step[] {
    if (this.#latest.is(trace)) return this.#latest.steps;
    const showing = this.#other;
    this.#other = this.#latest;
    this.#latest = showing;
    if (!showing.is(trace)) showing.show(this.store, trace);
    return showing.steps;
  }

  /** One who held it does not read it any more; null: there was none. */
  letGo(trace: Trace | null): void {
    if (trace === null || --trace.holders > 0) return;
    this.store.letGo(trace);
    if (this.#traces.length < MAX_FREE) this.#traces.push(trace);
  }
}
