// SPDX-License-Identifier: MIT
/** What is read for a replay: its marks, its range, and what happens to the files meanwhile. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFile, copyFile, type FileHandle, open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { EventBatch } from '../../src/core/events/batch.js';
import { UserError } from '../../src/errors.js';
import { partPath } from '../../src/recording/format/files.js';
import { beginReplay, canReplay, openReplay } from '../../src/recording/play/player.js';
import type { Replay } from '../../src/recording/play/replay.js';
import { openFile } from '../../src/recording/read/file.js';
import { createRotatingWriter } from '../../src/recording/write/rotate.js';
import { fileSink } from '../../src/recording/write/sink.js';
import { createRecordingWriter } from '../../src/recording/write/writer.js';
import { LIVE_SESSION, liveSession } from './live-session.js';
import { directory, GOLDEN, naive, path, SECONDS, writeSession } from './replayed.js';

before(writeSession);
after(() => rm(directory, { recursive: true }));

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
