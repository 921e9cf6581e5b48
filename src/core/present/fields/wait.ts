// SPDX-License-Identifier: MIT
/** One kind of wait. */
import type { WaitStats } from '../../aggregate/snapshot-rows.js';
import type { WaitName } from '../../vocabulary/waits.js';
import { type Field, num, text } from './field.js';

export interface WaitLine {
  readonly id: WaitName;
  readonly title: string;
  readonly stats: WaitStats;
}

/** A percentile or a sum of no wait at all is not 0. */
export function orNone(stats: WaitStats, value: number): number | null {
  return stats.count === 0 ? null : value;
}

export const waitLineFields: readonly Field<WaitLine>[] = [
  text('wait', 'wait for', 14, (r) => r.title, 21),
  num('count', 'count', '', 6, (r) => r.stats.count),
  num('p50', 'p50', 'ns', 8, (r) => orNone(r.stats, r.stats.p50Ns)),
  num('p99', 'p99', 'ns', 8, (r) => orNone(r.stats, r.stats.p99Ns)),
  num('max', 'max', 'ns', 8, (r) => orNone(r.stats, r.stats.maxNs)),
  num('sum', 'sum', 'ns', 9, (r) => orNone(r.stats, r.stats.sumNs)),
  num('mean', 'mean', 'ns', 8, (r) => (r.stats.count === 0 ? null : r.stats.sumNs / r.stats.count)),
];
