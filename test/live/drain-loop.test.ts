// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBatch, DEFAULT_BATCH_ROWS, type EventBatch } from '../../src/core/events/batch.js';
import { drainUntil, nextPause } from '../../src/live/drain-loop.js';

test('few rows leave the ring alone for longer, many bring the loop back at once', () => {
  const pauses = (rows: readonly number[], many = 500): number[] => {
    let pause = 5;
    return rows.map((n) => {
      pause = nextPause(pause, n, many);
      return pause;
    });
  };
  assert.deepEqual(pauses([0, 1, 20, 100, 300, 0]), [10, 15, 20, 25, 25, 25]);
  assert.deepEqual(pauses([0, 0, 500, 0, DEFAULT_BATCH_ROWS]), [10, 15, 5, 10, 5]);
  assert.deepEqual(pauses([0, 0, 1, 0, 3], 1), [10, 15, 5, 10, 5]);
});

/** A ring into which `rows` rows come for each time it is looked at. */
function ring(rows: readonly number[]): Parameters<typeof drainUntil>[0] & { readonly looks: () => number } {
  let [looked, held] = [0, 0];
  const batch: EventBatch = createBatch(DEFAULT_BATCH_ROWS, ['']);
  const handOn = function* (): Generator<EventBatch> {
    batch.length = held;
    held = 0;
    yield batch;
  };
  return {
    looks: () => looked,
    manyRows: 500,
    drain: () => {
      const more = Math.min(rows[looked++] ?? 0, DEFAULT_BATCH_ROWS - held);
      held += more;
      return more;
    },
    get full() {
      return held === DEFAULT_BATCH_ROWS;
    },
    drained: handOn,
    sample: async function* () {
      yield* handOn();
    },
  };
}

test('a full batch is handed on at once, what is not full with the next sample', async () => {
  const fake = ring([DEFAULT_BATCH_ROWS, DEFAULT_BATCH_ROWS, 7]);
  const lengths: number[] = [];
  for await (const { length } of drainUntil(fake, () => lengths.length === 3)) lengths.push(length);
  assert.deepEqual(lengths, [DEFAULT_BATCH_ROWS, DEFAULT_BATCH_ROWS, 7]);
});

test('what closes the session is looked at before the ring is', async () => {
  const fake = ring([3]);
  for await (const batch of drainUntil(fake, () => true)) assert.fail(`a batch of ${batch.length} rows`);
  assert.equal(fake.looks(), 0);
});
