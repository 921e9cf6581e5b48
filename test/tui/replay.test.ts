// SPDX-License-Identifier: MIT
/** The keys that steer a replay, and the mouse, over the bundled recording. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTime } from '../../cli/tui/playback.js';
import { keysOf } from '../../src/core/view/keys.js';
import { openReplay } from '../../src/recording/play/player.js';
import type { Replay } from '../../src/recording/play/replay.js';
import type { Marker, MarkFinder } from '../../src/recording/read/marks.js';
import { patience } from '../pace.js';
import { bundledRecording } from './bundled.js';
import { DOWN, LEFT, RIGHT, UP } from './key-names.js';
import { type Harness, open } from './terminal.js';

interface Shown {
  readonly replay: Replay;
  readonly h: Harness;
}

async function shown(
  t: { after(f: () => Promise<void>): void },
  columns = 100,
  rows = 30,
  markers: readonly Marker[] = [],
): Promise<Shown> {
  const finders = (): readonly MarkFinder[] => [{ push() {}, markers: () => markers }];
  const replay = await openReplay(bundledRecording(), { finders });
  const h = await open(columns, rows, { mode: 'replay', replay });
  t.after(async () => {
    h.close();
    await replay.close();
  });
  void h.dashboard.playback?.seek(replay.duration);
  await h.until(/■ END/);
  return { replay, h };
}

/** Where the line of the time bar says it stands, in tenths of a second. */
function position(h: Harness): number {
  const [, hours, minutes, seconds] = / (\d\d):(\d\d):(\d\d\.\d) ├/.exec(h.text()) ?? [];
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
}

test('← and → seek by a part of the recording, keys held down add up', async (t) => {
  const { replay, h } = await shown(t);
  const end = replay.duration;
  await h.type(LEFT);
  await h.until(/‖ PAUSED/);
  assert.ok(Math.abs(replay.position - 0.98 * end) < 1e6);
  await h.type(LEFT, LEFT, LEFT, LEFT);
  while (replay.seeking !== null) await h.settle();
  assert.ok(Math.abs(replay.position - 0.9 * end) < 1e6, String(replay.position / end));
  await h.type(RIGHT);
  while (replay.seeking !== null) await h.settle();
  await h.settle();
  assert.ok(Math.abs(replay.position - 0.92 * end) < 1e6);
  assert.ok(Math.abs(position(h) - (0.92 * end) / 1e9) < 0.11, h.text());
});

test('what is shown after a seek is what was shown there before', async (t) => {
  const { h } = await shown(t);
  await h.type('g', '2', '\r');
  await h.until(/‖ PAUSED/);
  await h.until(/00:00:02\.0 ├/);
  const there = h.text();
  await h.type('g', '5', '\r');
  await h.until(/00:00:05\.0 ├/);
  assert.notEqual(h.text(), there);
  await h.type('g', '2', '\r');
  await h.until(/00:00:02\.0 ├/);
  await h.settle();
  assert.equal(h.text(), there);
});

test('space plays on and pauses; at the end it begins anew', async (t) => {
  const { replay, h } = await shown(t);
  await h.type('g', '1', '\r');
  await h.until(/‖ PAUSED/);
  await h.type(' ');
  await h.until(/▶ REPLAY/);
  const from = replay.position;
  for (let waited = 0; waited < patience(5000) && replay.position < from + 100e6; waited += 20)
    await new Promise((r) => setTimeout(r, 20));
  await h.type(' ');
  await h.until(/‖ PAUSED/);
  assert.ok(replay.position > from);
  await h.type('g', ...'-0', '\r');
  await h.until(/■ END/);
  await h.type(' ');
  await h.until(/▶ REPLAY/);
  assert.ok(replay.position < replay.duration / 2);
});

test('[ and ] go through the speeds, to their ends', async (t) => {
  const { replay, h } = await shown(t);
  await h.type(']');
  assert.match(h.text(), / 2×/);
  await h.type(...']]]]]]]]');
  assert.equal(replay.speed, 100);
  assert.match(h.text(), / 100×/);
  await h.type(...'[[[[[[[[[[[[');
  assert.equal(replay.speed, 0.1);
  assert.match(h.text(), / 0\.1×/);
});

test('. goes on to the end of one more fault', async (t) => {
  const { replay, h } = await shown(t);
  await h.type('g', '1', '\r');
  await h.until(/00:00:01\.0 ├/);
  const ended = (): number => {
    const { total, byEnd } = replay.snapshot().lifecycles;
    return total - byEnd['in-flight'];
  };
  const before = ended();
  await h.type('.');
  for (let i = 0; i < 1000 && ended() === before; i++) await h.settle();
  assert.equal(ended(), before + 1);
  assert.equal(replay.paused, true);
});

test('g takes a time, and says what is none', async (t) => {
  const { h } = await shown(t);
  await h.type('g', ...'half', '\r');
  assert.match(h.text(), /no time: half/);
  await h.type('g', '3', '\x1b');
  assert.match(h.text(), /■ END/);
  assert.equal(parseTime('12.5', 1e12), 12.5e9);
  assert.equal(parseTime('1:02', 1e12), 62e9);
  assert.equal(parseTime('1:00:02.5s', 1e13), 3602.5e9);
  assert.equal(parseTime('-3', 10e9), 7e9);
  for (const text of ['', 'x', '1:2:3:4', '-', '1e3']) assert.equal(parseTime(text, 1e9), null, text);
});

test('n and N go to markers, and say what each is', async (t) => {
  const { replay, h } = await shown(t, 100, 30, [
    { time: 1e9, kind: 'alert', text: 'first of ours' },
    { time: 3.25e9, kind: 'violation', text: 'rule 7 of ours' },
  ]);
  await h.type('g', '3', '.', '2', '\r');
  await h.until(/00:00:03\.2 ├/);
  await h.type('n');
  await h.until(/violation: rule 7 of ours/);
  assert.equal(replay.position, 3.25e9);
  assert.match(h.text(), /[━─]●/);
  await h.type('g', '1', '.', '2', '\r');
  await h.until(/00:00:01\.2 ├/);
  await h.type('N');
  await h.until(/alert: first of ours/);
  assert.equal(replay.position, 1e9);
  await h.type('g', '0', '\r');
  await h.until(/00:00:00\.0 ├/);
  assert.match(h.text(), /├●[^┤]*▲[^┤]*✗[^┤]*┤/);
  await h.type('N');
  await h.until(/no marker before this/);
});

test('the help of a replay lists what steers it, and no recording', async (t) => {
  const { h } = await shown(t, 100, 60);
  await h.type('?');
  for (const { label, help } of keysOf('replay')) {
    assert.ok(
      h.lines().some((line) => line.startsWith('║') && line.includes(label) && line.includes(help)),
      help,
    );
  }
  assert.doesNotMatch(h.text(), /start or stop recording/);
});

test('a click on the time bar seeks there', async (t) => {
  const { replay, h } = await shown(t);
  const line = h.lines()[28] ?? '';
  const [from, to] = [line.indexOf('├') + 1, line.indexOf('┤')];
  await h.click(Math.floor((from + to) / 2), 28);
  await h.until(/‖ PAUSED/);
  assert.ok(Math.abs(replay.position / replay.duration - 0.5) < 0.02);
});

test('clicks choose a view, a list, a row, a column to sort by; the wheel moves', async (t) => {
  const { h } = await shown(t);
  const at = (text: string): [number, number] => {
    const y = h.lines().findIndex((line) => line.includes(text));
    return [(h.lines()[y] ?? '').indexOf(text), y];
  };
  await h.click(...at('7 Lifecycles'));
  assert.match(h.lines()[2] ?? '', /\[7 Lifecycles\]/);
  await h.click(...at('Slowest'));
  assert.match(h.text(), /Latest \[Slowest\]/);
  await h.click(...at('tid comm'));
  assert.match(h.text(), /tid▼/);
  await h.click(...at('tid▼'));
  assert.match(h.text(), /tid▲/);
  const row = h.lines().findIndex((line) => line.includes('▸'));
  await h.click(20, row + 2);
  assert.match(h.lines()[row + 2] ?? '', /▸/);
  await h.wheel(20, row, 1);
  assert.match(h.lines()[row + 3] ?? '', /▸/);
  await h.wheel(20, row, -1);
  assert.match(h.lines()[row + 2] ?? '', /▸/);
  // A click on the selected row opens it.
  await h.click(20, row + 2);
  assert.match(h.text(), /One fault/);
});

test('a fault in flight shows what it waits for and what it holds, and a growing time', async (t) => {
  const { replay, h } = await shown(t, 160, 45);
  const wait = replay
    .snapshot()
    .slowest.flatMap((fault) => fault.waits.filter((w) => w.kind === 'folio').map((w) => ({ fault, w })))
    .find(({ w }) => w.end - w.start > 5e6);
  assert.ok(wait !== undefined, 'the recording has a long wait for a folio');
  const { fault, w } = wait;
  const times: string[] = [];
  for (const part of [0.4, 0.8]) {
    const time = ((w.start + part * (w.end - w.start)) / 1e9).toFixed(6);
    await h.type('7', 'g', ...time, '\r');
    await h.until(/PAUSED/);
    while (replay.seeking !== null || Math.abs(replay.position / 1e9 - Number(time)) > 1e-4) await h.settle();
    await h.settle();
    const line = h.lines().find((text) => new RegExp(`^. +▸? *${fault.tid} .*folio lock`).test(text)) ?? '';
    assert.match(line, /none +waits for a folio lock, holds no lock +folio locked …/, h.text());
    times.push(/([\d.]+) ms/.exec(line)?.[1] ?? '');
  }
  assert.ok(Number(times[1]) > Number(times[0]), times.join(' '));
});

test('a resize storm ends in the right screen', async (t) => {
  const { h } = await shown(t, 120, 30);
  const before = h.text();
  for (let i = 0; i < 12; i++) await h.resize(80 + 13 * (i % 7), 24 + 5 * (i % 5), false);
  await h.type(DOWN, UP);
  await h.resize(120, 30);
  assert.equal(h.text(), before);
});
