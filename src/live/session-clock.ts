// SPDX-License-Identifier: MIT
/** The time of a session: ns since it began, which stops where the session ends, and the pairs of clocks that tie it to the wall clock. */

import type { EventBatch } from '../core/events/batch.js';
import { CLOCK_TOLERANCE_NS, pushClock } from '../core/events/clocks.js';
import type { Controls } from './controls.js';

/** A pair of clocks is emitted this often. */
const CLOCK_NS = 60e9;

/** Whether the programs still observe, and the ways to end that. */
export type SessionControls = Pick<Controls, 'ended' | 'end' | 'endAt'>;

export class SessionClock {
  readonly #controls: SessionControls;
  /** `Namespaces.monotonicAheadNs` */
  readonly #aheadNs: bigint;
  #started = 0n;
  /** The pair of clocks that was emitted last. */
  #pair = { time: 0, realtime: 0n };
  /** Length of the session that was asked for, in ns. */
  #limit = Number.POSITIVE_INFINITY;
  /** When the session ended; null while it lasts. */
  #endedAt: number | null = null;

  constructor(controls: SessionControls, aheadNs: bigint) {
    this.#controls = controls;
    this.#aheadNs = aheadNs;
  }

  /** Time 0 is now. `base`: now as bpf_ktime_get_ns has it, which knows no time namespaces. `realtime`: now by the wall clock. */
  begin(): { readonly base: bigint; readonly realtime: bigint } {
    this.#started = process.hrtime.bigint();
    const realtime = BigInt(Date.now()) * 1_000_000n;
    this.#pair = { time: 0, realtime };
    return { base: this.#started - this.#aheadNs, realtime };
  }

  /** The session lasts `ms` at most. */
  limit(ms: number): void {
    this.#limit = ms * 1e6;
    this.#controls.endAt(this.#started + BigInt(Math.round(this.#limit)));
  }

  /** ns since the session began, which go no further than its end. */
  now(): number {
    if (this.#endedAt !== null) return this.#endedAt;
    return this.#controls.ended ? this.#limit : Number(process.hrtime.bigint() - this.#started);
  }

  get hasEnded(): boolean {
    return this.#endedAt !== null;
  }

  /** The session ends now: the programs do nothing from here on. */
  end(): void {
    const now = this.now();
    this.#controls.end();
    this.#endedAt = now;
  }

  /** Appends a pair of clocks each minute, and when the last one is no longer right: after suspend, or when somebody set the time. */
  emit(batch: EventBatch, time: number): void {
    const realtime = BigInt(Date.now()) * 1_000_000n;
    const passed = time - this.#pair.time;
    const drift = Math.abs(Number(realtime - this.#pair.realtime) - passed);
    if (passed < CLOCK_NS && drift < CLOCK_TOLERANCE_NS) return;
    this.#pair = { time, realtime };
    pushClock(batch, time, realtime);
  }
}
