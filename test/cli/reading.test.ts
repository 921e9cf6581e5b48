// SPDX-License-Identifier: MIT
/** The progress of reading a recording is shown on a terminal, in percent and time, and nowhere else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { readingLine, readingText } from '../../cli/common/reading.js';
import { openFile } from '../../src/recording/read/file.js';
import { run } from './run.js';

const FILE = fileURLToPath(new URL('../../../test/golden/swap-7.3.vmlt', import.meta.url));

function terminal(isTTY: boolean, columns = 80): { stream: NodeJS.WriteStream; written: string[] } {
  const written: string[] = [];
  const stream = { isTTY, columns, write: (text: string) => written.push(text) > 0 };
  return { stream: stream as unknown as NodeJS.WriteStream, written };
}

test('percent and the time left, by how long it took so far', () => {
  assert.equal(readingText('a.vmlt', 25, 100, 3000), 'reading a.vmlt: 25%, 9 s left');
  assert.equal(readingText('a.vmlt', 0, 100, 3000), 'reading a.vmlt: 0%');
  assert.equal(readingText('a\x1b[2J.vmlt', 100, 100, 1), 'reading a?[2J.vmlt: 100%, 0 ns left');
  // A file that grows is read beyond what it was.
  assert.match(readingText('a.vmlt', 300, 100, 3000), /: 100%/);
});

test('a terminal is told after half a second, on one line that fits, which is gone at the end', (t) => {
  let clock = 1000;
  t.mock.method(performance, 'now', () => clock);
  const { stream, written } = terminal(true, 20);
  const line = readingLine('/x/a-recording-of-a-long-name.vmlt', stream);
  line.read(1, 100);
  assert.deepEqual(written, [], 'what is read at once needs no word');
  clock += 520;
  line.read(10, 100);
  line.read(11, 100);
  assert.equal(written.length, 1, 'five a second at most');
  assert.equal(written[0], '\r\x1b[Kreading a-recording');
  line.end();
  assert.equal(written[1], '\r\x1b[K');
  clock += 250;
  line.read(12, 100);
  line.end();
  assert.equal(written.length, 2);
});

test('a pipe gets nothing; nor does a terminal of what was read at once', async () => {
  const pipe = terminal(false);
  const line = readingLine(FILE, pipe.stream);
  await sleep(520);
  line.read(10, 100);
  line.end();
  assert.deepEqual(pipe.written, []);
  const { stderr } = await run(['stat', FILE]);
  assert.equal(stderr, '');
});

test('bytes add up to the size of the file, and the end is told once the source is closed', async () => {
  const told: [number, number][] = [];
  let ends = 0;
  const source = await openFile(FILE, { onRead: (done, total) => told.push([done, total]), onDone: () => ends++ });
  for await (const batch of source.batches()) assert.ok(batch.length >= 0);
  await source.close();
  const [done, total] = told.at(-1) ?? [0, 1];
  assert.equal(done, total);
  assert.ok(ends >= 1);
});
