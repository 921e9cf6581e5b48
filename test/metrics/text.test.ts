// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import type { Snapshot } from '../../src/core/aggregate/snapshot.js';
import { workFields } from '../../src/core/present/fields/work.js';
import { snapshotFamilies } from '../../src/metrics/families.js';
import type { Family } from '../../src/metrics/family.js';
import { otlpRequest } from '../../src/metrics/otlp.js';
import { metricsText, negotiate } from '../../src/metrics/text.js';
import { LIVE_SESSION, liveSession } from '../recording/live-session.js';

function snapshot(seconds = 1): Snapshot {
  const pipeline = new Pipeline(LIVE_SESSION);
  for (const batch of liveSession({ seconds })) pipeline.push(batch);
  return pipeline.snapshot();
}

const COUNTER: Family = {
  name: 'x_seconds',
  help: 'a\\b\nc',
  unit: 'seconds',
  type: 'counter',
  samples: [{ labels: { who: 'a"b\\c\nd' }, value: 0.1 + 0.2 }],
};

const HISTOGRAM: Family = {
  name: 'y_seconds',
  help: 'y',
  unit: 'seconds',
  type: 'histogram',
  samples: [
    { labels: { p: 'known' }, bounds: [1, 2], counts: [3, 0, 4], sum: 9 },
    { labels: { p: 'unknown' }, bounds: [0.5], counts: [1, 1], sum: null },
  ],
};

test('OpenMetrics: a counter by its name without _total, units, an end; labels escaped', () => {
  assert.equal(
    metricsText([COUNTER], 'openmetrics'),
    `# HELP x_seconds a\\\\b\\nc
# TYPE x_seconds counter
# UNIT x_seconds seconds
x_seconds_total{who="a\\"b\\\\c\\nd"} 0.3
# EOF
`,
  );
});

test('Prometheus text: a counter by its full name', () => {
  assert.match(metricsText([COUNTER], 'prometheus'), /^# HELP x_seconds_total .*\n# TYPE x_seconds_total counter\n/);
});

test('buckets are cumulative and end at +Inf; a sum that is not known is not there, nor its count', () => {
  assert.deepEqual(metricsText([HISTOGRAM], 'prometheus').trim().split('\n').slice(2), [
    'y_seconds_bucket{p="known",le="1.0"} 3',
    'y_seconds_bucket{p="known",le="2.0"} 3',
    'y_seconds_bucket{p="known",le="+Inf"} 7',
    'y_seconds_sum{p="known"} 9',
    'y_seconds_count{p="known"} 7',
    'y_seconds_bucket{p="unknown",le="0.5"} 1',
    'y_seconds_bucket{p="unknown",le="+Inf"} 2',
  ]);
});

test('OpenMetrics is for those who ask for it', () => {
  assert.equal(negotiate(undefined), 'prometheus');
  assert.equal(negotiate('text/plain;version=0.0.4'), 'prometheus');
  assert.equal(negotiate('application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.1'), 'openmetrics');
});

test("the figures are the snapshot's", () => {
  const now = snapshot();
  const text = metricsText(snapshotFamilies(now, 5), 'prometheus');
  const value = (series: string): number =>
    Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`${series} `))
        ?.split(' ')
        .at(-1),
    );
  assert.equal(value('vmalocktop_faults_total{outcome="retry"}'), now.counts.vmaLock.retry);
  assert.equal(value('vmalocktop_events_total{state="decoded"}'), now.events.decoded);
  assert.equal(value('vmalocktop_wait_seconds_count{kind="folio"}'), now.waits.folio.count);
  assert.match(text, /^vmalocktop_cgroup_retries_total\{cgroup="[^"]*",id="\d+"\} \d+$/m);
  assert.match(text, /^vmalocktop_process_retries_total\{pid="1000",comm="waiter"\} \d+$/m);
  assert.match(text, /^vmalocktop_process_info\{pid="1000",comm="waiter",cgroup="[^"]+"\} 1$/m);
  assert.ok(!text.includes('NaN'));
});

test('the number of series does not grow with what happens; `top` bounds those of processes and cgroups', () => {
  const series = (seconds: number, top: number): number =>
    metricsText(snapshotFamilies(snapshot(seconds), top), 'prometheus')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#')).length;
  assert.equal(series(1, 5), series(4, 5));
  // One process in one cgroup: a series of either for each field that is a metric, and one that says which cgroup it is in.
  const metrics = workFields.filter(({ metric }) => metric !== undefined);
  assert.ok(metrics.length > 0);
  assert.equal(series(1, 5) - series(1, 0), 2 * metrics.length + 1);
});

test('OTLP: cumulative sums and buckets, 64-bit counts as strings', () => {
  const body = otlpRequest([COUNTER, HISTOGRAM], { startNs: 1n, nowNs: 2n, resource: { 'host.name': 'h' } });
  const { resourceMetrics } = JSON.parse(JSON.stringify(body));
  const [{ scopeMetrics, resource }] = resourceMetrics;
  assert.deepEqual(resource.attributes[1], { key: 'host.name', value: { stringValue: 'h' } });
  const [counter, histogram] = scopeMetrics[0].metrics;
  assert.equal(counter.unit, 's');
  assert.equal(counter.sum.isMonotonic, true);
  assert.equal(counter.sum.aggregationTemporality, 2);
  assert.deepEqual(histogram.histogram.dataPoints[0].bucketCounts, ['3', '0', '4']);
  assert.equal(histogram.histogram.dataPoints[0].count, '7');
  assert.ok(!('sum' in histogram.histogram.dataPoints[1]));
});

const promtool = spawnSync('promtool', ['--version']).error === undefined;

test('promtool finds nothing', { skip: promtool ? false : 'promtool is not installed (Debian: prometheus)' }, () => {
  const input = metricsText(snapshotFamilies(snapshot(), 5), 'prometheus');
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8' });
  assert.equal(`${stdout}${stderr}`, '');
  assert.equal(status, 0);
});
