// SPDX-License-Identifier: MIT
/** Every export is of one instant: no record in it is newer than the kernel's counters beside it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import type { Snapshot } from '../../src/core/aggregate/snapshot.js';
import type { EventBatch } from '../../src/core/events/batch.js';
import type { DaemonSource } from '../../src/daemon/daemon.js';
import { Snapshots } from '../../src/daemon/snapshots.js';
import { metricsText } from '../../src/metrics/text.js';
import { byLabel, parseMetrics, type Scraped } from '../metrics/scrape.js';
import { LIVE_SESSION, liveSession } from '../recording/live-session.js';
import { makeDaemon, sessionSource } from './support.js';

test('whoever asks, wherever in the session, is answered where the counters came', async () => {
  const pipeline = new Pipeline(LIVE_SESSION);
  const snapshots = new Snapshots(() => pipeline.snapshot(), 1e6);
  const asked: Promise<Snapshot>[] = [];
  let newer = 0;
  for (const batch of liveSession({ seconds: 2, dropEvery: 5 })) {
    asked.push(snapshots.level());
    pipeline.push(batch);
    snapshots.pushed(batch);
    if (pipeline.snapshot().events.emittedAtLeast) newer++;
  }
  snapshots.end();
  assert.ok(newer > 3, `${newer}: between the counters there is something newer than they are`);
  let before = 0;
  for (const { events, counts, retry } of await Promise.all(asked)) {
    assert.equal(events.emittedAtLeast, false);
    assert.equal(events.emitted, events.decoded + events.dropped);
    assert.ok(retry.total <= counts.vmaLock.retry, `${retry.total} retries of ${counts.vmaLock.retry}`);
    assert.ok(events.emitted >= before);
    before = events.emitted;
  }
  assert.ok(before > 0);
});

test('behind the end whoever asks is told of the end, however short ago somebody asked before it', () => {
  const pipeline = new Pipeline(LIVE_SESSION);
  const snapshots = new Snapshots(() => pipeline.snapshot());
  for (const batch of liveSession({ seconds: 1 })) {
    pipeline.push(batch);
    snapshots.pushed(batch);
  }
  snapshots.now();
  snapshots.end();
  assert.ok(pipeline.snapshot().events.decoded > 0);
  assert.equal(snapshots.now().events.decoded, pipeline.snapshot().events.decoded);
});

test('at every scrape emitted = decoded + dropped, and no counter goes back', async () => {
  const { daemon } = await makeDaemon(sessionSource(1), '[alerts]\nenabled = false');
  const scrapes: Scraped[] = [];
  let running = true;
  const scrape = async (): Promise<void> => {
    while (running) {
      scrapes.push(parseMetrics(metricsText(await daemon.levelFamilies(), 'prometheus')));
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const scraping = scrape();
  await daemon.run();
  running = false;
  await scraping;
  let before: Scraped = new Map();
  for (const scraped of scrapes) {
    const { emitted, decoded, dropped } = byLabel(scraped, 'vmalocktop_events_total');
    assert.equal(emitted, (decoded ?? 0) + (dropped ?? 0));
    for (const [series, value] of scraped)
      if (series.includes('_total'))
        assert.ok(value >= (before.get(series) ?? 0), `${series} went from ${before.get(series)} to ${value}`);
    before = scraped;
  }
  assert.ok((before.get('vmalocktop_events_total{state="decoded"}') ?? 0) > 0);
});

test('a source that hangs behind its records is scraped all the same, and says no less than it decoded', async () => {
  let close = (): void => {};
  const closed = new Promise<void>((resolve) => {
    close = resolve;
  });
  let handed = 0;
  const source: DaemonSource = {
    session: LIVE_SESSION,
    async *batches(): AsyncGenerator<EventBatch> {
      for (const batch of liveSession({ seconds: 1 })) {
        yield batch;
        // The one after the second counters has records only.
        if (++handed === 5) return await closed;
      }
    },
    close: async () => close(),
  };
  const { daemon } = await makeDaemon(source, '[alerts]\nenabled = false');
  const run = daemon.run();
  while (handed < 4) await sleep(5);
  const events = byLabel(
    parseMetrics(metricsText(await daemon.levelFamilies(), 'prometheus')),
    'vmalocktop_events_total',
  );
  assert.ok((events.decoded ?? 0) > 0);
  assert.equal(events.emitted, (events.decoded ?? 0) + (events.dropped ?? 0));
  await source.close();
  await run;
});
