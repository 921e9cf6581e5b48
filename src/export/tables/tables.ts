// SPDX-License-Identifier: MIT
/** The tables there are: lifecycles, their attempts, their waits, and the events they were rebuilt from. */

import type { Lifecycle } from '../../core/lifecycle/lifecycle.js';
import type { Column } from '../base/column.js';
import { type AttemptRow, attemptColumns } from './attempts.js';
import { type EventRow, eventColumns } from './events.js';
import { lifecycleColumns } from './lifecycles.js';
import { type WaitRow, waitColumns } from './waits.js';

export const TABLES = ['lifecycles', 'attempts', 'waits', 'events'] as const;
export type TableName = (typeof TABLES)[number];

export interface TableRows {
  readonly lifecycles: Lifecycle;
  readonly attempts: AttemptRow;
  readonly waits: WaitRow;
  readonly events: EventRow;
}

/** In the order in which they are written. */
export const COLUMNS: { readonly [T in TableName]: readonly Column<TableRows[T]>[] } = {
  lifecycles: lifecycleColumns,
  attempts: attemptColumns,
  waits: waitColumns,
  events: eventColumns,
};

/** Rows of a lifecycle table that one lifecycle makes. */
export const ROWS_OF: {
  readonly [T in Exclude<TableName, 'events'>]: (lifecycle: Lifecycle) => readonly TableRows[T][];
} = {
  lifecycles: (lifecycle) => [lifecycle],
  attempts: (lifecycle) => lifecycle.attempts.map((attempt, n) => ({ lifecycle, attempt, n })),
  waits: (lifecycle) => lifecycle.waits.map((wait, n) => ({ lifecycle, wait, n })),
};
