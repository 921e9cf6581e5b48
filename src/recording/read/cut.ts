// SPDX-License-Identifier: MIT
/** Makes what follows a cut look as if the session had begun there. */

import { BoundedSet } from '../../core/bounded/bounded-set.js';
import { type EventBatch, isOfNoFault } from '../../core/events/batch.js';
import type { SessionInfo } from '../../core/events/session.js';
import { pushCounter, UserArgs, UserKind } from '../../core/events/user-rows.js';
import { VlStepFlag } from '../../schema/events.gen.js';
import type { Baseline } from '../format/baseline.js';
import { COLUMNS } from '../format/columns.js';

/** Lifecycles remembered that began before the cut and sent nothing until after it. */
const MAX_EARLY = 65_536;
const TWO_32 = 2 ** 32;

/** The session as it would be, had it begun `time` ns later. */
export function shiftSession(session: SessionInfo, time: number): SessionInfo {
  return {
    ...session,
    baseNs: (BigInt(session.baseNs) + BigInt(time)).toString(),
    clocks: session.clocks.map((pair) => ({ ...pair, time: pair.time - time })),
  };
}

/**
 * Rows of lifecycles that began before the cut are left out: their first steps are not there, and they would count as
 * faults that lost steps. Counters become what they are since the cut, so that rows and counters still add up.
 */
export class Cut {
  readonly #baseline: Baseline;
  readonly #time: number;
  readonly #early: BoundedSet = new BoundedSet(MAX_EARLY);

  /** `time`: the new zero, ns since the session's base. The baseline is the cut's from now on. */
  constructor(baseline: Baseline, time: number) {
    this.#baseline = baseline;
    this.#time = time;
  }

  /** Appends to a batch, as far as it has room, the counters that are no sums, as they stood at the cut. */
  begin(batch: EventBatch): void {
    for (const [group, index, value] of this.#baseline.gauges()) {
      if (batch.length === batch.kind.length) return;
      pushCounter(batch, 0, group, index, value);
    }
  }

  /** Changes the batch from row `from` on; the rows before it go. */
  apply(batch: EventBatch, from: number): void {
    const { kind, time, acquired, value } = batch;
    let to = 0;
    for (let i = from; i < batch.length; i++) {
      const k = kind[i] as number;
      if (k < UserKind.Counter && !isOfNoFault(k) && this.#isEarly(batch, i)) {
        this.#baseline.rows[k] = (this.#baseline.rows[k] as number) + 1;
        continue;
      }
      if (to < i) moveRow(batch, i, to);
      // Steps are sent late, so a row may be older than one before it; nothing is older than the zero.
      time[to] = Math.max(0, (time[to] as number) - this.#time);
      acquired[to] = (acquired[to] as number) - this.#time;
      if (k === UserKind.Counter)
        value[to] = this.#baseline.rest(
          batch[UserArgs.Counter.group][to] as number,
          batch[UserArgs.Counter.index][to] as number,
          value[to] as number,
        );
      to++;
    }
    batch.length = to;
  }

  #isEarly(batch: EventBatch, i: number): boolean {
    const [cpu, fault] = [batch.faultCpu[i] as number, batch.fault[i] as number];
    if (this.#baseline.isBefore(cpu, fault)) return true;
    const id = cpu * TWO_32 + fault;
    if (this.#early.size > 0 && this.#early.has(id)) return true;
    if ((batch.time[i] as number) >= this.#time || ((batch.flags[i] as number) & VlStepFlag.INFO) === 0) return false;
    this.#early.add(id);
    return true;
  }
}

function moveRow(batch: EventBatch, from: number, to: number): void {
  for (const { key } of COLUMNS) batch[key][to] = batch[key][from] as never;
}
