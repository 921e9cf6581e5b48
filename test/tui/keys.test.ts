// SPDX-License-Identifier: MIT
/** Each key does what the help says, on a live session. What steers a replay is in replay.test.ts; what leaves the dashboard in keys-out.test.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keysOf } from '../../src/core/view/keys.js';
import { VIEWS } from '../../src/core/view/state.js';
import { VIEW_TITLES } from '../../src/core/view/titles.js';
import { snapshotAt } from './fixture.js';
import { emptySnapshot } from './fixture-empty.js';
import { DOWN, END, HOME, PAGE_DOWN, PAGE_UP, SHIFT_TAB, UP } from './key-names.js';
import { dashboard } from './live-dashboard.js';
import { type Harness, open } from './terminal.js';

const selected = (harness: Harness): string => harness.lines().find((line) => line.includes('▸')) ?? '';

test('1 to 9 show the views, Tab and Shift-Tab go through them', async (t) => {
  const h = await dashboard(t);
  for (const [i, view] of VIEWS.entries()) {
    await h.type(String(i + 1));
    assert.match(h.lines()[2] ?? '', new RegExp(`\\[${i + 1}${VIEW_TITLES[view]}\\]?`), view);
  }
  await h.type('\t');
  assert.match(h.lines()[2] ?? '', /\[1Overview\]/);
  await h.type(SHIFT_TAB, SHIFT_TAB);
  assert.match(h.lines()[2] ?? '', /\[8Alerts\]/);
});

test('arrows, pages, ends move the selection and stay inside', async (t) => {
  const h = await dashboard(t);
  await h.type('2');
  assert.match(selected(h), /\b1000\b/);
  await h.type(DOWN, 'j');
  assert.match(selected(h), /\b1274\b/);
  await h.type(UP);
  assert.match(selected(h), /\b1137\b/);
  await h.type(PAGE_DOWN);
  assert.match(selected(h), /\b3055\b/);
  await h.type(PAGE_UP, 'k', 'k', 'k');
  assert.match(selected(h), /\b1000\b/);
  await h.type(END);
  assert.match(selected(h), /\b4151\b/);
  await h.type(DOWN);
  assert.match(selected(h), /\b4151\b/);
  await h.type(HOME);
  assert.match(selected(h), /\b1000\b/);
});

test('a selection follows its row, and at the top it stays at the top', async (t) => {
  const h = await dashboard(t);
  await h.type('7', DOWN, DOWN);
  const before = selected(h);
  assert.match(before, /▸ +\d+\.\d{6}/);
  h.dashboard.update(snapshotAt(130.5));
  await h.settle();
  assert.equal(selected(h), before);
  await h.type(HOME);
  const top = selected(h);
  h.dashboard.update(snapshotAt(131));
  await h.settle();
  assert.notEqual(selected(h), top);
});

test('l goes through the lists of a view', async (t) => {
  const h = await dashboard(t);
  await h.type('7');
  assert.match(h.text(), /╔═ \[Latest\] Slowest/);
  await h.type('l');
  assert.match(h.text(), /╔═ Latest \[Slowest\]/);
  await h.type('l');
  assert.match(h.text(), /╔═ In flight/);
});

test('s, S and r sort the list at hand', async (t) => {
  const h = await dashboard(t);
  await h.type('2');
  assert.match(h.text(), /retries▼/);
  await h.type('r');
  assert.match(h.text(), /retries▲/);
  assert.match(selected(h), /\b4151\b/);
  await h.type('s', 's');
  assert.match(h.text(), /abort▲/);
  await h.type('S', 'S', 'S');
  assert.match(h.text(), /comm▲/);
  await h.type('4', 's', 's');
  assert.match(h.text(), /cost▼/);
  // Each list has an order of its own.
  await h.type('2');
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
  assert.match(h.text(), /LIVE/);
  assert.match(h.text(), /00:03:10/);
});

test('/ filters every list, by text and by prefix; Esc drops the filter', async (t) => {
  const h = await dashboard(t);
  await h.type('2', '/', ...'pid:1137');
  assert.match(h.text(), /▸ +1137 postgres/);
  await h.type('\r');
  assert.match(h.text(), /filter {2}pid:1137/);
  assert.match(h.text(), /1–1 of 1/);
  await h.type('3');
  assert.match(h.text(), /1–1 of 1/);
  assert.match(selected(h), /postgres/);
  await h.type('\x1b');
  assert.match(h.text(), /of 14/);
  await h.type('2', '/', ...'nobodyx', '\x7f', '\r');
  assert.match(h.text(), /nothing matches the filter/);
  await h.type('\x1b', '7', '/', ...'cause:"vma lock"', '\r');
  const rows = h.lines().filter((line) => /^║.*\d\.\d{6}/.test(line));
  assert.ok(rows.length > 0);
  for (const row of rows) assert.match(row, /VMA lock unavailable/);
  await h.type('\x1b', '3', '/', ...'vma:7f3a5c3fffff', '\r');
  assert.match(h.text(), /1–1 of 1/);
  await h.type('\x1b', '2', '/', ...'cgroup:redis-4.service', '\r');
  assert.match(selected(h), /\b1548\b/);
});

test('letters typed into the filter are no commands', async (t) => {
  const h = await dashboard(t);
  await h.type('/', 'q', '?', ' ', 's', '1');
  assert.deepEqual(h.quits, []);
  assert.match(h.text(), /filter {2}q\? s1/);
  assert.match(h.lines()[2] ?? '', /\[1Overview\]/);
});

test('Enter shows a fault in full, arrows scroll it, Esc closes it', async (t) => {
  const h = await dashboard(t);
  await h.type('7', '\r');
  assert.match(h.text(), /One fault/);
  assert.match(h.text(), /1 VMA lock +│/);
  const fourth = h.lines()[6];
  await h.type(DOWN);
  assert.notEqual(h.lines()[6], fourth);
  await h.type('\x1b');
  assert.doesNotMatch(h.text(), /One fault/);
});

test('Enter on a process, a VMA and a cause leads to their faults', async (t) => {
  const h = await dashboard(t);
  await h.type('2', DOWN, '\r');
  assert.match(h.lines()[2] ?? '', /\[7Lifecycles\]/);
  assert.match(h.text(), /filter {2}pid:1137/);
  await h.type('\x1b', '3', '\r');
  assert.match(h.text(), /filter {2}pid:1000 vma:7f3a1c000000/);
  await h.type('\x1b', '4', '\r');
  assert.match(h.text(), /One fault/);
});

test('a fault in flight that is open has a running clock, and shows its end', async (t) => {
  const h = await dashboard(t);
  await h.type('7', 'l', 'l', '\r');
  assert.match(h.text(), /4 s so far/);
  const now = snapshotAt(130);
  const [first] = now.inFlight;
  assert.ok(first !== undefined);
  h.dashboard.update({ ...now, time: now.time + 3e9, inFlight: [first] });
  await h.settle();
  assert.match(h.text(), /7 s so far/);
  // Not in any list any more: the clock stands.
  h.dashboard.update({ ...now, time: now.time + 9e9, inFlight: [] });
  await h.settle();
  assert.match(h.text(), /7 s so far/);
  const ended = { ...first, how: 'ok-mmap' as const, end: now.time + 10e9, last: now.time + 10e9 };
  h.dashboard.update({ ...now, time: now.time + 11e9, inFlight: [], latest: [ended] });
  await h.settle();
  assert.match(h.text(), /ended +ok-mmap/);
});

test('a changes the axis of time', async (t) => {
  const h = await dashboard(t);
  await h.type('5', 'a');
  const whole = h.text();
  await h.type('a');
  assert.notEqual(h.text(), whole);
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
  const h = await dashboard(t, 50);
  await h.type('?');
  for (const { label, help } of keysOf('live')) {
    assert.ok(
      h.lines().some((line) => line.startsWith('║') && line.includes(label) && line.includes(help)),
      help,
    );
  }
  assert.doesNotMatch(h.text(), /seek/);
  await h.type('?');
  assert.doesNotMatch(h.text(), /╔═ Keys/);
  await h.type('h', '\x1b');
  assert.doesNotMatch(h.text(), /╔═ Keys/);
});

test('the help scrolls where it does not fit', async (t) => {
  const h = await dashboard(t);
  await h.type('?');
  assert.match(h.text(), /1–18 of 33 lines/);
  assert.doesNotMatch(h.text(), /our programs and our process/);
  await h.type(DOWN, DOWN);
  assert.match(h.text(), /3–20 of 33 lines/);
  await h.type(END);
  assert.match(h.text(), /our programs and our process/);
});

test('every key in every view over no data does no harm', async (t) => {
  const h = await open(80, 24);
  t.after(() => h.close());
  const keys = keysOf('live')
    .filter(({ action }) => action !== 'quit' && action !== 'suspend' && action !== 'filter')
    .flatMap((binding) => binding.keys);
  const sequences: Readonly<Record<string, string>> = {
    up: UP,
    down: DOWN,
    pageup: PAGE_UP,
    pagedown: PAGE_DOWN,
    home: HOME,
    end: END,
    tab: '\t',
    'S-tab': SHIFT_TAB,
    enter: '\r',
    escape: '\x1b',
    space: ' ',
    'S-s': 'S',
  };
  for (const snapshot of [null, emptySnapshot()]) {
    if (snapshot !== null) h.dashboard.update(snapshot);
    for (const key of keys) await h.type(sequences[key] ?? key, '\x1b', '\x1b');
    assert.doesNotMatch(h.text(), /NaN|undefined|Infinity|\[object/);
  }
  assert.deepEqual(h.quits, []);
});
