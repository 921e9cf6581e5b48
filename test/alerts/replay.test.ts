// SPDX-License-Identifier: MIT
/** The same rows give the same alerts at the same event times: live, recorded or replayed, and however the rows are cut into batches. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { alertLines, collectAlerts, findAlerts } from '../../cli/commands/replay/alerts.js';
import { loadRules } from '../../src/actions/rules.js';
import { AlertWatch } from '../../src/actions/watch.js';
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import type { Snapshot } from '../../src/core/aggregate/snapshot.js';
import { AlertEngine } from '../../src/core/alerts/engine.js';
import type { AlertEvent } from '../../src/core/alerts/event.js';
import { MEASURES } from '../../src/core/alerts/measures.js';
import type { AlertRule } from '../../src/core/alerts/rule.js';
import { NO_LOSSES } from '../../src/core/alerts/stuck.js';
import { createBatch, type EventBatch } from '../../src/core/events/batch.js';
import type { SessionInfo } from '../../src/core/events/session.js';
import { CounterGroup, pushCounter, pushRow } from '../../src/core/events/user-rows.js';
import { openReplay } from '../../src/recording/play/player.js';
import { rowsOf } from '../../src/recording/play/run.js';
import { openFile } from '../../src/recording/read/file.js';
import { fileSink } from '../../src/recording/write/sink.js';
import { createRecordingWriter } from '../../src/recording/write/writer.js';
import { VlCounter, VlKind } from '../../src/schema/events.gen.js';
import { syntheticSession } from '../core/session.js';
import { synthesize } from '../core/synthetic.js';
import { rule } from './helpers.js';

const GOLDEN = fileURLToPath(new URL('../../../test/golden/swap-7.3.vmlt', import.meta.url));
const directory = await mkdtemp(join(tmpdir(), 'vmalocktop-alerts-'));
after(() => rm(directory, { recursive: true }));

/** Conditions that come and go in a synthetic session, some of the kernel's counters, most of the rows. */
const RULES: readonly AlertRule[] = [
  rule({ when: 'judged_retries > 205', clear: 'judged_retries < 195' }, 'judged'),
  rule({ when: 'incomplete > 0', clearFor: 0.02, cooldown: 0.05 }, 'incomplete'),
  rule({ when: 'retry_rate > 10', cooldown: 0.1 }, 'counters'),
  rule({ when: 'in_flight >= 10', for: 0.02 }, 'busy'),
  rule({ when: 'share > 0.07', groupBy: 'cause' }, 'causes'),
  rule({ when: 'avoidable_share > 0.4', groupBy: 'cgroup' }, 'cgroups'),
  rule({ when: 'stuck_seconds > 0.002', groupBy: 'process' }, 'stuck'),
];
const STEP_NS = 20e6;

/** With readings of the counters between them, more often than steps: where none came, nothing is judged. */
function withReadings(batches: readonly EventBatch[]): EventBatch[] {
  return batches.flatMap((batch) => {
    const reading = createBatch(1, ['']);
    pushCounter(reading, batch.time[batch.length - 1] ?? 0, CounterGroup.Self, 3, 0);
    return [batch, reading];
  });
}

function judge(session: SessionInfo, batches: Iterable<EventBatch>, rules: readonly AlertRule[]): AlertEvent[] {
  const events: AlertEvent[] = [];
  const watch = new AlertWatch(new Pipeline(session), new AlertEngine(rules, { minIntervalNs: STEP_NS / 2 }), {
    stepNs: STEP_NS,
    onEvents: (more) => void events.push(...more),
  });
  for (const batch of batches) watch.push(batch);
  watch.finish();
  return events;
}

function* cut(batches: readonly EventBatch[], lengths: readonly number[]): Generator<EventBatch> {
  let at = 0;
  for (const batch of batches)
    for (let from = 0; from < batch.length; ) {
      const to = Math.min(batch.length, from + (lengths[at++ % lengths.length] ?? 1));
      yield rowsOf(batch, from, to);
      from = to;
    }
}

async function read(path: string): Promise<{ session: SessionInfo; batches: EventBatch[] }> {
  const source = await openFile(path);
  const batches: EventBatch[] = [];
  for await (const batch of source.batches()) batches.push(structuredClone(batch));
  await source.close();
  return { session: source.session, batches };
}

describe('alerts over the same rows', () => {
  const session = syntheticSession();

  it('do not depend on how the rows came', () => {
    const batches = withReadings(synthesize(6000, 7, { dropRate: 0.001, batchRows: 512 }));
    const whole = judge(session, batches, RULES);
    assert.deepEqual([...new Set(whole.map(({ rule: name }) => name))].sort(), RULES.map(({ name }) => name).sort());
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 20 }), (lengths) => {
        assert.deepEqual(judge(session, cut(batches, lengths), RULES), whole);
      }),
      { numRuns: 12 },
    );
  });

  it('are the same from a recording of them', async () => {
    for (const seed of [1, 2]) {
      const batches = withReadings(synthesize(4000, seed, { dropRate: 0.02, missRate: 0.01, batchRows: 512 }));
      const path = join(directory, `${seed}.vmlt`);
      const writer = await createRecordingWriter(session, await fileSink(path));
      for (const batch of batches) await writer.write(batch);
      await writer.end();
      const recorded = await read(path);
      assert.deepEqual(judge(recorded.session, recorded.batches, RULES), judge(session, batches, RULES));
    }
  });

  it('come at the steps of the session', () => {
    const times = judge(session, withReadings(synthesize(12_000, 7, { batchRows: 512 })), RULES).map(({ time }) =>
      Math.floor(time / STEP_NS),
    );
    assert.deepEqual(
      times,
      [...times].sort((x, y) => x - y),
    );
    // Judged before the first row of a step: the state is one of the step before, at most one judgement a step.
    assert.ok(new Set(times).size > 10, `${times}`);
  });
});

describe('a watch', () => {
  it('judges nothing between two readings of the counters: a host too busy to read them is not quiet', () => {
    const said: string[] = [];
    const rules = [rule({ when: 'retry_rate > 10', for: 6 }, 'storm')];
    const watch = new AlertWatch(new Pipeline(syntheticSession()), new AlertEngine(rules), {
      onEvents: (events) => void said.push(...events.map(({ kind }) => kind)),
    });
    const batch = createBatch(1000, ['']);
    for (let tenth = 1; tenth <= 200; tenth++) {
      // Rows of the ring come all the time, a reading of the counters every 2.5 s.
      pushRow(batch, VlKind.HMF_EXIT, tenth * 1e8, 0, 0, 0);
      batch.fault[batch.length - 1] = tenth;
      if (tenth % 25 === 0) pushCounter(batch, tenth * 1e8, CounterGroup.Kernel, VlCounter.VMA_RETRY, tenth * 100);
    }
    watch.push(batch);
    watch.finish();
    assert.deepEqual(said, ['firing']);
  });
});

describe('fields', () => {
  it('add up over the intervals to what the whole session says', () => {
    const batches = synthesize(3000, 11, { dropRate: 0.01 });
    const pipeline = new Pipeline(syntheticSession());
    const sums = new Map<string, number>();
    let before: Snapshot | null = null;
    for (const batch of batches) {
      pipeline.push(batch);
      const now = pipeline.snapshot();
      const seconds = (now.time - (before?.time ?? 0)) / 1e9;
      if (seconds <= 0) continue;
      for (const { id, unit, read: value } of MEASURES) {
        const reading = value({ before, now, seconds, losses: NO_LOSSES, findings: null, findingsBefore: null });
        if (typeof reading !== 'number') continue;
        assert.ok(Number.isFinite(reading) && reading >= 0, `${id}: ${reading}`);
        if (unit === 'share') assert.ok(reading <= 1, `${id}: ${reading}`);
        if (unit === '/s' || unit === 'count')
          sums.set(id, (sums.get(id) ?? 0) + reading * (unit === '/s' ? seconds : 1));
      }
      before = now;
    }
    const all = pipeline.snapshot();
    const expected: Readonly<Record<string, number>> = {
      fault_rate: all.counts.faults,
      retry_rate: all.counts.vmaLock.retry,
      abort_rate: all.counts.vmaLock.abort,
      swap_rate: all.swap.faults ?? Number.NaN,
      folio_wait_rate: all.waits.folio.count,
      mmap_lock_wait_rate: all.waits.mmapLock.count,
      userfault_wait_rate: all.waits.userfault.count,
      dropped: all.events.dropped,
      incomplete: all.lifecycles.incomplete,
    };
    for (const [id, total] of Object.entries(expected)) {
      assert.ok(total > 0, id);
      assert.ok(Math.abs((sums.get(id) ?? 0) - total) < 1e-6 * total, `${id}: ${sums.get(id)} for ${total}`);
    }
  });

  it('about the whole session are those of the snapshot', () => {
    const pipeline = new Pipeline(syntheticSession());
    for (const batch of synthesize(2000, 5)) pipeline.push(batch);
    const now = pipeline.snapshot();
    const interval = {
      before: null,
      now,
      seconds: now.time / 1e9,
      losses: NO_LOSSES,
      findings: null,
      findingsBefore: null,
    };
    const value = (id: string): unknown => MEASURES.find((measure) => measure.id === id)?.read(interval);
    assert.equal(value('folio_wait_p99_seconds'), now.waits.folio.p99Ns / 1e9);
    assert.equal(value('folio_wait_max_seconds'), now.waits.folio.maxNs / 1e9);
    assert.equal(value('in_flight'), now.inFlightTotal);
    assert.deepEqual(value('violations'), { why: 'nothing is checked here' });
    const unasked = { why: 'mmap_lock_acquire_returned was not asked for in this session' };
    assert.deepEqual(value('writer_wait_max_seconds'), unasked);
    assert.deepEqual(value('writer_wait_rate'), unasked);
    assert.deepEqual(value('inverted_waits'), unasked);
    assert.deepEqual(value('mmap_lock_write_wait_ratio'), unasked);
    assert.deepEqual(value('vma_write_wait_rate'), { why: '__vma_start_write was not asked for in this session' });
    const bare = { ...interval, now: { ...now, distributions: undefined } as unknown as Snapshot };
    const folio = MEASURES.find(({ id }) => id === 'folio_wait_p99_seconds');
    assert.deepEqual(folio?.read(bare), { why: 'the distributions of waits were not kept' });
  });

  it('have names of their own', () => {
    const ids = MEASURES.map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
    for (const id of ids) assert.match(id, /^[a-z][a-z0-9_]*$/);
  });
});

describe('the bundled recording', () => {
  it('has the alerts that are documented', async () => {
    const { session, batches } = await read(GOLDEN);
    const { watch, events } = collectAlerts(session, new Pipeline(session), await loadRules());
    for (const batch of batches) watch.push(batch);
    watch.finish();
    assert.deepEqual(
      events.map(({ rule: name, kind, time }) => `${name} ${kind} ${(time / 1e9).toFixed(3)}`),
      ['runs-missed firing 1.997', 'retry-fallbacks firing 6.000'],
    );
    const documented = await readFile(new URL('../../../docs/alerts.md', import.meta.url), 'utf8');
    for (const line of alertLines(events).trimEnd().split('\n')) assert.ok(documented.includes(line.trim()), line);
    assert.equal(alertLines([]), 'alerts: none\n');
  });

  it('has them on the time line of its replay', async () => {
    const rules = await loadRules();
    const bare = await openReplay(GOLDEN);
    const replay = await openReplay(GOLDEN, { finders: (session) => [findAlerts(session, rules)] });
    const marks = replay.markers.filter(({ kind }) => kind === 'alert');
    assert.equal(marks.length, 2);
    assert.equal(replay.markers.length, bare.markers.length + marks.length);
    assert.match(marks[1]?.text ?? '', /^warning retry-fallbacks firing: /);
    await bare.close();
    await replay.close();
  });
});
