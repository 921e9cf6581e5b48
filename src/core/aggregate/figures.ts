// SPDX-License-Identifier: MIT
/** A snapshot without the lists that only people look at: what alert rules read, once a second. */
import type { Snapshot } from './snapshot.js';
import type { ProcessRow } from './snapshot-rows.js';

type Lists =
  | 'handlers'
  | 'causeStacks'
  | 'stacks'
  | 'cgroups'
  | 'addresses'
  | 'vmas'
  | 'totals'
  | 'causeCosts'
  | 'timeline'
  | 'slowest'
  | 'examples'
  | 'mappings';

export interface Figures extends Omit<Snapshot, Lists | 'blockers' | 'swap' | 'processes'> {
  readonly blockers: Omit<Snapshot['blockers'], 'rows'>;
  readonly swap: Omit<Snapshot['swap'], 'counted'>;
  readonly processes: readonly Omit<ProcessRow, 'lost'>[];
}
