// SPDX-License-Identifier: MIT
/** A document of `stat --interval` is of one instant: no event in it is newer than the counters beside it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AtCounters } from '../../cli/common/at-counters.js';
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import { createBatch, type EventBatch } from '../../src/core/events/batch.js';
import { pushRow, UserKind } from '../../src/core/events/user-rows.js';
import { LIVE_SESSION, liveSession } from '../recording/live-session.js';

test('asked for at any time, it never has decoded more than the kernel said it emitted', async () => {
  const pipeline = new Pipeline(LIVE_SESSION);
  let made = 0;
  const paced = new AtCounters(
    pipeline,
    () => {
      const { events } = pipeline.snapshot();
      assert.equal(events.emittedAtLeast, false);
      assert.equal(events.emitted, events.decoded + events.dropped);
      assert.ok(events.emitted > 0);
      made++;
    },
    true,
  );
  let between = 0;
  for (const batch of liveSession({ seconds: 2 })) {
    paced.ask();
    await paced.push(batch);
    if (pipeline.snapshot().events.emittedAtLeast) between++;
  }
  assert.ok(made > 2, `${made} documents`);
  assert.ok(between > 0, 'in between it would have: there is something to hold');
});

const of = (kind: number): EventBatch => {
  const batch = createBatch(1, ['']);
  pushRow(batch, kind, 1, 0, 0, 0);
  return batch;
};

test('it is made once for each asking, and not by names or an empty batch', async () => {
  let made = 0;
  const paced = new AtCounters({ push: () => {} }, () => void made++, false);
  await paced.push(of(UserKind.Counter));
  assert.equal(made, 0);
  await paced.push(of(0));
  paced.ask();
  await paced.push(of(UserKind.Cgroup));
  await paced.push(createBatch(1, ['']));
  assert.equal(made, 0);
  await paced.push(of(UserKind.Counter));
  await paced.push(of(UserKind.Counter));
  assert.equal(made, 1);
});

test('names, clocks and held locks behind the counters are of their instant', async () => {
  let made = 0;
  const paced = new AtCounters({ push: () => {} }, () => void made++, true);
  const counters = createBatch(3, ['']);
  for (const kind of [UserKind.Counter, UserKind.Clock, UserKind.Lock]) pushRow(counters, kind, 1, 0, 0, 0);
  paced.ask();
  await paced.push(counters);
  assert.equal(made, 1);
  await paced.push(of(UserKind.Process));
  paced.ask();
  assert.equal(made, 2, 'nothing was decoded since');
  await paced.push(of(0));
  paced.ask();
  assert.equal(made, 2);
});

test('a session of our own that got no CPU for many intervals is waited for: its counters come', async () => {
  let made = 0;
  const paced = new AtCounters({ push: () => {} }, () => void made++, true);
  await paced.push(of(UserKind.Counter));
  await paced.push(of(0));
  for (let i = 0; i < 5; i++) paced.ask();
  assert.equal(made, 0, 'a record is newer than the counters');
  await paced.push(of(UserKind.Counter));
  assert.equal(made, 1);
});

test('a stream that says nothing for a while is summarised all the same', async () => {
  let made = 0;
  const paced = new AtCounters({ push: () => {} }, () => void made++, false);
  await paced.push(of(UserKind.Counter));
  paced.ask();
  paced.ask();
  assert.equal(made, 2, 'counters are the newest there are');
  await paced.push(of(0));
  paced.ask();
  assert.equal(made, 2);
  paced.ask();
  assert.equal(made, 3, 'it was waited for others in vain');
  await paced.push(of(0));
  paced.ask();
  await paced.push(of(0));
  paced.ask();
  assert.equal(made, 3, 'others may still come');
});
