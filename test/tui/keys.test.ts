// SPDX-License-Identifier: MIT
/** Each key does what the help says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KEYS } from '../../src/core/view/keys.js';
import { snapshotAt } from './fixture.js';
import { type Harness, open } from './terminal.js';

const UP = '\x1b[A';
const DOWN = '\x1b[B';
const PAGE_UP = '\x1b[5~';
const PAGE_DOWN = '\x1b[6~';
const HOME = '\x1b[H';
const END = '\x1b[F';
const SHIFT_TAB = '\x1b[Z';

async function dashboard(t: { after(f: () => void): void }, rows = 24): Promise<Harness> {
  const harness = await open(80, rows);
  t.after(() => harness.close());
  harness.dashboard.update(snapshotAt(129));
  harness.dashboard.update(snapshotAt(130));
  await harness.settle();
  return harness;
}

const selected = (harness: Harness): string => harness.lines().find((line) => line.includes('▸')) ?? '';

test('arrows, pages, ends move the selection and stay inside', async (t) => {
  const h = await dashboard(t);
  assert.match(selected(h), /\b1000\b/);
  await h.type(DOWN, 'j');
  assert.match(selected(h), /\b1274\b/);
  await h.type(UP);
  assert.match(selected(h), /\b1137\b/);
  await h.type(PAGE_DOWN);
  assert.match(selected(h), /\b1685\b/);
  await h.type(PAGE_UP, 'k', 'k', 'k');
  assert.match(selected(h), /\b1000\b/);
  await h.type(END);
  assert.match(selected(h), /\b4151\b/);
  await h.type(DOWN);
  assert.match(selected(h), /\b4151\b/);
  await h.type('g');
  assert.match(selected(h), /\b1000\b/);
  await h.type('G');
  assert.match(selected(h), /\b4151\b/);
  await h.type(HOME);
  assert.match(selected(h), /\b1000\b/);
});

test('Tab and Shift-Tab go through the tables', async (t) => {
  const h = await dashboard(t);
  assert.match(h.text(), /\[Processes\]/);
  await h.type('\t');
  assert.match(h.text(), /\[Latest faults\]/);
  await h.type('\t');
  assert.match(h.text(), /\[In flight\]/);
  await h.type('\t');
  assert.match(h.text(), /\[Processes\]/);
  await h.type(SHIFT_TAB);
  assert.match(h.text(), /\[In flight\]/);
});

test('s, S and r sort the processes', async (t) => {
  const h = await dashboard(t);
  assert.match(h.text(), /retries▼/);
  await h.type('r');
  assert.match(h.text(), /retries▲/);
  assert.match(selected(h), /\b4151\b/);
  await h.type('s');
  assert.match(h.text(), /abort▲/);
  await h.type('S', 'S');
  assert.match(h.text(), /comm▲/);
});

test('space freezes the view and not the data', async (t) => {
  const h = await dashboard(t);
  await h.type(' ');
  assert.match(h.text(), /PAUSED/);
  h.dashboard.update(snapshotAt(190));
  await h.settle();
  assert.match(h.text(), /00:02:10/);
  await h.type(' ');
  await h.settle();
  assert.match(h.text(), /LIVE/);
  assert.match(h.text(), /00:03:10/);
});

test('/ filters by text and by prefix; Esc drops the filter', async (t) => {
  const h = await dashboard(t);
  await h.type('/', ...'pid:1137');
  assert.match(h.text(), /filter {2}pid:1137/);
  await h.type('\r');
  assert.match(h.text(), /1–1 of 1/);
  assert.match(selected(h), /postgres/);
  await h.type('\x1b');
  await h.settle();
  assert.match(h.text(), /of 24/);
  await h.type('/', ...'nobodyx', '\x7f', '\r');
  assert.match(h.text(), /nothing matches the filter/);
  await h.type('\x1b', '\t', '/', ...'cause:"vma lock"', '\r');
  const rows = h.lines().filter((line) => /^║.*\d\.\d{6}/.test(line));
  assert.ok(rows.length > 0);
  for (const row of rows) assert.match(row, /VMA lock unavailable/);
});

test('letters typed into the filter are no commands', async (t) => {
  const h = await dashboard(t);
  await h.type('/', 'q', '?', ' ', 's');
  assert.deepEqual(h.quits, []);
  assert.match(h.text(), /filter {2}q\? s/);
});

test('Enter shows a fault in full, arrows scroll it, Esc closes it', async (t) => {
  const h = await dashboard(t);
  await h.type('\t', '\r');
  assert.match(h.text(), /One fault/);
  assert.match(h.text(), /Attempts/);
  const first = h.lines()[3];
  await h.type(DOWN);
  assert.notEqual(h.lines()[3], first);
  await h.type('\x1b');
  await h.settle();
  assert.doesNotMatch(h.text(), /One fault/);
});

test('Enter on a process shows its faults', async (t) => {
  const h = await dashboard(t);
  await h.type(DOWN, '\r');
  assert.match(h.text(), /\[Latest faults\]/);
  assert.match(h.text(), /filter {2}pid:1137/);
});

test('+ and - change the interval within bounds', async (t) => {
  const h = await dashboard(t);
  await h.type('+', '+', '-');
  assert.deepEqual(h.intervals, [2000, 5000, 2000]);
  assert.match(h.text(), /2 s/);
  await h.type(...'----------');
  assert.equal(h.intervals.at(-1), 250);
});

test('? lists every key there is; it and Esc close it', async (t) => {
  const h = await dashboard(t);
  await h.type('?');
  for (const { label, help } of KEYS) {
    assert.ok(
      h.lines().some((line) => line.startsWith('║') && line.includes(label) && line.includes(help)),
      help,
    );
  }
  await h.type('?');
  assert.doesNotMatch(h.text(), /╔═ Keys/);
  await h.type('h', '\x1b');
  await h.settle();
  assert.doesNotMatch(h.text(), /╔═ Keys/);
});

for (const [name, key, signal] of [
  ['q', 'q', null],
  ['Ctrl-C', '\x03', 'SIGINT'],
] as const) {
  test(`${name} gives the terminal back, then quits`, async (t) => {
    const h = await dashboard(t);
    await h.type(key);
    assert.deepEqual(h.quits, [signal]);
    assert.ok(h.written().includes('\x1b[?1049h'));
    assert.ok(h.written().lastIndexOf('\x1b[?1049l') > h.written().lastIndexOf('\x1b[?1049h'));
    assert.ok(h.written().lastIndexOf('\x1b[?25h') > h.written().lastIndexOf('\x1b[?25l'));
  });
}

test('a resize draws anew', async (t) => {
  const h = await dashboard(t);
  await h.resize(120, 30);
  assert.equal(h.lines().filter((line) => line.includes('╭─ In flight')).length, 1);
  await h.resize(70, 20);
  assert.match(h.lines()[0] ?? '', /needs 80×24, this is 70×20/);
});

test('ended and cut off are told apart', async (t) => {
  const h = await dashboard(t);
  h.dashboard.sourceEnded();
  await h.settle();
  assert.match(h.text(), /CUT OFF/);
  h.dashboard.update({ ...snapshotAt(131), ended: true });
  await h.settle();
  assert.match(h.text(), /ENDED/);
});

test('without colours the screen says the same', async (t) => {
  const coloured = await dashboard(t);
  const plain = await open(80, 24, { colours: 0 });
  t.after(() => plain.close());
  plain.dashboard.update(snapshotAt(129));
  plain.dashboard.update(snapshotAt(130));
  await plain.settle();
  assert.equal(plain.text(), coloured.text());
  assert.equal(plain.colouredCells(), 0);
  assert.ok(coloured.colouredCells() > 0);
});

test('many snapshots at once are few frames', async (t) => {
  const h = await dashboard(t, 30);
  const before = h.written().length;
  for (let s = 131; s < 1131; s++) h.dashboard.update(snapshotAt(s));
  await h.settle();
  assert.match(h.text(), /00:18:50/);
  // A frame that changes every figure is at most the whole screen a few times over.
  assert.ok(h.written().length - before < 3 * 80 * 30 * 4, `${h.written().length - before} bytes`);
});
