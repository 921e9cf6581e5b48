// SPDX-License-Identifier: MIT
/** Seconds of what `make soak` does for an hour, with tables so small that they fill up in that time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import { Endless } from '../core/endless.js';
import { syntheticSession } from '../core/session.js';
import { longOnly } from '../long.js';
import { parseMetrics } from '../metrics/scrape.js';
import { booksOf } from './books.js';
import { notFlat } from './levels.js';
import { soak } from './soak.js';

test('the daemon under churn: books to the last record, nothing left open, tables bounded', {
  skip: longOnly,
}, async (t) => {
  const { sent, samples, figures, findings } = await soak({
    seconds: 24,
    rate: 20_000,
    faults: 6000,
    threads: 1000,
    openFaults: 1536,
    sampleMs: 1000,
    levels: false,
  });
  t.diagnostic(`${sent.rows} rows in ${sent.rounds} rounds, ${JSON.stringify(figures)}`);
  assert.deepEqual(findings, []);
  // A busy machine is scraped less often than it was asked to be.
  assert.ok(sent.rounds >= 8 && samples.length >= 10, `${sent.rounds} rounds, ${samples.length} samples`);
  assert.ok((samples.at(-1)?.evicted ?? 0) > 100, 'room was made for new faults');
});

test('rounds of the endless stream have nothing to do with each other', () => {
  const stream = new Endless({ faults: 400, threads: 40, rate: 10_000, churn: true, dropRate: 0.01 });
  const pipeline = new Pipeline(syntheticSession());
  const after = () => {
    for (const batch of stream.next()) pipeline.push(batch);
    const { lifecycles, events, processes } = pipeline.snapshot();
    const { total, byEnd } = lifecycles;
    return {
      opened: total,
      emitted: events.emitted,
      decoded: events.decoded,
      dropped: events.dropped,
      open: byEnd['in-flight'],
      processes: processes.length,
    };
  };
  const first = after();
  const second = after();
  const third = after();
  assert.ok(
    first.opened >= 400 && first.open > 0 && first.processes === 11,
    'ten, and one for faults that lost their first step',
  );
  assert.deepEqual(
    [second.opened, second.open, second.processes, third.opened, third.open, third.processes],
    [2 * first.opened, 2 * first.open, 21, 3 * first.opened, 3 * first.open, 31],
  );
  assert.equal(third.emitted, third.decoded + third.dropped);
  assert.equal(third.dropped, 3 * first.dropped);
});

test('a level that rises is found, a peak or a wave is not', () => {
  const run = (of: (i: number) => number): number[] => Array.from({ length: 120 }, (_, i) => of(i));
  assert.equal(
    notFlat(
      'memory',
      run((i) => Math.min(i, 40) * 10 + (i % 7)),
      0.1,
    ),
    null,
  );
  assert.equal(
    notFlat(
      'memory',
      run((i) => (i === 110 ? 5000 : 400 + 30 * Math.sin(i))),
      0.1,
    ),
    null,
  );
  assert.match(
    String(
      notFlat(
        'memory',
        run((i) => 400 + 3 * i),
        0.1,
      ),
    ),
    /not flat: \d+\.\d %/,
  );
  assert.match(String(notFlat('memory', [1, 2, 3], 0.1)), /too few/);
});

test('a record that nobody counted is found', () => {
  const round = (() => {
    const pipeline = new Pipeline(syntheticSession());
    for (const batch of new Endless({ faults: 40, threads: 8, rate: 10_000 }).next()) pipeline.push(batch);
    return pipeline.snapshot();
  })();
  const { vmaLock, kernelMode } = round.counts;
  const { 'in-flight': open, ...ended } = round.lifecycles.byEnd;
  const text = (name: string, label: string, values: Readonly<Record<string, number | null>>): string[] =>
    Object.entries(values).map(([key, value]) => `vmalocktop_${name}{${label}="${key}"} ${value}`);
  const { emitted, decoded, dropped } = round.events;
  const metrics = (lost: number): string =>
    [
      ...text('events_total', 'state', { emitted, decoded: decoded - lost, dropped }),
      ...text('faults_total', 'outcome', { ...vmaLock, kernel_mode: kernelMode }),
      ...text('lifecycles_total', 'end', ended),
      `vmalocktop_lifecycles_in_flight ${open}`,
      'vmalocktop_lifecycles_evicted_total 0',
    ].join('\n');
  const sent = { rows: 0, rounds: 1, perSecond: 0, round };
  assert.deepEqual(booksOf(sent, parseMetrics(metrics(0))), []);
  assert.equal(booksOf(sent, parseMetrics(metrics(1))).length, 2);
});
