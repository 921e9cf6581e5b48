// SPDX-License-Identifier: MIT
/** Batches repeated: which of their values grow from one round to the next. */
import type { EventBatch } from '../../src/core/events/batch.js';
import { CounterGroup, UserKind } from '../../src/core/events/user-rows.js';

const keyOf = (batch: EventBatch, i: number): number => (batch.a[i] ?? 0) * 65_536 + (batch.b[i] ?? 0);
/** Our memory, and the ring in use: what is no sum does not grow from round to round. */
const isGauge = (batch: EventBatch, i: number): boolean => batch.a[i] === CounterGroup.Self && (batch.b[i] ?? 0) >= 2;

/** What counters come to in these batches, which begin at nothing. */
export function countedIn(batches: readonly EventBatch[]): Map<number, number> {
  const counted = new Map<number, number>();
  for (const batch of batches)
    for (let i = 0; i < batch.length; i++)
      if (batch.kind[i] === UserKind.Counter && !isGauge(batch, i)) counted.set(keyOf(batch, i), batch.value[i] ?? 0);
  return counted;
}

/** Moves a batch on by one round: `span` ns later, faults with new numbers, counters that go on from where they stood. */
export function moveOn(batch: EventBatch, span: number, faults: number, counted: ReadonlyMap<number, number>): void {
  for (let i = 0; i < batch.length; i++) {
    batch.time[i] = (batch.time[i] ?? 0) + span;
    batch.acquired[i] = (batch.acquired[i] ?? Number.NaN) + span;
    if (batch.kind[i] === UserKind.Counter)
      batch.value[i] = (batch.value[i] ?? 0) + (counted.get(keyOf(batch, i)) ?? 0);
    else batch.fault[i] = (batch.fault[i] ?? 0) + faults;
  }
}
