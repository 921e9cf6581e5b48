// SPDX-License-Identifier: MIT
/**
 * Whole screens, cell by cell, against test/golden/tui/*.txt: every view over the bundled recording, over no data at
 * all, and over an invented host that has everything the contract knows.
 * After a wanted change: `make golden`, and read the diff.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { loadRules } from '../../src/actions/rules.js';
import { lineWidth } from '../../src/core/present/text.js';
import { initialState, VIEWS } from '../../src/core/view/state.js';
import { buildView } from '../../src/core/view/view.js';
import { openReplay } from '../../src/recording/play/player.js';
import { bundledRecording, RULES, SCREENS } from './bundled.js';
import { snapshotAt } from './fixture.js';
import { emptySnapshot } from './fixture-empty.js';
import { type Harness, open } from './terminal.js';

function compare(name: string, harness: Harness): void {
  const seen = `${harness.text()}\n`;
  const file = `${SCREENS}${name}.txt`;
  if (process.env.UPDATE_GOLDEN === '1') {
    mkdirSync(SCREENS, { recursive: true });
    writeFileSync(file, seen);
    return;
  }
  assert.equal(seen, readFileSync(file, 'utf8'), `${name}: the screen differs from ${file}`);
}

const SIZES = [
  [80, 24],
  [120, 30],
  [160, 45],
] as const;

/** Each view after its key, on one dashboard. */
async function compareViews(prefix: string, size: string, harness: Harness): Promise<void> {
  for (const [i, view] of VIEWS.entries()) {
    await harness.type(String(i + 1));
    compare(`${prefix}-${view}-${size}`, harness);
  }
}

for (const [columns, rows] of SIZES) {
  const size = `${columns}x${rows}`;

  test(`every view over the bundled recording, ${size}`, async (t) => {
    const replay = await openReplay(bundledRecording());
    const harness = await open(columns, rows, { mode: 'replay', replay });
    t.after(async () => {
      harness.close();
      await replay.close();
    });
    harness.dashboard.watch(await loadRules(RULES));
    void harness.dashboard.playback?.seek(replay.duration);
    await harness.until(/■ END/);
    await compareViews('replay', size, harness);
    // In the middle, where faults are in flight; and one of them in full.
    const [slowest] = replay.snapshot().slowest;
    assert.ok(slowest !== undefined);
    await harness.type('g', ...((slowest.first + slowest.last) / 2e9).toFixed(6), '\r');
    await harness.until(/‖ PAUSED/);
    await harness.type('7', 'l', 'l');
    compare(`replay-middle-${size}`, harness);
    await harness.type('\r');
    compare(`replay-detail-in-flight-${size}`, harness);
    await harness.type('\x1b', 'l', 'l', '\r');
    compare(`replay-detail-${size}`, harness);
    await harness.type('?');
    compare(`replay-help-${size}`, harness);
  });

  test(`every view over nothing, ${size}`, async (t) => {
    const harness = await open(columns, rows);
    t.after(() => harness.close());
    compare(`waiting-${size}`, harness);
    harness.dashboard.update(emptySnapshot());
    await harness.settle();
    await compareViews('empty', size, harness);
  });

  test(`every view over everything there can be, ${size}`, async (t) => {
    const harness = await open(columns, rows);
    t.after(() => harness.close());
    harness.dashboard.watch(await loadRules(RULES));
    for (const seconds of [126, 127, 128, 129, 130]) harness.dashboard.update(snapshotAt(seconds));
    await harness.settle();
    await compareViews('live', size, harness);
    await harness.type('1', '/', ...'comm:post');
    compare(`live-filter-${size}`, harness);
    await harness.type('\x1b', '7', 'l', 'l', '\r');
    compare(`live-detail-in-flight-${size}`, harness);
    await harness.type(' ', '?');
    compare(`live-help-${size}`, harness);
  });
}

for (const [columns, rows] of [
  [100, 50],
  [240, 70],
] as const) {
  test(`overview and waits, ${columns}×${rows}`, async (t) => {
    const harness = await open(columns, rows);
    t.after(() => harness.close());
    for (const seconds of [129, 130]) harness.dashboard.update(snapshotAt(seconds));
    await harness.settle();
    compare(`live-overview-${columns}x${rows}`, harness);
    await harness.type('5', '\x1b[B');
    compare(`live-waits-${columns}x${rows}`, harness);
  });
}

test('too small a terminal says so', async (t) => {
  const harness = await open(60, 20);
  t.after(() => harness.close());
  harness.dashboard.update(snapshotAt(130));
  await harness.settle();
  assert.match(harness.lines()[0] ?? '', /needs 80×24, this is 60×20/);
});

test('every line is as wide as the screen at every size, in every view', () => {
  const [now, before] = [snapshotAt(130), snapshotAt(129)];
  for (let width = 80; width <= 240; width += 16) {
    for (let height = 24; height <= 70; height += 5) {
      for (const view of VIEWS) {
        const { lines } = buildView(now, before, { ...initialState(width, height, 'live', 1000), view });
        assert.equal(lines.length, height);
        for (const line of lines) assert.equal(lineWidth(line), width, `${view} ${width}×${height}`);
      }
    }
  }
});
