// SPDX-License-Identifier: MIT
/** All that a recording which begins now has to know of what came before: sums, and names that are said once. */
import { createBatch, type EventBatch } from '../../core/events/batch.js';
import { pushEnd } from '../../core/events/user-rows.js';
import { Baseline } from '../format/baseline.js';
import { isName, NamesSoFar } from './names.js';

export class History {
  readonly baseline: Baseline = new Baseline();
  readonly names: NamesSoFar = new NamesSoFar();

  /** Rows [from, to) of the batch lie before. */
  add(batch: EventBatch, from: number, to: number): void {
    this.baseline.add(batch, from, to);
    const { kind } = batch;
    for (let i = from; i < to; i++) if (isName(kind[i] as number)) this.names.add(batch, i);
  }

  /** The last rows of a recording that is ended here, while the session may go on: it is whole as far as it was meant to be. */
  end(): EventBatch {
    const batch = createBatch(256, ['']);
    this.baseline.writeFinalCounters(batch, this.baseline.time);
    pushEnd(batch, this.baseline.time);
    return batch;
  }

  /** Takes over what came later. */
  merge(later: History): void {
    this.baseline.merge(later.baseline);
    this.names.merge(later.names);
  }
}
