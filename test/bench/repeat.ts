// SPDX-License-Identifier: MIT
/** A recording over and over, as one long session: what a benchmark measures is then not how it begins. */
import { clearBatch, createBatch, type EventBatch, UserKind } from '../../src/core/batch.js';

/** A copy that its source does not write over. */
export function copyOf(batch: EventBatch): EventBatch {
  const copy = createBatch(batch.length, batch.strings);
  clearBatch(copy);
  for (const [name, column] of Object.entries(copy)) {
    if (!ArrayBuffer.isView(column)) continue;
    const from = batch[name as 'kind'];
    (column as Uint8Array).set(from.subarray(0, batch.length));
  }
  copy.length = batch.length;
  return copy;
}

/** `batches` `times` times, each time moved on: later times, new faults, counters that go on from where they stood. */
export function repeated(batches: readonly EventBatch[], times: number): EventBatch[] {
  let [span, faults] = [0, 0];
  const counted = new Map<number, number>();
  for (const batch of batches) {
    for (let i = 0; i < batch.length; i++) {
      span = Math.max(span, batch.time[i] ?? 0);
      faults = Math.max(faults, (batch.fault[i] ?? 0) + 1);
      if (batch.kind[i] === UserKind.Counter) counted.set(keyOf(batch, i), batch.value[i] ?? 0);
    }
  }
  return Array.from({ length: times }, (_, n) =>
    batches.map((original) => {
      const batch = copyOf(original);
      for (let i = 0; i < batch.length; i++) {
        batch.time[i] = (batch.time[i] ?? 0) + n * span;
        batch.acquired[i] = (batch.acquired[i] ?? Number.NaN) + n * span;
        batch.fault[i] = (batch.fault[i] ?? 0) + n * faults;
        if (batch.kind[i] === UserKind.Counter)
          batch.value[i] = (batch.value[i] ?? 0) + n * (counted.get(keyOf(batch, i)) ?? 0);
      }
      // Only the last time ends the session.
      if (n < times - 1 && batch.kind[batch.length - 1] === UserKind.End) batch.length--;
      return batch;
    }),
  ).flat();
}

const keyOf = (batch: EventBatch, i: number): number => (batch.a[i] ?? 0) * 65_536 + (batch.b[i] ?? 0);
