// SPDX-License-Identifier: MIT
/** A recording repeated as one long session, so that a benchmark does not measure how a session begins. */
import { clearBatch, createBatch, type EventBatch } from '../../src/core/events/batch.js';
import { UserKind } from '../../src/core/events/user-rows.js';
import { countedIn, moveOn } from '../core/rounds.js';

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

/** `batches` `times` times, each time moved on by their length. */
export function repeated(batches: readonly EventBatch[], times: number): EventBatch[] {
  let [span, faults] = [0, 0];
  for (const batch of batches) {
    for (let i = 0; i < batch.length; i++) {
      span = Math.max(span, batch.time[i] ?? 0);
      faults = Math.max(faults, (batch.fault[i] ?? 0) + 1);
    }
  }
  const counted = countedIn(batches);
  const out: EventBatch[] = [];
  let round = batches.map(copyOf);
  for (let n = 1; n <= times; n++) {
    const next = round.map(copyOf);
    for (const batch of next) moveOn(batch, span, faults, counted);
    // Only the last time ends the session.
    if (n < times) for (const batch of round) if (batch.kind[batch.length - 1] === UserKind.End) batch.length--;
    out.push(...round);
    round = next;
  }
  return out;
}
