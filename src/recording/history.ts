// SPDX-License-Identifier: MIT
/** All that a recording which begins now has to know of what came before: sums, and names that are said once. */
import type { EventBatch } from '../core/batch.js';
import { Baseline } from './baseline.js';
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

  /** Takes over what came later. */
  merge(later: History): void {
    this.baseline.merge(later.baseline);
    this.names.merge(later.names);
  }
}
