// SPDX-License-Identifier: MIT
/** Messages of a live session: packed beside the main thread or in it, they hold the same rows in the same order. */
import assert from 'node:assert/strict';
import { randomFillSync } from 'node:crypto';
import { test } from 'node:test';
import { createBatch, type EventBatch } from '../../src/core/events/batch.js';
import { loadZstd } from '../../src/recording/format/zstd.js';
import { type Aside, loadAside } from '../../src/recording/format/zstd-aside.js';
import { END_OF_STREAM, schemaMessage } from '../../src/recording/write/encode.js';
import { LiveEncoder } from '../../src/recording/write/live-encoder.js';
import { Staging } from '../../src/recording/write/staging.js';
import { chunksOf, plainBatch, type Row, readAll, rowsOf, SESSION } from './support.js';

const libzstd = await loadAside();
const skip = libzstd === null && 'libzstd.so.1 is not installed here';
const ROWS = 8192;

/** Columns that do not shrink, and such as do. */
function noise(): EventBatch {
  const batch = createBatch(ROWS, ['']);
  for (const column of [batch.a, batch.b, batch.fault, batch.pte]) randomFillSync(column);
  batch.length = ROWS;
  return batch;
}

/** Encodes all before anything settles, over one staging. */
async function encoded(aside: Aside | null, batches: readonly EventBatch[]): Promise<{ rows: Row[]; waited: number }> {
  const encoder = await LiveEncoder.create(aside);
  const staging = new Staging();
  const messages = batches.map((batch) => {
    assert.equal(staging.append(batch, 0), batch.length);
    const message = encoder.encode(staging);
    staging.clear();
    return message;
  });
  const bytes = [schemaMessage(SESSION), ...(await Promise.all(messages)), END_OF_STREAM];
  const read = await readAll(chunksOf(Buffer.concat(bytes)));
  assert.equal(read.error, null);
  assert.equal(read.truncated, 'the recorder closed it before the session ended in order');
  return { rows: read.batches.flat(), waited: messages.filter((message) => message instanceof Promise).length };
}

test('libzstd in the pool: the rows as they were when they were given', { skip }, async () => {
  const batches = [plainBatch(ROWS), noise(), plainBatch(ROWS, ROWS), plainBatch(100, 7), plainBatch(ROWS, 3 * ROWS)];
  const { rows, waited } = await encoded(libzstd, batches);
  assert.deepEqual(rows, batches.flatMap(rowsOf));
  assert.equal(waited, batches.length - 1, 'all but the small one');
});

test('libzstd in the pool: so many calls and no more', { skip }, async () => {
  assert.ok(libzstd !== null);
  const data = new Uint8Array(4096).map((_, i) => i % 7);
  let most = 0;
  while (libzstd.free(most + 1)) most++;
  const calls = Array.from({ length: most }, () => libzstd.compress(data, new Uint8Array(data.length)));
  assert.equal(libzstd.free(1), false);
  const { decompress } = await loadZstd();
  for (const frame of await Promise.all(calls)) {
    assert.ok(frame.length < 100);
    assert.deepEqual(decompress(frame, data.length), data);
  }
  assert.equal(libzstd.free(most), true);
});

test('without libzstd, or where it fails, or too much is under way', async () => {
  const batches = [plainBatch(ROWS), noise(), plainBatch(ROWS, ROWS)];
  const rows = batches.flatMap(rowsOf);
  assert.deepEqual(await encoded(null, batches), { rows, waited: 0 });
  const failing: Aside = { free: () => true, compress: (data) => Promise.resolve(data) };
  assert.deepEqual(await encoded(failing, batches), { rows, waited: 3 });
  const busy: Aside = { free: () => false, compress: () => assert.fail('there was no room') };
  assert.deepEqual(await encoded(busy, batches), { rows, waited: 0 });
});
