// SPDX-License-Identifier: MIT
/** What the dashboard does without a key: alerts, sizes, colours, the end of the session; and how it leaves the terminal. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadRules } from '../../src/actions/rules.js';
import { RULES } from './bundled.js';
import { snapshotAt } from './fixture.js';
import { dashboard } from './live-dashboard.js';
import { open } from './terminal.js';

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
