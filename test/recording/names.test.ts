// SPDX-License-Identifier: MIT
/** Names without end: a stream that runs for months does not grow with them, and loses none that is still needed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBatch } from '../../src/core/events/batch.js';
import { pushRow, UserKind } from '../../src/core/events/user-rows.js';
import { NamesSoFar } from '../../src/recording/read/names.js';
import { openRecordingBytes } from '../../src/recording/read/reader.js';
import { createRecordingWriter } from '../../src/recording/write/writer.js';
import { VlKind, VlStepFlag } from '../../src/schema/events.gen.js';
import { syntheticSession } from '../core/session.js';

test('a reader begins its list of names anew, and every row has its own', async () => {
  const chunks: Uint8Array[] = [];
  const writer = await createRecordingWriter(syntheticSession(), {
    write: async (bytes) => void chunks.push(bytes.slice()),
    end: async () => {},
  });
  const rows = 3000;
  const messages = 60;
  for (let m = 0; m < messages; m++) {
    const strings = ['', ...Array.from({ length: rows }, (_, i) => `job-${m * rows + i}`)];
    const batch = createBatch(rows, strings);
    for (let i = 0; i < rows; i++) {
      batch.kind[i] = VlKind.HMF_EXIT;
      batch.flags[i] = VlStepFlag.INFO;
      batch.comm[i] = 1 + i;
    }
    batch.length = rows;
    await writer.write(batch);
    await writer.flush();
  }
  await writer.end();
  async function* bytes(): AsyncGenerator<Uint8Array> {
    yield* chunks;
  }
  const source = await openRecordingBytes(bytes(), 'test');
  let seen = 0;
  let longest = 0;
  for await (const batch of source.batches()) {
    for (let i = 0; i < batch.length; i++) assert.equal(batch.strings[batch.comm[i] as number], `job-${seen++}`);
    longest = Math.max(longest, batch.strings.length);
  }
  assert.equal(seen, rows * messages);
  assert.ok(longest > 60_000 && longest <= 65_536 + 8192, `${longest} names at a time`);
});

test('cgroups that come and go push out each other, not the swap device that was named once', () => {
  const names = new NamesSoFar();
  const batch = createBatch(1, ['', '/dev/vda', 'ext4_filemap_fault']);
  const say = (kind: number, a: number, b: number, value: number, comm: number): void => {
    batch.length = 0;
    batch.comm[0] = comm;
    pushRow(batch, kind, 0, a, b, value);
    names.add(batch, 0);
  };
  say(UserKind.SwapDevice, 0, 3, 0, 1);
  say(UserKind.Handler, 1, 2, 0, 2);
  for (let id = 1; id <= 100_000; id++) say(UserKind.Cgroup, 0, 0, id, 1);
  for (let id = 0; id < 40_000; id++) for (let frame = 0; frame < 8; frame++) say(UserKind.Frame, id, frame, 1, 2);
  const rows: { kind: number; a: number; value: number; name: string | undefined }[] = [];
  for (const part of names.batches(5)) {
    assert.ok(part.length <= 4096);
    for (let i = 0; i < part.length; i++) {
      const [kind = 0, a = 0, value = 0] = [part.kind[i], part.a[i], part.value[i]];
      rows.push({ kind, a, value, name: part.strings[part.comm[i] as number] });
    }
  }
  const of = (kind: number): typeof rows => rows.filter((row) => row.kind === kind);
  assert.deepEqual(
    of(UserKind.SwapDevice).map(({ name }) => name),
    ['/dev/vda'],
  );
  assert.deepEqual(
    of(UserKind.Handler).map(({ name }) => name),
    ['ext4_filemap_fault'],
  );
  assert.ok(of(UserKind.Cgroup).length <= 16_384 && of(UserKind.Cgroup).length > 14_000);
  assert.equal(of(UserKind.Cgroup).at(-1)?.value, 100_000, 'the newest is there');
  assert.ok(of(UserKind.Frame).length <= 131_072 && of(UserKind.Frame).length > 114_000);
  assert.equal(of(UserKind.Frame).at(-1)?.a, 39_999);
  assert.equal(of(UserKind.Frame).length % 8, 0, 'stacks go as a whole');
  assert.equal(names.rows, rows.length);
});
