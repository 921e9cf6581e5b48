// SPDX-License-Identifier: MIT
/** How an export runs: stopped, failed by its output or its source, and never with the whole of it in memory. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { synthesize } from '../core/synthetic.js';
import { BATCHES, exported, lifecycles, sourceOf } from './support.js';

test('a stopped export leaves nothing that could be taken for one', async () => {
  const { output, stopped } = await exported(sourceOf(BATCHES), { format: 'jsonl', stopped: () => true });
  assert.equal(stopped, true);
  assert.deepEqual([output.abandoned, output.finished], [true, false]);
});

test('an output that fails ends the export with its error, and is abandoned', async () => {
  const { runExport } = await import('../../src/export/run.js');
  let abandoned = 0;
  const failing = {
    bytes: 0,
    write: () => Promise.reject(new Error('disk full')),
    finish: () => Promise.resolve(),
    abandon: async () => {
      abandoned++;
    },
  };
  await assert.rejects(
    runExport(sourceOf(BATCHES), { format: 'csv', table: 'lifecycles', output: failing }),
    /disk full/,
  );
  assert.equal(abandoned, 1);
});

test('a source that fails: what came before is exported, and the error is handed on', async () => {
  const source = sourceOf(
    (function* () {
      yield* BATCHES;
      throw new Error('damaged');
    })(),
  );
  const { error, output, rows } = await exported(source, { format: 'csv' });
  assert.match(String(error), /damaged/);
  assert.equal(output.finished, true);
  assert.equal(rows, lifecycles().length);
});

for (const [format, some, many] of [
  ['perfetto', 2000, 6000],
  ['jsonl', 2000, 6000],
  ['csv', 3000, 9000],
  // Two row groups and three.
  ['parquet', 40_000, 70_000],
] as const) {
  test(`${format}: what is written at a time does not grow with the recording`, async () => {
    const largest = async (faults: number): Promise<number> => {
      const { output } = await exported(sourceOf(synthesize(faults, 3, { batchRows: 512 })), { format });
      assert.ok(output.chunks.length >= 2, `${output.chunks.length}`);
      return Math.max(...output.chunks.map((chunk) => chunk.length));
    };
    const [less, more] = [await largest(some), await largest(many)];
    assert.ok(more <= 1.2 * less, `${more} bytes at a time, ${less} of a shorter recording`);
  });
}
