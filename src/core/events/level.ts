// SPDX-License-Identifier: MIT
/** Whether what was decoded and what the kernel says it emitted are of one instant. */
import type { EventBatch } from './batch.js';
import { UserKind } from './user-rows.js';

/**
 * After `batch` the counters are as new as the events: true; there are newer events: false; null: it has neither, and it is
 * as it was. Names, clocks and held locks come behind the counters of the same sample and change neither.
 */
export function levelAfter(batch: EventBatch): boolean | null {
  for (let i = batch.length - 1; i >= 0; i--) {
    const kind = batch.kind[i] as number;
    if (kind <= UserKind.Counter) return kind === UserKind.Counter;
  }
  return null;
}
