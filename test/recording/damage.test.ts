// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecordBatchFileWriter, tableFromArrays, tableToIPC } from 'apache-arrow';
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import { createBatch, type EventBatch } from '../../src/core/events/batch.js';
import type { SessionInfo } from '../../src/core/events/session.js';
import { UserKind } from '../../src/core/events/user-rows.js';
import { ExitCode, errorLines, UserError } from '../../src/errors.js';
import { FORMAT_VERSION, MAX_ROWS } from '../../src/recording/format/columns.js';
import { openRecordingBytes } from '../../src/recording/read/reader.js';
import { END_OF_STREAM, schemaMessage } from '../../src/recording/write/encode.js';
import { createFlightRecorder } from '../../src/recording/write/flight.js';
import { LIVE_SESSION, liveSession } from './live-session.js';
import { chunksOf, MemorySink, plainBatch, readAll, record, rowsOf, SESSION } from './support.js';

const small = [plainBatch(3), plainBatch(2, 3), plainBatch(2, 5, true)];
const rows = small.map(rowsOf);

/** Where each message ends. */
async function ends(): Promise<number[]> {
  const all = [schemaMessage(SESSION).length];
  for (let n = 1; n <= small.length; n++) all.push((await record(small.slice(0, n))).length - END_OF_STREAM.length);
  return all;
}

test('a file cut at any byte gives every batch that is whole, and says that it was cut', async () => {
  const bytes = await record(small);
  const [head = 0, ...boundaries] = await ends();
  for (let cut = 0; cut <= bytes.length; cut++) {
    const read = await readAll(chunksOf(bytes.subarray(0, cut)));
    if (cut < head) {
      assert.equal(read.error?.exitCode, ExitCode.Usage, `cut at ${cut}`);
      assert.match(read.error.message, cut === 0 ? /is empty/ : /cut off before its head/);
      continue;
    }
    assert.equal(read.error, null, `cut at ${cut}`);
    const whole = boundaries.filter((end) => end <= cut).length;
    assert.deepEqual(read.batches, rows.slice(0, whole), `cut at ${cut}`);
    if (whole === rows.length) assert.equal(read.truncated, null, 'the End row was read: nothing is missing');
    else
      assert.match(
        read.truncated ?? '',
        cut === head || boundaries.includes(cut) ? /recorder was stopped/ : /inside a message/,
      );
  }
});

test('a stream that was closed without an End row is not whole', async () => {
  const read = await readAll(chunksOf(await record([plainBatch(3)])));
  assert.equal(read.error, null);
  assert.match(read.truncated ?? '', /closed it before the session ended/);
});

/** A small generator of our own: the same corruptions each time. */
function* randoms(): Generator<number, never> {
  for (let state = 1; ; ) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state / 2 ** 32;
  }
}

/** `make test-long` for the whole of it. */
const CORRUPTIONS = Number(process.env.VMALOCKTOP_CORRUPTIONS ?? 500);

/** The last part of a session: names, counters, lifecycles and a head that says what came before. */
async function part(): Promise<Uint8Array> {
  const recorder = await createFlightRecorder(LIVE_SESSION, { seconds: 0.02, bytes: 2 ** 30 });
  for (const batch of liveSession({ seconds: 1.3 })) recorder.write(batch);
  const sink = new MemorySink();
  await recorder.dump(sink, 'a test');
  return sink.bytes();
}

/** Reads, rebuilds and sums up all there is. */
async function foldAll(bytes: Uint8Array): Promise<UserError | null> {
  try {
    const source = await openRecordingBytes(chunksOf(bytes, 4096), 'it');
    const pipeline = new Pipeline(source.session);
    try {
      for await (const batch of source.batches()) {
        assert.ok(batch.length <= MAX_ROWS);
        pipeline.push(batch);
      }
    } finally {
      assert.ok(pipeline.snapshot().lifecycles.total >= 0);
    }
    return null;
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
}

test(`${CORRUPTIONS} times random damage ends in a UserError or in rows, never in anything else, and costs neither memory nor time`, async (t) => {
  const whole = [await record([plainBatch(60), plainBatch(60, 60), plainBatch(60, 120, true)]), await part()];
  const random = randoms();
  const pick = (n: number): number => Math.floor(random.next().value * n);
  const began = process.cpuUsage();
  let refused = 0;
  let slowest = 0;
  for (let run = 0; run < CORRUPTIONS; run++) {
    const broken = (whole[run % 2] as Uint8Array).slice();
    for (let hits = 1 + pick(4); hits > 0; hits--) {
      const at = pick(broken.length);
      // Half of them hit the small numbers that lengths and offsets are made of.
      if (pick(2) === 0) broken[at] = pick(256);
      else
        new DataView(broken.buffer).setInt32(
          Math.min(at & ~3, broken.length - 4),
          [-1, 0x7fffffff, 0, -0x80000000][pick(4)] ?? 0,
          true,
        );
    }
    const start = process.cpuUsage();
    const error = await foldAll(broken);
    slowest = Math.max(slowest, process.cpuUsage(start).user / 1000);
    if (error === null) continue;
    refused++;
    assert.equal(error.exitCode, ExitCode.Usage);
    assert.ok(error.remedy, error.message);
  }
  const { maxRSS } = process.resourceUsage();
  t.diagnostic(
    `${refused} refused, slowest ${slowest.toFixed(0)} ms of a CPU, at most ${(maxRSS / 1024).toFixed(0)} MiB of memory`,
  );
  assert.ok(refused > CORRUPTIONS / 4, `${refused} of ${CORRUPTIONS} found`);
  // Of a CPU: how long it takes says how busy the machine is.
  assert.ok(slowest < 5000, `${slowest} ms`);
  assert.ok(process.cpuUsage(began).user / 1000 / CORRUPTIONS < 50);
  assert.ok(maxRSS < 512 * 1024, `${maxRSS} KiB of memory`);
});

test('damage comes after the good batches before it', async () => {
  const bytes = await record(small);
  const [, first = 0] = await ends();
  const broken = bytes.slice();
  broken.fill(0x41, first, first + 4);
  const read = await readAll(chunksOf(broken));
  assert.deepEqual(read.batches, rows.slice(0, 1));
  assert.match(read.error?.message ?? '', new RegExp(`damaged at byte ${first}: no message begins here`));
});

test('absurd lengths are refused before anything is allocated for them', async () => {
  const bytes = await record(small);
  const [head = 0] = await ends();
  for (const length of [0x7ffffff8, -8, 17 * 1024 * 1024]) {
    const broken = bytes.slice();
    new DataView(broken.buffer).setInt32(head + 4, length, true);
    const read = await readAll(chunksOf(broken));
    assert.match(read.error?.message ?? '', /a message head of -?\d+ bytes/);
  }
});

test('names that expand to more than any recording has are refused', async () => {
  const named = (name: string): EventBatch => {
    const batch = createBatch(1, ['', name]);
    batch.kind[0] = UserKind.Cgroup;
    batch.comm[0] = 1;
    batch.length = 1;
    return batch;
  };
  const long = await readAll(chunksOf(await record([plainBatch(3), named('x'.repeat(20 * 2 ** 20))])));
  assert.match(long.error?.message ?? '', /a name of 20971520 bytes/);
  assert.equal(long.batches.flat().length, 3);

  const many = createBatch(1100, ['']);
  const strings = many.strings as string[];
  for (let i = 0; i < 1100; i++) many.comm[i] = strings.push(`${i}`.padEnd(65_000, 'x')) - 1;
  many.length = 1100;
  assert.match((await readAll(chunksOf(await record([many])))).error?.message ?? '', /more names than|of \d+ bytes/);
});

const withSession = (change: object): Uint8Array => schemaMessage({ ...SESSION, ...change } as SessionInfo);
const newer = Buffer.from(Buffer.from(schemaMessage(SESSION)).toString('latin1'), 'latin1');
const DIGIT = String(FORMAT_VERSION).charCodeAt(0);
const at = newer.indexOf(Buffer.from([1, 0, 0, 0, DIGIT])); // the flatbuffers string '2': its length, then its text
assert.ok(at >= 0, 'the version of the format is one digit');
newer[at + 4] = 0x37;

const foreign: readonly (readonly [what: string, bytes: Uint8Array, why: RegExp, remedy: RegExp])[] = [
  ['nothing', new Uint8Array(0), /is empty/, /recorder started/],
  ['text', Buffer.from('hello, world, this is text\n'), /not a recording/, /record -o/],
  ['two bytes', Buffer.from('hi'), /not a recording/, /record -o/],
  ['gzip', Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0]), /gzip/, /gunzip/],
  ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0, 0]), /zstd/, /zstdcat/],
  [
    'other Arrow stream',
    tableToIPC(tableFromArrays({ x: Int32Array.of(1, 2) }), 'stream'),
    /not one of vmalocktop/,
    /record -o/,
  ],
  [
    'Arrow file',
    RecordBatchFileWriter.writeAll(tableFromArrays({ x: Int32Array.of(1) })).toUint8Array(true),
    /Arrow file/,
    /as vmalocktop wrote it/,
  ],
  ['newer format', newer, /format is version 7/, /version of vmalocktop that wrote it/],
  ['newer session', withSession({ v: 2 }), /session 2/, /version of vmalocktop that wrote it/],
  ['session without programs', withSession({ programs: 3 }), /proper "programs"/, /record again/],
  ['end at once', END_OF_STREAM, /ends where it begins/, /record again/],
];

for (const [what, bytes, why, remedy] of foreign) {
  test(`${what} is refused before anything, with its own cause and remedy`, async () => {
    const read = await readAll(chunksOf(bytes));
    assert.equal(read.session, null);
    assert.ok(read.error);
    assert.equal(read.error.exitCode, ExitCode.Usage);
    assert.match(read.error.message, why);
    assert.match(errorLines(read.error).join('\n'), new RegExp(`→ .*${remedy.source}`));
  });
}
