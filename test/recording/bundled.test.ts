// SPDX-License-Identifier: MIT
/** A recording made on a real kernel (a swapping workload on 7.3.4) opens in every later version and says the same. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Pipeline } from '../../src/core/pipeline.js';
import { statJson } from '../../src/core/stat-json.js';
import { openFile } from '../../src/source/file.js';

const golden = (name: string): string => fileURLToPath(new URL(`../../../test/golden/${name}`, import.meta.url));

test('the bundled recording is whole, conserves its events and gives its summary', async () => {
  const source = await openFile(golden('swap-7.3.vmlt'));
  const pipeline = new Pipeline(source.session);
  for await (const batch of source.batches()) pipeline.push(batch);
  await source.close();
  const snapshot = pipeline.snapshot();
  assert.equal(source.truncated, null);
  assert.equal(snapshot.ended, true);
  assert.equal(snapshot.events.emitted, snapshot.events.decoded + snapshot.events.dropped);
  assert.ok(snapshot.retry.byCause['folio locked'] > 1000);
  const expected: unknown = JSON.parse(await readFile(golden('swap-7.3.stat.json'), 'utf8'));
  assert.deepEqual(JSON.parse(JSON.stringify(statJson(snapshot))), expected);
});

test('a part of a rotated recording of today opens, by itself, with the names and counters of before it', async () => {
  const source = await openFile(golden('synthetic-part-2.vmlt'));
  const pipeline = new Pipeline(source.session);
  for await (const batch of source.batches()) pipeline.push(batch);
  const { events, lifecycles, ended, swap } = pipeline.snapshot();
  assert.equal(source.head.part?.number, 2);
  assert.equal(source.truncated, null);
  assert.equal(ended, true);
  assert.deepEqual([events.emitted, events.decoded, events.dropped], [7202, 7184, 18]);
  assert.equal(lifecycles.total, 800);
  assert.equal(swap.devices[0]?.name, '/dev/zram0');
});
