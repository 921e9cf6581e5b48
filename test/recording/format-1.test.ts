// SPDX-License-Identifier: MIT
/** Recordings of format 1 packed fields of writers into columns of faults; they are read into the columns of today. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { isOfNoFault } from '../../src/core/events/batch.js';
import { UserKind } from '../../src/core/events/user-rows.js';
import { openFile } from '../../src/recording/read/file.js';
import { openRecordingBytes } from '../../src/recording/read/reader.js';
import { VlKind } from '../../src/schema/events.gen.js';
import { chunksOf, record, rowsOf } from './support.js';

/** A recording from when format 1 was written, with holds, waits and writers in it. */
const KEPT = 'test/golden/blocked-6.12.vmlt';

test('rows of writers and of locks have their own columns, and nothing in those of a fault', async () => {
  const source = await openFile(KEPT);
  const seen = { acquired: 0, held: 0, forks: 0, stacks: 0, priorities: new Set<number>(), files: new Set<string>() };
  for await (const batch of source.batches()) {
    for (let i = 0; i < batch.length; i++) {
      const kind = batch.kind[i] as number;
      if (!isOfNoFault(kind) && kind !== UserKind.Lock) {
        assert.deepEqual([batch.kernelStack[i], batch.userStack[i], batch.prio[i], batch.file[i]], [-1, -1, 0, 0]);
        continue;
      }
      assert.deepEqual([batch.pte[i], batch.vmFlags[i], batch.address[i]], [0n, 0n, 0]);
      if (kind !== VlKind.W_VMA) assert.deepEqual([batch.vmaStart[i], batch.vmaEnd[i]], [0, 0]);
      if (kind === VlKind.W_ACQUIRED) {
        seen.acquired++;
        seen.priorities.add(batch.prio[i] as number);
      }
      if (kind === VlKind.L_HELD) seen.held++;
      if ((batch.forkVmas[i] as number) > 0) seen.forks++;
      if ((batch.kernelStack[i] as number) >= 0) seen.stacks++;
      if (batch.file[i] !== 0) seen.files.add(batch.strings[batch.file[i] as number] as string);
    }
  }
  await source.close();
  assert.ok(seen.acquired + seen.held > 10, JSON.stringify(seen));
  // task->prio of ordinary tasks: 100 to 139.
  for (const prio of seen.priorities) assert.ok(prio >= 100 && prio < 140, String(prio));
  assert.ok(seen.files.has('maps') || seen.files.has('smaps'), [...seen.files].join());
});

test('written again it is of today, with the same rows', async () => {
  const bytes = await readFile(KEPT);
  const old = await openRecordingBytes(chunksOf(bytes), 'old');
  assert.equal(old.head.format, 1);
  const rows: unknown[] = [];
  const copies: Uint8Array[] = [];
  for await (const batch of old.batches()) {
    rows.push(...rowsOf(batch));
    copies.push(await record([batch], old.session));
  }
  const again: unknown[] = [];
  for (const copy of copies) {
    const source = await openRecordingBytes(chunksOf(copy), 'again');
    assert.equal(source.head.format, 2);
    for await (const batch of source.batches()) again.push(...rowsOf(batch));
  }
  assert.deepEqual(again, rows);
});
