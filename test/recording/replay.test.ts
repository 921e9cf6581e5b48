// SPDX-License-Identifier: MIT
/** Replay: the same position gives the same snapshot, whichever way it was reached. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { openReplay } from '../../src/recording/play/player.js';
import { MAX_SPEED, MIN_SPEED } from '../../src/recording/play/replay.js';
import { fileSink } from '../../src/recording/write/sink.js';
import { createRecordingWriter } from '../../src/recording/write/writer.js';
import { LIVE_SESSION, liveSession } from './live-session.js';
import { directory, GOLDEN, naive, path, writeSession } from './replayed.js';

before(writeSession);
after(() => rm(directory, { recursive: true }));

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
