// SPDX-License-Identifier: MIT
/** Whatever packs, a recording holds the same rows. */
import assert from 'node:assert/strict';
import { randomFillSync } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { createBatch, type EventBatch } from '../../src/core/events/batch.js';
import type { Packer } from '../../src/recording/format/codec.js';
import { loadZstd } from '../../src/recording/format/zstd.js';
import { systemPacker } from '../../src/recording/format/zstd-system.js';
import { BatchEncoder, END_OF_STREAM, schemaMessage } from '../../src/recording/write/encode.js';
import { chunksOf, plainBatch, readAll, rowsOf, SESSION } from './support.js';

const system = await systemPacker(1);
const skip = system === null && 'libzstd.so.1 is not installed here';

/** Columns that do not shrink. */
function noise(): EventBatch {
  const batch = createBatch(8192, ['']);
  for (const column of [batch.a, batch.b, batch.fault, batch.pte]) randomFillSync(column);
  batch.length = 8192;
  return batch;
}

test('libzstd of the system and that of this process', { skip }, async () => {
  assert.ok(system !== null);
  const batches = [plainBatch(8192), noise(), plainBatch(100, 7)];
  for (const packer of [system, await loadZstd()] satisfies Packer[]) {
    const bytes = [schemaMessage(SESSION), ...new BatchEncoder(packer).encodeAll(batches), END_OF_STREAM];
    const read = await readAll(chunksOf(Buffer.concat(bytes)));
    assert.equal(read.error, null);
    assert.deepEqual(read.batches.flat(), batches.flatMap(rowsOf));
  }
});

test('what libzstd of the system packs is read by that of this process', { skip }, async () => {
  const { decompress } = await loadZstd();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(400), (part, times) => {
      const data = new Uint8Array(Buffer.concat(Array.from({ length: times }, () => part)));
      const frame = system?.compress(data) ?? assert.fail();
      if (frame !== data) assert.deepEqual(Buffer.compare(decompress(frame, data.length), data), 0);
      // A column that repeats itself is worth it.
      if (part.length > 100 && times > 4) assert.ok(frame.length < data.length);
    }),
  );
});
