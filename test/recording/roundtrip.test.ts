// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compressionRegistry, tableFromIPC } from 'apache-arrow';
import { CompressionType } from 'apache-arrow/fb/compression-type';
import fc from 'fast-check';
import { COLUMNS } from '../../src/recording/format/columns.js';
import { ROW_RANGES } from '../../src/recording/format/row-ranges.js';
import { frameContentSize, loadZstd } from '../../src/recording/format/zstd.js';
import { createRecordingWriter } from '../../src/recording/write/writer.js';
import { batchOf, chunksOf, MemorySink, plainBatch, type Row, readAll, record, rowsOf, SESSION } from './support.js';

const u8 = fc.integer({ min: 0, max: 0xff });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const i32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const u64 = fc.oneof(
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  fc.constantFrom(0n, (1n << 63n) - 1n, (1n << 64n) - 1n),
);
/** What a column of doubles may hold: whole numbers, ends included. */
const within = (key: keyof typeof ROW_RANGES): fc.Arbitrary<number> => {
  const { min, max } = ROW_RANGES[key];
  const whole = fc.oneof(
    fc.constantFrom(min, max),
    fc.maxSafeNat().map((n) => Math.min(n, max)),
  );
  return ROW_RANGES[key].unknown === true ? fc.oneof(fc.constant(Number.NaN), fc.maxSafeInteger(), whole) : whole;
};
const comm = fc.oneof(
  fc.constant(''),
  fc.string({ unit: 'binary', maxLength: 15 }),
  fc.constantFrom('日本語', '🦊🦊', 'a\0b'),
);

const row: fc.Arbitrary<Row> = fc.record(
  {
    kind: u8,
    flags: u8,
    cpu: u16,
    tid: u32,
    fault: u32,
    faultCpu: u16,
    step: u16,
    time: within('time'),
    a: u32,
    b: u32,
    tgid: u32,
    comm,
    depth: u8,
    acquired: within('acquired'),
    mm: within('mm'),
    address: within('address'),
    vmaStart: within('vmaStart'),
    vmaEnd: within('vmaEnd'),
    vmFlags: u64,
    pte: u64,
    cgroup: within('cgroup'),
    value: within('value'),
    kernelStack: i32,
    userStack: i32,
    prio: i32,
    holderPrio: i32,
    file: comm,
    forkThreads: u32,
    forkVmas: u32,
    forkLocked: u32,
    forkWait: within('forkWait'),
  },
  { noNullPrototype: true },
);

test('whatever is written is read back exactly, in any cut of chunks', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(row, { minLength: 1, maxLength: 40 }), { maxLength: 4 }),
      fc.integer({ min: 1, max: 5000 }),
      async (batches, chunk) => {
        const strings = [''];
        const bytes = await record(batches.map((rows) => batchOf(rows, strings)));
        const read = await readAll(chunksOf(bytes, chunk));
        assert.equal(read.error, null);
        assert.deepEqual(read.session, SESSION);
        assert.deepEqual(read.batches, batches);
      },
    ),
    { numRuns: 150 },
  );
});

test('small batches are gathered, large ones split, and no reference to a batch is kept', async () => {
  const sink = new MemorySink();
  let clock = 0;
  const writer = await createRecordingWriter(SESSION, sink, { now: () => clock });
  const head = sink.chunks.length;
  const batch = plainBatch(100);
  const first = rowsOf(batch);
  await writer.write(batch);
  batch.time.fill(-1);
  batch.comm.fill(0);
  assert.equal(sink.chunks.length, head, 'a small batch waits');
  clock = 1000;
  await writer.write(plainBatch(1, 100));
  assert.equal(sink.chunks.length, head + 1, 'but no longer than a second');
  await writer.write(plainBatch(20000, 200));
  assert.equal(sink.chunks.length, head + 3);
  await writer.end();
  assert.equal(sink.ended, true);
  assert.equal(writer.rows, 20101);
  assert.equal(writer.bytes, sink.bytes().length);
  const read = await readAll(chunksOf(sink.bytes()));
  assert.deepEqual(
    read.batches.map((rows) => rows.length),
    [101, 8192, 8192, 3616],
  );
  assert.deepEqual(read.batches[0]?.slice(0, 100), first);
  assert.deepEqual(read.batches.slice(1).flat(), rowsOf(plainBatch(20000, 200)));
});

test('strings of another source do not get mixed up with those before', async () => {
  const one = batchOf([{ ...rowsOf(plainBatch(1))[0], comm: 'one' } as Row]);
  const two = batchOf([{ ...rowsOf(plainBatch(1))[0], comm: 'two' } as Row]);
  const read = await readAll(chunksOf(await record([one, two])));
  assert.deepEqual(
    read.batches.flat().map((it) => it.comm),
    ['one', 'two'],
  );
});

test('apache-arrow opens it, and each buffer is led by its uncompressed length as Message.fbs wants', async () => {
  const codec = await loadZstd();
  const seen: [led: number, frame: number | null][] = [];
  compressionRegistry.set(CompressionType.ZSTD, {
    encode: (data) => codec.compress(data),
    decode(data) {
      const led = Number(new DataView(data.buffer, data.byteOffset - 8, 8).getBigInt64(0, true));
      seen.push([led, frameContentSize(data)]);
      return codec.decompress(data, led).slice();
    },
  });
  const batch = plainBatch(3000);
  const table = tableFromIPC(await record([batch, plainBatch(10, 3000)]));
  assert.ok(seen.length >= COLUMNS.length);
  for (const [led, frame] of seen) assert.equal(led, frame);
  assert.equal(table.numRows, 3010);
  assert.deepEqual(
    table.schema.names,
    COLUMNS.map(({ name }) => name),
  );
  assert.equal(table.schema.metadata.get('vmalocktop.format'), '2');
  assert.deepEqual(JSON.parse(table.schema.metadata.get('vmalocktop.session') ?? ''), SESSION);
  const expected = rowsOf(batch);
  for (const i of [0, 1, 2, 2999]) {
    const found = table.get(i)?.toJSON() as Record<string, unknown>;
    for (const { name, key } of COLUMNS) assert.deepEqual(found[name], expected[i]?.[key], `${name} of row ${i}`);
  }
});
