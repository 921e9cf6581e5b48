// SPDX-License-Identifier: MIT
/** What the fold really makes, not the fixture, on every page of the dashboard. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import type { Snapshot } from '../../src/core/aggregate/snapshot.js';
import { formatCount } from '../../src/core/present/format.js';
import { lineWidth, plainText } from '../../src/core/present/text.js';
import { initialState } from '../../src/core/view/state.js';
import { buildView } from '../../src/core/view/view.js';
import { syntheticSession } from '../core/session.js';
import { synthesize } from '../core/synthetic.js';

/** Snapshots as they stand after each batch. */
function snapshots(): Snapshot[] {
  const pipeline = new Pipeline(syntheticSession());
  return synthesize(3000, 7).map((batch) => {
    pipeline.push(batch);
    return pipeline.snapshot();
  });
}

test('every lifecycle of a synthetic session shows in full, each line as wide as the screen', () => {
  const all = snapshots();
  const last = all.at(-1);
  assert.ok(last !== undefined);
  const lifecycles = all.flatMap((snapshot) => [...snapshot.latest, ...snapshot.slowest, ...snapshot.inFlight]);
  assert.ok(lifecycles.length > 50);
  for (const detail of lifecycles) {
    const { lines } = buildView(last, null, {
      ...initialState(120, 90, 'replay', 1000),
      detail,
      detailAt: last.time,
    });
    for (const line of lines) assert.equal(lineWidth(line), 120);
    const text = lines.map(plainText).join('\n');
    assert.doesNotMatch(text, /NaN|undefined|Infinity|\[object/);
    assert.ok(text.includes(`tid ${detail.tid}`));
  }
});

test('the figures of a synthetic session are those of its snapshot', () => {
  const all = snapshots();
  const [now, before] = [all.at(-1), all.at(-2) ?? null];
  assert.ok(now !== undefined);
  const { lines } = buildView(now, before, initialState(160, 45, 'replay', 1000));
  const text = lines.map(plainText).join('\n');
  assert.doesNotMatch(text, /NaN|undefined|Infinity|\[object/);
  assert.match(text, /ENDED/);
  for (const [name, count] of [
    ['RETRY', now.counts.vmaLock.retry],
    ['ABORT', now.counts.vmaLock.abort],
    ['folio locked', now.retry.byCause['folio locked']],
  ] as const) {
    assert.match(text, new RegExp(`${name} +${formatCount(count).replace('.', '\\.')} `), name);
  }
  assert.ok(text.includes(`${formatCount(now.events.emitted)} emitted`));
});
