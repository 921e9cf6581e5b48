// SPDX-License-Identifier: MIT
/** The tables there are: lifecycles, their attempts, their waits, the stacks, and the events all were rebuilt from. */

import type { EventBatch } from '../../core/events/batch.js';
import type { Lifecycle } from '../../core/lifecycle/lifecycle.js';
import { type StackSample, StackSamples } from '../../core/present/stack-samples.js';
import type { TableName } from '../base/choices.js';
import type { Column } from '../base/column.js';
import type { Context } from '../base/context.js';
import { type AttemptRow, attemptColumns, attemptRows } from './attempts.js';
import { type EventRow, eventColumns } from './events.js';
import { lifecycleColumns } from './lifecycles.js';
import { stackColumns } from './stacks.js';
import { type WaitRow, waitColumns, waitRows } from './waits.js';

export interface TableRows {
  readonly lifecycles: Lifecycle;
  readonly attempts: AttemptRow;
  readonly waits: WaitRow;
  readonly stacks: StackSample;
  readonly events: EventRow;
}

/** In the order in which they are written. */
export const COLUMNS: { readonly [T in TableName]: readonly Column<TableRows[T]>[] } = {
  lifecycles: lifecycleColumns,
  attempts: attemptColumns,
  waits: waitColumns,
  stacks: stackColumns,
  events: eventColumns,
};

/** When a table's rows come: with a batch, with a lifecycle that is over, at the end. */
export interface RowMaker<Row> {
  batch(batch: EventBatch): Iterable<Row>;
  lifecycle(lifecycle: Lifecycle): Iterable<Row>;
  end(): Iterable<Row>;
}

function ofLifecycles<Row>(lifecycle: (lifecycle: Lifecycle) => Iterable<Row>): RowMaker<Row> {
  return { batch: () => [], lifecycle, end: () => [] };
}

function* eventsIn(batch: EventBatch): Generator<EventRow, void, undefined> {
  for (let i = 0; i < batch.length; i++) yield { batch, i };
}

const ROWS_OF: { readonly [T in TableName]: (context: Context) => RowMaker<TableRows[T]> } = {
  lifecycles: () => ofLifecycles((lifecycle) => [lifecycle]),
  attempts: () => ofLifecycles(attemptRows),
  waits: () => ofLifecycles(waitRows),
  stacks({ session }) {
    const samples = new StackSamples(session.arch);
    return {
      batch(batch) {
        samples.batch(batch);
        return [];
      },
      lifecycle(lifecycle) {
        samples.lifecycle(lifecycle);
        return [];
      },
      end: () => samples.samples(),
    };
  },
  events: () => ({ batch: eventsIn, lifecycle: () => [], end: () => [] }),
};

/** The one exporter of a table, given by `make` with its columns and rows: both of the same type. */
export function ofTable<R>(
  table: TableName,
  context: Context,
  make: <Row>(columns: readonly Column<Row>[], rows: RowMaker<Row>) => R,
): R {
  switch (table) {
    case 'lifecycles':
      return make(COLUMNS.lifecycles, ROWS_OF.lifecycles(context));
    case 'attempts':
      return make(COLUMNS.attempts, ROWS_OF.attempts(context));
    case 'waits':
      return make(COLUMNS.waits, ROWS_OF.waits(context));
    case 'stacks':
      return make(COLUMNS.stacks, ROWS_OF.stacks(context));
    case 'events':
      return make(COLUMNS.events, ROWS_OF.events(context));
  }
}
