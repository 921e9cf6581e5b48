// SPDX-License-Identifier: MIT
/** Keys that take something out of the dashboard: the clipboard, exports, recordings. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { snapshotAt } from './fixture.js';
import { CSV_KEY, DOWN, UP } from './key-names.js';
import { dashboard } from './live-dashboard.js';
import { open } from './terminal.js';

test('c sends the row to the clipboard as text', async (t) => {
  const h = await dashboard(t);
  const sent = (): string =>
    Buffer.from(h.written().split('\x1b]52;c;').at(-1)?.split('\x07')[0] ?? '', 'base64').toString();
  await h.type('2', DOWN, 'c');
  assert.match(sent(), /^pid 1137 {2}comm postgres {2}retries 3\.96k/);
  assert.match(h.text(), /sent to the clipboard: pid 1137/);
  await h.type(UP);
  assert.doesNotMatch(h.text(), /sent to the clipboard/);
  await h.type('7', '\r', 'c');
  assert.match(sent(), /Attempts\n1\. under VMA lock/);
});

test('x exports the list, all of it and as values', async (t) => {
  const saved: [string, string, string][] = [];
  const h = await open(80, 24, {
    save: (name, extension, text) => {
      saved.push([name, extension, text]);
      return Promise.resolve(`${name}.${extension}`);
    },
  });
  t.after(() => h.close());
  h.dashboard.update(snapshotAt(130));
  await h.settle();
  await h.type('2', '/', ...'comm:postgres', '\r', 'x', 'j');
  assert.match(h.text(), /written: processes\.json/);
  const document = JSON.parse(saved[0]?.[2] ?? '') as { v: number; filter: string; rows: { pid: number }[] };
  assert.equal(document.v, 1);
  assert.deepEqual(
    document.rows.map((row) => row.pid),
    [1137, 2507, 3877],
  );
  await h.type('\x1b', '7', 'x', CSV_KEY);
  const lines = saved[1]?.[2].split('\r\n') ?? [];
  assert.match(
    lines[0] ?? '',
    /^time,tid,comm,address,cause,attempts,folioWait,mmapWait,userfaultWait,total_lo,total_hi/,
  );
  assert.equal(lines.length, 62);
  await h.type('\r', 'x', CSV_KEY);
  assert.match(h.text(), /one fault is not a table/);
  await h.type('x', 'j');
  assert.equal(typeof JSON.parse(saved[2]?.[2] ?? '').fault.tid, 'number');
  await h.type('x', '\x1b');
  assert.equal(saved.length, 3);
});

test('what cannot be saved is said', async (t) => {
  const h = await open(80, 24, {
    save: () => Promise.reject(new Error('cannot write x.json: no space left on device')),
  });
  t.after(() => h.close());
  h.dashboard.update(snapshotAt(130));
  await h.settle();
  await h.type('x', 'j');
  assert.match(h.text(), /cannot write x\.json: no space left/);
});

test('w starts and stops a recording, and the header says so', async (t) => {
  let file: string | null = null;
  const recorder = {
    get file() {
      return file;
    },
    toggle: async (): Promise<string> => {
      file = file === null ? 'a.vmlt' : null;
      return file === null ? 'recorded 5 rows to a.vmlt' : 'recording to a.vmlt; w ends it';
    },
  };
  const h = await open(80, 24, { recorder });
  t.after(() => h.close());
  h.dashboard.update(snapshotAt(130));
  await h.type('w');
  assert.match(h.text(), /recording to a\.vmlt/);
  assert.match(h.text(), /● REC/);
  await h.type('w');
  assert.match(h.text(), /recorded 5 rows/);
  assert.doesNotMatch(h.text(), /● REC/);
});
