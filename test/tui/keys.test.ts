// SPDX-License-Identifier: MIT
/** Each key does what the help says, on a live session. What steers a replay is in replay.test.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadRules } from '../../src/actions/rules.js';
import { keysOf } from '../../src/core/view/keys.js';
import { VIEWS } from '../../src/core/view/state.js';
import { VIEW_TITLES } from '../../src/core/view/titles.js';
import { RULES } from './bundled.js';
import { snapshotAt } from './fixture.js';
import { emptySnapshot } from './fixture-empty.js';
import { CSV_KEY, DOWN, END, HOME, PAGE_DOWN, PAGE_UP, SHIFT_TAB, UP } from './key-names.js';
import { type Harness, open } from './terminal.js';

async function dashboard(t: { after(f: () => void): void }, rows = 24, columns = 80): Promise<Harness> {
  const harness = await open(columns, rows);
  t.after(() => harness.close());
  harness.dashboard.update(snapshotAt(129));
  harness.dashboard.update(snapshotAt(130));
  await harness.settle();
  return harness;
}

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

for (const [name, key, signal] of [
  ['q', 'q', null],
  ['Ctrl-C', '\x03', 'SIGINT'],
] as const) {
  test(`${name} gives the terminal back, then quits`, async (t) => {
    const h = await dashboard(t);
    await h.type(key);
    assert.deepEqual(h.quits, [signal]);
    const written = h.written();
    for (const [on, off] of [
      ['\x1b[?1049h', '\x1b[?1049l'],
      ['\x1b[?25l', '\x1b[?25h'],
      ['\x1b[?1000h', '\x1b[?1000l'],
      ['\x1b[?1006h', '\x1b[?1006l'],
    ] as const) {
      assert.ok(written.includes(on), JSON.stringify(on));
      assert.ok(written.lastIndexOf(off) > written.lastIndexOf(on), JSON.stringify(off));
    }
  });
}

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

test('an alert that fires marks its view, says so and rings, once', async (t) => {
  const h = await dashboard(t);
  const bells = (): number => h.written().split('\x07').length - 1;
  assert.equal(bells(), 0);
  h.dashboard.watch(await loadRules(RULES));
  for (let seconds = 131; seconds < 141; seconds++) h.dashboard.update(snapshotAt(seconds));
  await h.settle();
  assert.match(h.lines()[2] ?? '', /▲Alerts/);
  assert.match(h.lines()[23] ?? '', /firing/);
  assert.ok(bells() > 0);
  const rung = bells();
  h.dashboard.update(snapshotAt(141));
  await h.settle();
  assert.equal(bells(), rung);
  await h.type('8');
  assert.match(h.text(), /▲ FIRING +stuck-fault/);
  await h.type('\r');
  assert.match(h.text(), /filter {2}pid:"/);
});

test('a resize draws anew', async (t) => {
  const h = await dashboard(t);
  await h.resize(160, 45);
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

test('without colours, and with sixteen, every view says the same', async (t) => {
  const coloured = await dashboard(t);
  const others = [await open(80, 24, { colours: 0 }), await open(80, 24, { colours: 16 })] as const;
  for (const other of others) {
    t.after(() => other.close());
    other.dashboard.update(snapshotAt(129));
    other.dashboard.update(snapshotAt(130));
  }
  for (const key of '123456789') {
    await coloured.type(key);
    for (const other of others) {
      await other.type(key);
      assert.equal(other.text(), coloured.text());
    }
    assert.equal(others[0].colouredCells(), 0);
    assert.ok(coloured.colouredCells() > 0);
  }
});

test('many snapshots at once are few frames', async (t) => {
  const h = await dashboard(t, 30);
  const before = h.written().length;
  for (let s = 131; s < 431; s++) h.dashboard.update(snapshotAt(s));
  await h.settle();
  assert.match(h.text(), /00:07:10/);
  // A frame that changes every figure is at most the whole screen a few times over.
  assert.ok(h.written().length - before < 3 * 80 * 30 * 4, `${h.written().length - before} bytes`);
});
