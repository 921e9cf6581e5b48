// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../src/errors.js';
import { openFile } from '../../src/recording/read/file.js';
import { openStream } from '../../src/recording/read/stream.js';
import { FSYNC_POLICIES, fileSink, type RecordingSink, streamSink } from '../../src/recording/write/sink.js';
import { createRecordingWriter } from '../../src/recording/write/writer.js';
import { chunksOf, MemorySink, plainBatch, type Row, readAll, record, rowsOf, SESSION } from './support.js';

const directory = await mkdtemp(join(tmpdir(), 'vmalocktop-recording-'));
after(() => rm(directory, { recursive: true }));

test('a file is written, read back, and closed', async () => {
  const path = join(directory, 'a.arrows');
  const writer = await createRecordingWriter(SESSION, await fileSink(path));
  await writer.write(plainBatch(9000, 0, true));
  await writer.end();
  const source = await openFile(path);
  assert.deepEqual(source.session, SESSION);
  const rows: Row[] = [];
  for await (const batch of source.batches()) rows.push(...rowsOf(batch));
  assert.deepEqual(rows, rowsOf(plainBatch(9000, 0, true)));
  assert.equal(source.truncated, null);
  await source.close();
});

test('whatever is forced to the disk and when, the file is the same', async () => {
  const files: Buffer[] = [];
  for (const fsync of FSYNC_POLICIES) {
    const path = join(directory, `${fsync}.vmlt`);
    const writer = await createRecordingWriter(SESSION, await fileSink(path, { fsync }));
    for (let i = 0; i < 20; i++) {
      await writer.write(plainBatch(100, i * 100, i === 19));
      await writer.flush();
      if (fsync === 'interval' && i < 3) await sleep(600);
    }
    await writer.end();
    files.push(await readFile(path));
  }
  for (const file of files) assert.deepEqual(file, files[0]);
});

test('a file that must be new is not written over', async () => {
  const path = join(directory, 'there.vmlt');
  await writeFile(path, 'somebody else');
  await assert.rejects(fileSink(path, { exclusive: true }), /the file exists\n?/);
  assert.equal(await readFile(path, 'utf8'), 'somebody else');
});

test('files that cannot be opened say why', async () => {
  await assert.rejects(openFile(join(directory, 'none')), /no such file/);
  await assert.rejects(openFile(directory), /it is a directory/);
  await assert.rejects(fileSink(join(directory, 'no', 'such')), /directory does not exist/);
  await assert.rejects(fileSink(directory), /it is a directory/);
  const path = join(directory, 'text');
  await writeFile(path, 'words, words, words');
  await assert.rejects(openFile(path), (error) => error instanceof UserError && error.what === `cannot read ${path}`);
});

test('a full device is a UserError', async () => {
  const writer = await createRecordingWriter(SESSION, await fileSink('/dev/full')).catch((error: unknown) => error);
  assert.ok(writer instanceof UserError);
  assert.match(writer.message, /no space left/);
});

test('a sink that fails on the way leaves a valid recording behind, and the failure stays', async () => {
  const good = new MemorySink();
  let room = 3;
  const sink: RecordingSink = {
    async write(bytes) {
      if (room-- > 0) return good.write(bytes);
      good.chunks.push(bytes.subarray(0, 100));
      throw new UserError('cannot write', 'no space', 'free some', 2);
    },
    end: () => good.end(),
  };
  const writer = await createRecordingWriter(SESSION, sink);
  for (let i = 0; i < 2; i++) await writer.write(plainBatch(8192, i * 8192));
  await assert.rejects(writer.write(plainBatch(8192, 20000)), /no space/);
  await assert.rejects(writer.write(plainBatch(8192, 30000)), /no space/);
  await assert.rejects(writer.end(), /no space/);
  assert.equal(good.ended, true, 'closed all the same');
  const read = await readAll(chunksOf(good.bytes()));
  assert.equal(read.error, null);
  assert.equal(read.batches.flat().length, 2 * 8192);
  assert.match(read.truncated ?? '', /inside a message, 100 bytes/);
});

test('a pipe whose reader went away is a UserError', async () => {
  const child = spawn('true', { stdio: ['pipe', 'ignore', 'ignore'] });
  await once(child, 'exit');
  const write = async (): Promise<void> => {
    const writer = await createRecordingWriter(SESSION, streamSink(child.stdin, 'the pipe'));
    for (let i = 0; i < 100; i++) {
      await writer.write(plainBatch(8192, i * 8192));
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await assert.rejects(
    write(),
    (error) => error instanceof UserError && /to the pipe: /.test(error.message) && error.exitCode === 2,
  );
});

test('back-pressure: a write settles no sooner than the stream has taken the bytes', async () => {
  const held: (() => void)[] = [];
  const slow = new Writable({ write: (_chunk, _encoding, done) => void held.push(done) });
  let settled = false;
  const opening = createRecordingWriter(SESSION, streamSink(slow, 'slow'));
  const opened = opening.then(() => {
    settled = true;
  });
  while (held.length === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(settled, false);
  held.shift()?.();
  await opened;
  assert.equal(settled, true);
});

test('a stream that still grows gives each batch as it arrives', async () => {
  const pipe = new PassThrough();
  const writer = await createRecordingWriter(SESSION, streamSink(pipe, 'the pipe'));
  const source = await openStream(pipe);
  const batches = source.batches()[Symbol.asyncIterator]();
  for (let i = 0; i < 5; i++) {
    await writer.write(plainBatch(10, i * 10));
    await writer.flush();
    const next = await batches.next();
    assert.ok(!next.done);
    assert.deepEqual(rowsOf(next.value), rowsOf(plainBatch(10, i * 10)));
  }
  const waiting = batches.next();
  await source.close();
  assert.equal((await waiting).done, true, 'closing ends a read that waits');
});

test('errors of the byte source are reported as such', async () => {
  const bytes = await record([plainBatch(10)]);
  const failing = Readable.from(
    (async function* () {
      yield bytes.subarray(0, bytes.length - 8);
      throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
    })(),
  );
  const read = await readAll(failing);
  assert.equal(read.batches.flat().length, 10);
  assert.match(read.error?.message ?? '', /cannot read it: read ECONNRESET/);
});

test('a recorder in another process is read while it writes, and its sudden death costs only what it had not sent', async () => {
  const child = spawn(process.execPath, [fileURLToPath(new URL('growing.js', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const source = await openStream(child.stdout, 'the recorder');
  let rows = 0;
  for await (const batch of source.batches()) {
    assert.equal(batch.time[0], rows * 1000, 'in order, nothing missing');
    rows += batch.length;
    if (rows === 500) child.kill('SIGKILL');
    else child.stdin.write('.');
  }
  assert.equal(rows, 500);
  assert.match(source.truncated ?? '', /cut off/);
});
