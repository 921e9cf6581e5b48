// SPDX-License-Identifier: MIT
/** How fast steps become a snapshot: `Pipeline.push` over the batches given, then one `snapshot()`. */

import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import type { EventBatch } from '../../src/core/events/batch.js';
import type { SessionInfo } from '../../src/core/events/session.js';
import { syntheticSession } from '../core/session.js';

const ROUNDS = 7;

/** Median of seven rounds after one to warm up, on one core. Rows of the user side count as events here. */
export function benchLifecycles(
  batches: readonly EventBatch[],
  session: SessionInfo = syntheticSession(),
): { eventsPerSec: number } {
  const events = batches.reduce((sum, batch) => sum + batch.length, 0);
  const round = (): number => {
    const pipeline = new Pipeline(session);
    const start = process.hrtime.bigint();
    for (const batch of batches) pipeline.push(batch);
    pipeline.snapshot();
    return Number(process.hrtime.bigint() - start);
  };
  round();
  const times = Array.from({ length: ROUNDS }, round).sort((x, y) => x - y);
  return { eventsPerSec: Math.round((events * 1e9) / (times[ROUNDS >> 1] ?? Number.NaN)) };
}
