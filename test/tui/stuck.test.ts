// SPDX-License-Identifier: MIT
/** A live session in which a fault hangs: its steps stop, the counters go on, and its clock must be seen to run. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import { createBatch } from '../../src/core/events/batch.js';
import { CounterGroup, pushCounter } from '../../src/core/events/user-rows.js';
import { openFile } from '../../src/recording/read/file.js';
import { bundledRecording } from './bundled.js';
import { open } from './terminal.js';

/** Half way through the longest wait for a folio of the recording, after its task was seen to wait. */
async function momentOfWaiting(): Promise<{ tid: number; time: number }> {
  const source = await openFile(bundledRecording());
  let longest = { tid: 0, time: 0, ns: 0 };
  const pipeline = new Pipeline(source.session, {
    onClosed: ({ tid, waits }) => {
      for (const { kind, start, end } of waits)
        if (kind === 'folio' && end - start > longest.ns) longest = { tid, time: (start + end) / 2, ns: end - start };
    },
  });
  for await (const batch of source.batches()) pipeline.push(batch);
  await source.close();
  return longest;
}

test('a fault that hangs shows at once, with its thread, its cause so far, the lock it holds, and a growing time', async (t) => {
  const { tid, time } = await momentOfWaiting();
  assert.ok(tid > 0, 'the recording has a fault that waits for a folio');
  const source = await openFile(bundledRecording());
  const pipeline = new Pipeline(source.session);
  for await (const batch of source.batches()) {
    const after = batch.time.subarray(0, batch.length).findIndex((at) => at > time);
    if (after !== -1) batch.length = after;
    pipeline.push(batch);
    if (after !== -1) break;
  }
  await source.close();

  const h = await open(160, 45);
  t.after(() => h.close());
  h.dashboard.update(pipeline.snapshot());
  await h.type('7');
  const row = (): string => h.lines().find((line) => new RegExp(`│ +${tid} .*folio`).test(line)) ?? '';
  assert.match(row(), /none +waits for a folio lock, holds no lock +folio locked …/, h.text());
  const ages: number[] = [];
  for (let seconds = 1; seconds <= 4; seconds++) {
    // Nothing comes but the counters, as a live source samples them.
    const batch = createBatch(4, ['']);
    pushCounter(batch, time + seconds * 1e9, CounterGroup.Self, 1, seconds * 1e6);
    pipeline.push(batch);
    h.dashboard.update(pipeline.snapshot());
    await h.settle();
    ages.push(Number(/ ([\d.]+) s +none/.exec(row())?.[1]));
  }
  for (const [i, age] of ages.entries())
    if (i > 0) assert.ok(Math.abs(age - (ages[i - 1] ?? 0) - 1) < 0.02, ages.join(' '));
  // The waterfall of it has the same clock.
  await h.type('l', 'l', '/', ...`pid:${tid}`, '\r', '\r');
  assert.match(h.text(), /1 VMA lock +│█/);
  assert.match(h.text(), / so far, no lock/);
});
