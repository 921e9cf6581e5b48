// SPDX-License-Identifier: MIT
/** What each cause cost: the time its faults took after they had lost the VMA lock, and the worst of them. */

import { copyLifecycle } from '../lifecycle/copy-lifecycle.js';
import type { Attempt, Lifecycle } from '../lifecycle/lifecycle.js';
import type { FaultRecord } from '../lifecycle/record.js';
import type { RecordPool } from '../lifecycle/record-pool.js';
import { CAUSES, type Cause } from '../vocabulary/causes.js';
import { type LostSeries, LostSums } from './lost-series.js';

export interface CauseCost {
  /** Faults whose first failed attempt had this cause, and ended. */
  readonly faults: number;
  /** Of those: time from the end of the failed attempt to the end of the fault, summed; its longest. ns */
  readonly lostNs: number;
  readonly worstNs: number;
  /** That fault. */
  readonly worst: Lifecycle;
  /** Those faults over time. */
  readonly lost: LostSeries;
}

interface Costs {
  faults: number;
  lostNs: number;
  worstNs: number;
  worst: FaultRecord;
  readonly lost: LostSums;
}

/** Holds the worst fault of each cause; a copy is made of it when it is shown. */
export class CauseCosts {
  readonly #costs: Map<Cause, Costs> = new Map();
  readonly #pool: RecordPool;

  constructor(pool: RecordPool) {
    this.#pool = pool;
  }

  closed(fault: FaultRecord): void {
    const { attempts } = fault;
    for (let i = 0; i < attempts.length; i++) {
      const attempt = attempts[i] as Attempt;
      const { cause } = attempt;
      if (cause === null) continue;
      const lost = lostAfter(fault, attempt);
      const cost = this.#costs.get(cause);
      if (cost === undefined) {
        const series = new LostSums();
        series.add(fault.last);
        this.#costs.set(cause, {
          faults: 1,
          lostNs: lost,
          worstNs: lost,
          worst: this.#pool.hold(fault),
          lost: series,
        });
      } else {
        cost.lost.add(fault.last);
        cost.faults++;
        cost.lostNs += lost;
        if (lost > cost.worstNs) {
          cost.worstNs = lost;
          this.#pool.letGo(cost.worst);
          cost.worst = this.#pool.hold(fault);
        }
      }
      return;
    }
  }

  copy(): Readonly<Partial<Record<Cause, CauseCost>>> {
    const out: Partial<Record<Cause, CauseCost>> = {};
    for (const cause of CAUSES) {
      const cost = this.#costs.get(cause);
      if (cost !== undefined) out[cause] = { ...cost, worst: copyLifecycle(cost.worst), lost: cost.lost.copy() };
    }
    return out;
  }
}

/** The earliest moment the lock can have been lost counts, though nothing before the first step that was seen. */
function lostAfter(fault: Lifecycle, attempt: Attempt): number {
  const { released, acquired } = attempt;
  const lost = Number.isFinite(released.lo) ? released.lo : Number.isFinite(acquired.lo) ? acquired.lo : fault.first;
  return Math.max(0, fault.last - Math.max(lost, fault.first));
}
