// SPDX-License-Identifier: MIT
/**
 * Whole screens, cell by cell, against test/golden/tui/*.txt.
 * After a wanted change: UPDATE_GOLDEN=1 node --test dist/test/tui/golden.test.js, and read the diff.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { buildView } from '../../src/core/view/view.js';
import { initialState, VIEWS } from '../../src/core/view/state.js';
import { lineWidth } from '../../src/core/view-text.js';
import { emptySnapshot, snapshotAt } from './fixture.js';
import { type Harness, open } from './terminal.js';

const GOLDEN = fileURLToPath(new URL('../../../test/golden/tui/', import.meta.url));

function compare(name: string, harness: Harness): void {
  const seen = `${harness.text()}\n`;
  const file = `${GOLDEN}${name}.txt`;
  if (process.env['UPDATE_GOLDEN'] === '1') {
    mkdirSync(GOLDEN, { recursive: true });
    writeFileSync(file, seen);
    return;
  }
  assert.equal(seen, readFileSync(file, 'utf8'), `${name}: the screen differs from ${file}`);
}

async function withData(columns: number, rows: number): Promise<Harness> {
  const harness = await open(columns, rows);
  for (let s = 100; s <= 130; s++) harness.dashboard.update(snapshotAt(s));
  await harness.settle();
  return harness;
}

const SIZES = [
  [80, 24],
  [100, 50],
  [120, 30],
  [160, 45],
  [240, 70],
] as const;

for (const [columns, rows] of SIZES) {
  test(`with data, ${columns}×${rows}`, async (t) => {
    const harness = await withData(columns, rows);
    t.after(() => harness.close());
    compare(`data-${columns}x${rows}`, harness);
  });
}

for (const [columns, rows] of [
  [80, 24],
  [160, 45],
] as const) {
  test(`empty, ${columns}×${rows}`, async (t) => {
    const harness = await open(columns, rows);
    t.after(() => harness.close());
    compare(`waiting-${columns}x${rows}`, harness);
    harness.dashboard.update(emptySnapshot());
    await harness.settle();
    compare(`empty-${columns}x${rows}`, harness);
  });
}

const STATES: readonly (readonly [string, readonly string[]])[] = [
  ['help', ['?']],
  ['paused', [' ']],
  ['latest', ['\t']],
  ['in-flight', ['\t', '\t']],
  ['detail', ['\t', '\r']],
  ['detail-in-flight', ['\t', '\t', '\r']],
  ['filter', ['/', 'c', 'o', 'm', 'm', ':', 'p', 'o', 's', 't']],
];

for (const [name, keys] of STATES) {
  for (const [columns, rows] of [
    [80, 24],
    [120, 30],
  ] as const) {
    test(`${name}, ${columns}×${rows}`, async (t) => {
      const harness = await withData(columns, rows);
      t.after(() => harness.close());
      await harness.type(...keys);
      compare(`${name}-${columns}x${rows}`, harness);
    });
  }
}

test('too small a terminal says so', async (t) => {
  const harness = await withData(60, 20);
  t.after(() => harness.close());
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
