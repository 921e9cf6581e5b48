// SPDX-License-Identifier: MIT
/** When the ring is looked at, and the counters. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { EventBatch } from '../core/events/batch.js';
import type { LiveBatches } from './batches.js';

/** The ring is looked at this often while many rows come in that time, and up to so seldom while fewer do: no wakeup per event. */
const DRAIN_MS = 5;
const IDLE_MS = 25;
/** Counters are sampled, and a batch that is not full is handed on, this often. */
const SAMPLE_MS = 250;

/** ms until the ring is looked at again, after a pause of `pause` in which `rows` rows came, `many` being many. */
export function nextPause(pause: number, rows: number, many: number): number {
  return rows >= many ? DRAIN_MS : Math.min(IDLE_MS, pause + DRAIN_MS);
}

/** Batches of a session until `isClosing`; what the ring holds then is left to `rest`. */
export async function* drainUntil(
  batches: Pick<LiveBatches, 'drain' | 'drained' | 'full' | 'manyRows' | 'sample'>,
  isClosing: () => boolean,
): AsyncGenerator<EventBatch> {
  let due = performance.now() + SAMPLE_MS;
  let pause = DRAIN_MS;
  while (!isClosing()) {
    pause = nextPause(pause, batches.drain(), batches.manyRows);
    if (performance.now() >= due) {
      due = performance.now() + SAMPLE_MS;
      yield* batches.sample();
    } else if (batches.full) {
      yield* batches.drained();
    } else {
      await sleep(pause);
    }
  }
}
