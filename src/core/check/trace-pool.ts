// SPDX-License-Identifier: MIT
/**
 * Traces that were judged, to be used again. One lives until its task's next fault is over, seconds in a storm of many
 * tasks: as garbage all of them would outlive the nursery.
 */
import { type StepRecord, Trace } from './trace.js';

/** Kept of each; a herd that ends leaves more, and those go. */
const MAX_FREE = 1024;
const MAX_FREE_STEPS = 16_384;

export class TracePool {
  /** Steps that a trace has no use for. */
  readonly steps: StepRecord[] = [];
  readonly #traces: Trace[] = [];

  /** Held once. */
  trace(fault: number, faultCpu: number, tid: number): Trace {
    return this.#traces.pop()?.begin(fault, faultCpu, tid) ?? new Trace(fault, faultCpu, tid);
  }

  seal(trace: Trace): void {
    trace.seal(this.steps);
    if (this.steps.length > MAX_FREE_STEPS) this.steps.length = MAX_FREE_STEPS >> 1;
  }

  /** One who held it does not read it any more; null: there was none. */
  letGo(trace: Trace | null): void {
    if (trace !== null && --trace.holders === 0 && this.#traces.length < MAX_FREE) this.#traces.push(trace);
  }
}
