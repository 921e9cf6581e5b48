// SPDX-License-Identifier: MIT
/** Replay: the same position gives the same snapshot, whichever way it was reached. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFile, copyFile, type FileHandle, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import type { Snapshot } from '../../src/core/aggregate/snapshot.js';
import type { EventBatch } from '../../src/core/events/batch.js';
import { UserError } from '../../src/errors.js';
import { partPath } from '../../src/recording/format/files.js';
import { beginReplay, canReplay, openReplay } from '../../src/recording/play/player.js';
import { MAX_SPEED, MIN_SPEED, type Replay } from '../../src/recording/play/replay.js';
import { rowsOf } from '../../src/recording/play/run.js';
import { openFile } from '../../src/recording/read/file.js';
import { createRotatingWriter } from '../../src/recording/write/rotate.js';
import { fileSink } from '../../src/recording/write/sink.js';
import { createRecordingWriter } from '../../src/recording/write/writer.js';
import { LIVE_SESSION, liveSession } from './live-session.js';

const GOLDEN = fileURLToPath(new URL('../../../test/golden/swap-7.3.vmlt', import.meta.url));
const SECONDS = 2;
const directory = await mkdtemp(join(tmpdir(), 'vmalocktop-replay-'));
const path = join(directory, 'live.vmlt');
after(() => rm(directory, { recursive: true }));

before(async () => {
  const writer = await createRecordingWriter(LIVE_SESSION, await fileSink(path));
  for (const batch of liveSession({ seconds: SECONDS, dropEvery: 400 })) await writer.write(batch);
  await writer.end();
});

/** What the pipeline says of every row up to the first that is younger. */
async function naive(file: string, time: number): Promise<Snapshot> {
  const source = await openFile(file);
  const pipeline = new Pipeline(source.session);
  for await (const batch of source.batches()) {
    let end = 0;
    while (end < batch.length && (batch.time[end] as number) <= time) end++;
    if (end > 0) pipeline.push(rowsOf(batch, 0, end));
    if (end < batch.length) break;
  }
  await source.close();
  return pipeline.snapshot();
}

function randoms(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

for (const file of [path, GOLDEN]) {
  test(`sought in any order, the snapshot is that of the rows up to there: ${file === path ? 'made up' : 'real'}`, async () => {
    const replay = await openReplay(file);
    const random = randoms(7);
    for (let i = 0; i < 25; i++) {
      const time = i === 20 ? replay.duration : Math.floor(random() * replay.duration);
      assert.equal(await replay.seek(time), true);
      assert.equal(replay.position, time);
      assert.deepEqual(replay.snapshot(), await naive(file, time), `at ${time}`);
    }
    await replay.close();
  });
}

test('played to a position or sought, it is the same state', async () => {
  const [played, sought] = [await openReplay(path), await openReplay(path)];
  assert.equal(played.paused, true);
  assert.equal(await played.tick(100), false, 'nothing moves while it is paused');
  played.paused = false;
  for (const [ms, speed] of [
    [16, 1],
    [100, 0.1],
    [33, 10],
    [7, 100],
  ] as const) {
    const from = played.position;
    played.speed = speed;
    assert.equal(await played.tick(ms), true);
    assert.equal(played.position, from + ms * 1e6 * speed);
    await sought.seek(played.position);
    assert.deepEqual(played.snapshot(), sought.snapshot());
  }
  played.speed = MAX_SPEED;
  while (!played.atEnd) await played.tick(16);
  assert.equal(played.position, played.duration);
  assert.equal(await played.tick(16), false);
  assert.equal(played.snapshot().ended, true);
  await Promise.all([played.close(), sought.close()]);
});

test('speed stays within its bounds', async () => {
  const replay = await openReplay(path);
  for (const [asked, got] of [
    [0, MIN_SPEED],
    [1e9, MAX_SPEED],
    [2, 2],
  ] as const) {
    replay.speed = asked;
    assert.equal(replay.speed, got);
  }
  await replay.close();
});

test('a step ends one more lifecycle, and its position gives the same state again', async () => {
  const replay = await openReplay(path);
  await replay.seek(0.5e9);
  let closed = replay.snapshot().lifecycles;
  const ended = (it: typeof closed): number => it.total - it.byEnd['in-flight'];
  for (let i = 0; i < 5; i++) {
    const lifecycle = await replay.step();
    assert.ok(lifecycle);
    const now = replay.snapshot().lifecycles;
    assert.equal(ended(now), ended(closed) + 1);
    assert.deepEqual(replay.snapshot(), await naive(path, replay.position));
    assert.ok(lifecycle.end <= replay.position);
    closed = now;
  }
  await replay.seek(replay.duration);
  assert.equal(await replay.step(), null);
  assert.equal(replay.atEnd, true);
  await replay.close();
});

test('of several seeks the last one counts, and nothing is torn', async () => {
  const replay = await openReplay(GOLDEN);
  await replay.seek(replay.duration);
  const random = randoms(3);
  for (let round = 0; round < 5; round++) {
    const targets = Array.from({ length: 8 }, () => Math.floor(random() * replay.duration));
    const last = targets.at(-1) as number;
    const seeks = targets.map((time) => replay.seek(time));
    assert.equal(replay.seeking, last);
    const arrived = await Promise.all(seeks);
    assert.equal(arrived.at(-1), true);
    assert.equal(arrived.slice(0, -1).includes(true), false);
    assert.equal(replay.seeking, null);
    assert.deepEqual(replay.snapshot(), await naive(GOLDEN, last));
  }
  await replay.close();
});

test('while a seek is under way, other work has its turn', async () => {
  const replay = await openReplay(GOLDEN);
  let turns = 0;
  const timer = setInterval(() => turns++, 5);
  await replay.seek(replay.duration);
  await replay.seek(replay.duration * 0.9);
  clearInterval(timer);
  assert.ok(turns > 0);
  await replay.close();
});

test('losses, missed runs and damage are marked where they are', async () => {
  const replay = await openReplay(path, {
    finders: () => [{ push() {}, markers: () => [{ time: 1, kind: 'violation', text: 'rule 3' }] }],
  });
  const losses = replay.markers.filter(({ kind }) => kind === 'loss');
  assert.ok(losses.length > 0);
  assert.ok(losses.every(({ time }) => time > 0 && time <= replay.duration));
  const total = losses.reduce((sum, { text }) => sum + Number(/^\d+/.exec(text)?.[0]), 0);
  await replay.seek(replay.duration);
  assert.equal(total, replay.snapshot().events.dropped);
  assert.equal(replay.markers[0]?.kind, 'violation', 'by time');
  await replay.close();

  const golden = await openReplay(GOLDEN);
  const missed = golden.markers.filter(({ kind }) => kind === 'missed');
  await golden.seek(golden.duration);
  assert.equal(
    missed.reduce((sum, { text }) => sum + Number(/^\d+/.exec(text)?.[0]), 0),
    golden.snapshot().events.missed,
  );
  assert.match(missed[0]?.text ?? '', /x_handle_mm_fault/);
  await golden.close();

  const broken = join(directory, 'broken.vmlt');
  await writeFile(broken, (await readFile(path)).subarray(0, -8));
  await appendFile(broken, 'what does not belong here');
  const damaged = await openReplay(broken);
  assert.ok(damaged.error instanceof UserError);
  assert.equal(damaged.markers.at(-1)?.kind, 'damage');
  assert.equal(await damaged.seek(damaged.duration), true);
  assert.deepEqual(damaged.snapshot(), await naive(path, damaged.duration));
  assert.equal(await damaged.step(), null);
  await damaged.close();
});

test('a time range is replayed as a session of its own', async () => {
  const replay: Replay = await openReplay(path, { range: () => ({ from: 0.5e9, to: 1.5e9 }) });
  assert.equal(replay.duration, 1e9);
  assert.equal(BigInt(replay.session.baseNs) - BigInt(LIVE_SESSION.baseNs), 500_000_000n);
  await replay.seek(replay.duration);
  const { lifecycles, ended } = replay.snapshot();
  assert.equal(ended, true);
  // 2000 faults a second, each 3.2 ms long: those under way at the begin are left out.
  assert.ok(lifecycles.total > 1980 && lifecycles.total <= 2002, `${lifecycles.total}`);
  for (const marker of replay.markers) assert.ok(marker.time >= 0 && marker.time <= replay.duration);
  const middle = await replay.seek(0.3e9).then(() => replay.snapshot());
  await replay.seek(0.9e9);
  await replay.seek(0.3e9);
  assert.deepEqual(replay.snapshot(), middle);
  await replay.close();
  await assert.rejects(openReplay(path, { range: () => ({ from: 50e9, to: 60e9 }) }), /ends at 2\.00/);
});

test('an empty recording can be replayed', async () => {
  const empty = join(directory, 'empty.vmlt');
  const writer = await createRecordingWriter(LIVE_SESSION, await fileSink(empty));
  await writer.end();
  const replay = await openReplay(empty);
  assert.equal(replay.duration, 0);
  assert.equal(replay.atEnd, true);
  assert.equal(await replay.seek(5), true);
  assert.equal(await replay.step(), null);
  assert.match(replay.truncated ?? '', /before the session ended/);
  await replay.close();
});

test('what can be read only once is no file to replay', async () => {
  const pipe = join(directory, 'pipe');
  execFileSync('mkfifo', [pipe]);
  assert.equal(await canReplay(pipe), false);
  assert.equal(await canReplay(path), true);
  assert.equal(await canReplay(join(directory, 'rotated.vmlt')), true, 'its parts may be there');
});

test('what is deleted or appended while it is replayed changes nothing', async () => {
  const rotated = join(directory, 'rotated.vmlt');
  let clock = 0;
  const writer = await createRotatingWriter(LIVE_SESSION, rotated, { maxAgeMs: 500, now: () => clock });
  const batches = liveSession({ seconds: SECONDS });
  for (const batch of batches) {
    clock = (batch.time[0] as number) / 1e6;
    await writer.write(batch);
    if (clock > 1600) break;
  }
  await writer.flush();
  const replay = await openReplay(rotated);
  assert.ok(replay.truncated);
  await replay.seek(replay.duration);
  const end = replay.snapshot();
  await replay.seek(1e9);
  const middle = replay.snapshot();
  for (let part = 1; part <= 2; part++) await rm(partPath(rotated, part));
  await writer.end();
  await replay.seek(0);
  await replay.seek(1e9);
  assert.deepEqual(replay.snapshot(), middle);
  await replay.seek(0.2e9);
  await replay.seek(replay.duration);
  assert.deepEqual(replay.snapshot(), end);
  assert.equal(await replay.step(), null);
  assert.equal(replay.position, replay.duration);
  await replay.close();
});

test('in a long recording, whoever goes back and back again is awaited there', async () => {
  const long = join(directory, 'long.vmlt');
  const writer = await createRecordingWriter(LIVE_SESSION, await fileSink(long));
  for (const batch of liveSession({ seconds: 32 })) await writer.write(batch);
  await writer.end();
  const replay = await openReplay(long);
  const lowest = async (time: number): Promise<number> => {
    let low = Number.POSITIVE_INFINITY;
    const seek = replay.seek(time);
    for (let over = false; !over; ) {
      over = await Promise.race([seek, nextTurn(false)]);
      low = Math.min(low, replay.position);
    }
    return low;
  };
  await replay.seek(replay.duration);
  const began = performance.now();
  assert.ok((await lowest(30e9)) < 5e9, 'the first time it comes from the begin');
  // As long as that took, and more: any command would end what is prepared in the background.
  await sleep(500 + 4 * (performance.now() - began));
  assert.ok((await lowest(30e9 - (replay.duration - 30e9))) > 20e9, 'the second time it does not');
  assert.deepEqual(replay.snapshot(), await naive(long, replay.position));
  await replay.close();
});

test('a replay reads each byte of its file at most twice: once for the time line with all its marks, once to play', async () => {
  const handle = await open(path, 'r');
  const prototype = Object.getPrototypeOf(handle) as FileHandle;
  const { size } = await handle.stat();
  await handle.close();
  const { read } = prototype;
  const kept = join(directory, 'kept.vmlt');
  await copyFile(path, kept);
  const fds = new Set<number>();
  let [bytes, rows] = [0, 0];
  const count = ({ length }: EventBatch): void => {
    rows += length;
  };
  prototype.read = async function (this: FileHandle, ...args: Parameters<typeof read>) {
    const result = await read.apply(this, args);
    fds.add(this.fd);
    bytes += result.bytesRead;
    return result;
  } as typeof read;
  try {
    const replay = await beginReplay(kept, {
      finders: () => [{ push: count, markers: () => [{ time: 7, kind: 'violation', text: 'found' }] }],
    });
    assert.equal(replay.reading, true);
    await replay.surveyed;
    assert.equal(bytes, size, 'once for the time line');
    assert.ok(replay.markers.some(({ time, text }) => time === 7 && text === 'found'));
    const { longest } = replay;
    assert.ok(longest !== null);
    await replay.seek(longest.last - 1);
    await rm(kept);
    await replay.seek(replay.duration);
    assert.deepEqual(replay.snapshot().slowest[0], longest);
    assert.ok(bytes > size && bytes <= 2 * size, `${bytes} bytes of ${size}: and once to play`);
    await replay.close();
  } finally {
    prototype.read = read;
  }
  for await (const { length } of (await openFile(path)).batches()) rows -= length;
  assert.equal(rows, 0, 'marks are made of all rows');
  assert.equal(fds.size, 1);
});
