// SPDX-License-Identifier: MIT
/** Files that still grow, in one piece and in parts. */
import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { partPath } from '../../src/recording/format/files.js';
import { openFile } from '../../src/recording/read/file.js';
import type { Recording } from '../../src/recording/read/reader.js';
import { createRotatingWriter } from '../../src/recording/write/rotate.js';
import { fileSink } from '../../src/recording/write/sink.js';
import { createRecordingWriter } from '../../src/recording/write/writer.js';
import { patience } from '../pace.js';
import { LIVE_SESSION, liveSession } from './live-session.js';
import { plainBatch, record, SESSION } from './support.js';

const directory = await mkdtemp(join(tmpdir(), 'vmalocktop-follow-'));
after(() => rm(directory, { recursive: true }));

/** Reads on its own; `rows` so far, and how it ended. */
function reading(source: Recording): { rows: number; done: Promise<unknown> } {
  const state = { rows: 0, done: Promise.resolve<unknown>(null) };
  state.done = (async () => {
    for await (const batch of source.batches()) state.rows += batch.length;
    return null;
  })().catch((error: unknown) => error);
  return state;
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let waited = 0; !condition(); waited += 10) {
    assert.ok(waited < patience(5000), what);
    await sleep(10);
  }
}

test('a file is followed while it grows, message by message, until the session has ended', async () => {
  const path = join(directory, 'grows.vmlt');
  const writer = await createRecordingWriter(SESSION, await fileSink(path));
  const source = await openFile(path, { follow: true });
  const read = reading(source);
  for (let i = 1; i <= 3; i++) {
    await writer.write(plainBatch(10, i * 10));
    await writer.flush();
    await until(() => read.rows === i * 10, `${read.rows} rows of ${i * 10}`);
  }
  await writer.write(plainBatch(5, 40, true));
  await writer.end();
  assert.equal(await read.done, null);
  assert.equal(read.rows, 35);
  assert.equal(source.truncated, null);
});

test('a message of which only a part is there is waited for', async () => {
  const path = join(directory, 'slow.vmlt');
  const bytes = await record([plainBatch(10), plainBatch(10, 10, true)]);
  await writeFile(path, bytes.subarray(0, bytes.length - 200));
  const source = await openFile(path, { follow: true });
  const read = reading(source);
  await until(() => read.rows === 10, 'the first message');
  await sleep(250);
  assert.equal(read.rows, 10);
  await appendFile(path, bytes.subarray(bytes.length - 200));
  assert.equal(await read.done, null);
  assert.equal(read.rows, 20);
});

test('without follow, the same file is cut off', async () => {
  const path = join(directory, 'cut.vmlt');
  const bytes = await record([plainBatch(10), plainBatch(10, 10, true)]);
  await writeFile(path, bytes.subarray(0, bytes.length - 200));
  const source = await openFile(path);
  const read = reading(source);
  assert.equal(await read.done, null);
  assert.equal(read.rows, 10);
  assert.match(source.truncated ?? '', /inside a message/);
});

test('closing ends the wait', async () => {
  const path = join(directory, 'closed.vmlt');
  const bytes = await record([plainBatch(10)]);
  await writeFile(path, bytes.subarray(0, bytes.length - 8));
  const source = await openFile(path, { follow: true });
  const read = reading(source);
  await until(() => read.rows === 10, 'the message');
  await source.close();
  assert.equal(await read.done, null);
});

test('a file that becomes shorter is another recording', async () => {
  const path = join(directory, 'shrunk.vmlt');
  const bytes = await record([plainBatch(10)]);
  await writeFile(path, bytes.subarray(0, bytes.length - 8));
  const source = await openFile(path, { follow: true });
  const read = reading(source);
  await until(() => read.rows === 10, 'the message');
  await truncate(path, 100);
  assert.match(String(await read.done), /cannot follow .*shrunk.vmlt: it became shorter/);
});

test('parts are followed one into the next, and what is deleted meanwhile is read all the same', async () => {
  const path = join(directory, 'parts.vmlt');
  let clock = 0;
  const writer = await createRotatingWriter(LIVE_SESSION, path, { maxAgeMs: 300, keep: 2, now: () => clock });
  const source = await openFile(path, { follow: true });
  const read = reading(source);
  let rows = 0;
  for (const batch of liveSession({ seconds: 1.5 })) {
    clock = (batch.time[0] as number) / 1e6;
    rows += batch.length;
    await writer.write(batch);
    await writer.flush();
    // A reader that is not further behind than one part misses nothing.
    await until(() => read.rows >= rows - 1024, `${read.rows} rows of ${rows}`);
  }
  await writer.end();
  assert.equal(await read.done, null);
  assert.equal(source.truncated, null);
  assert.ok(source.parts >= 4, `${source.parts} parts`);
  // The names are said again in each part.
  assert.ok(read.rows >= rows && read.rows < rows + 30 * source.parts, `${read.rows} of ${rows}`);
  await assert.rejects(readFile(partPath(path, 1)), /ENOENT/);
});
