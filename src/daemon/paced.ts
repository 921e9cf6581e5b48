// SPDX-License-Identifier: MIT
/** A recording played at the pace it was recorded at: what a daemon can be tried with where no kernel can be observed. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { EventBatch } from '../core/events/batch.js';
import type { Source } from '../core/events/source.js';

/** Closing is noticed this soon. */
const STEP_MS = 50;

/** Batches come when the recorded clock has reached their last row, `speed` times as fast as it was. */
export function pacedSource(source: Source, speed = 1): Source {
  let closed = false;
  async function* batches(): AsyncGenerator<EventBatch> {
    const started = performance.now();
    for await (const batch of source.batches()) {
      const time = batch.length > 0 ? (batch.time[batch.length - 1] as number) : 0;
      const due = started + time / 1e6 / speed;
      for (let left = due - performance.now(); left > 0 && !closed; left = due - performance.now())
        await sleep(Math.min(left, STEP_MS));
      if (closed) return;
      yield batch;
    }
  }
  return {
    session: source.session,
    batches,
    close: async () => {
      closed = true;
      await source.close();
    },
  };
}
