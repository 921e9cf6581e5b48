// SPDX-License-Identifier: MIT
/** A time range of a recording counts what is in it, and nothing else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import type { Snapshot } from '../../src/core/aggregate/snapshot.js';
import { createBatch } from '../../src/core/events/batch.js';
import type { SessionInfo } from '../../src/core/events/session.js';
import type { Source } from '../../src/core/events/source.js';
import { CounterGroup, pushCounter } from '../../src/core/events/user-rows.js';
import type { Lifecycle } from '../../src/core/lifecycle/lifecycle.js';
import { UserError } from '../../src/errors.js';
import { Baseline } from '../../src/recording/format/baseline.js';
import { parsePart } from '../../src/recording/format/part.js';
import { openFile } from '../../src/recording/read/file.js';
import { sliceSource } from '../../src/recording/read/slice.js';
import { parseWhen, timeRangeOf, wallClock } from '../../src/recording/read/when.js';
import { LIVE_SESSION, liveSession } from './live-session.js';

const SECONDS = 2;
const END = SECONDS * 1e9 + 3.6e6;
const GOLDEN = fileURLToPath(new URL('../../../test/golden/swap-7.3.vmlt', import.meta.url));

function live(dropEvery = 0): Source {
  return {
    session: LIVE_SESSION,
    async *batches() {
      yield* liveSession({ seconds: SECONDS, dropEvery });
    },
    async close() {},
  };
}

interface Folded {
  readonly snapshot: Snapshot;
  readonly lifecycles: readonly Lifecycle[];
}

async function fold(source: Source): Promise<Folded> {
  const lifecycles: Lifecycle[] = [];
  const pipeline = new Pipeline(source.session, { onClosed: (lifecycle) => void lifecycles.push(lifecycle) });
  for await (const batch of source.batches()) pipeline.push(batch);
  return { snapshot: pipeline.snapshot(), lifecycles };
}

test('the lifecycles of a time range are those that begin in it and end in it, and they lack nothing', async () => {
  const whole = (await fold(live(30))).lifecycles;
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: END }), fc.integer({ min: 0, max: END }), async (from, length) => {
      const to = Math.min(END, from + length);
      const { lifecycles, snapshot } = await fold(sliceSource(live(30), { from, to }));
      const expected = whole.filter(({ start, end }) => start.hi >= from && end <= to);
      assert.deepEqual(
        lifecycles.map(({ id }) => id),
        expected.map(({ id }) => id),
      );
      for (const [i, lifecycle] of lifecycles.entries()) {
        assert.deepEqual(lifecycle.lost, expected[i]?.lost, 'nothing more is missing of it');
        assert.equal(lifecycle.end + from, expected[i]?.end);
      }
      const { events } = snapshot;
      assert.equal(events.emitted, events.decoded + events.dropped);
      if (to < END) assert.equal(snapshot.ended, true, 'what was asked for ended in order');
      // What was said once, before: names, and how much memory is in use.
      if (from > 250e6) assert.equal(snapshot.overhead.selfRssBytes, 1e6);
      if (lifecycles.length > 0) assert.equal(snapshot.swap.devices[0]?.name, '/dev/zram0');
    }),
    { numRuns: 40 },
  );
});

test('from anywhere to the end: counted = decoded + dropped', async () => {
  for (const from of [1, 1e8, 250e6, 251e6, 999_999_999, 1.9e9]) {
    const { events } = (await fold(sliceSource(live(20), { from, to: Number.POSITIVE_INFINITY }))).snapshot;
    assert.equal(events.emitted, events.decoded + events.dropped, `from ${from}`);
    assert.ok(events.decoded > 0);
  }
});

test('a real recording, cut anywhere, conserves its events', async () => {
  for (const from of [1, 1e9, 2.5e9, 3_011_604_058, 5e9, 7.4e9]) {
    const { snapshot } = await fold(sliceSource(await openFile(GOLDEN), { from, to: Number.POSITIVE_INFINITY }));
    const { events } = snapshot;
    assert.equal(events.emitted, events.decoded + events.dropped, `from ${from}`);
    assert.equal(snapshot.ended, true);
  }
});

test('all of a recording is the recording itself', () => {
  const source = live();
  assert.equal(sliceSource(source, { from: 0, to: Number.POSITIVE_INFINITY }), source);
});

test('the session begins where the time range does, by every clock', async () => {
  const from = 1_500_000_000;
  const { session } = sliceSource(live(), { from, to: Number.POSITIVE_INFINITY });
  assert.equal(BigInt(session.baseNs), BigInt(LIVE_SESSION.baseNs) + BigInt(from));
  assert.equal(wallClock(session, 0), wallClock(LIVE_SESSION, from));
  assert.equal(new Date(wallClock(session, 0) ?? 0).toISOString(), '2026-03-01T12:00:01.500Z');
});

test('a begin behind the end is an error, not an empty summary', async () => {
  const source = sliceSource(live(), { from: 5e9, to: Number.POSITIVE_INFINITY });
  await assert.rejects(
    fold(source),
    (error) =>
      error instanceof UserError && error.exitCode === 2 && /begin at 5\.000 s.*ends at 2\.00/.test(error.message),
  );
});

test('running numbers of lifecycles begin anew after 2^32', () => {
  const baseline = new Baseline({ time: 0, rows: [], counters: [], faults: [[3, 0xffff_fff0]] });
  assert.equal(baseline.isBefore(3, 0xffff_fff0), true);
  assert.equal(baseline.isBefore(3, 0xffff_ff00), true);
  assert.equal(baseline.isBefore(3, 0xffff_fff1), false);
  assert.equal(baseline.isBefore(3, 5), false);
  assert.equal(baseline.isBefore(4, 0), false);
});

test('sums begin at nothing, gauges stay as they were', () => {
  const baseline = new Baseline();
  const batch = createBatch(8, ['']);
  pushCounter(batch, 5, CounterGroup.Missed, 1, 100);
  pushCounter(batch, 5, CounterGroup.Self, 2, 4096);
  baseline.add(batch, 0, batch.length);
  const again = new Baseline(baseline.state());
  assert.deepEqual(again.state(), baseline.state());
  assert.equal(again.rest(CounterGroup.Missed, 1, 107), 7);
  assert.equal(again.rest(CounterGroup.Missed, 2, 7), 7);
  assert.equal(again.rest(CounterGroup.Self, 2, 5000), 5000);
  assert.deepEqual([...again.gauges()], [[CounterGroup.Self, 2, 4096]]);
});

test('a part that is described by nonsense is none', () => {
  const good = {
    number: 2,
    before: { time: 1, rows: [[1, 2]], counters: [[1, 2, 3]], faults: [[0, 7]] },
    written: null,
  };
  assert.deepEqual(parsePart(JSON.stringify(good)), good);
  for (const bad of [
    { ...good, number: 0 },
    { ...good, number: 1.5 },
    { ...good, before: 7 },
    { ...good, before: { ...good.before, time: -1 } },
    { ...good, before: { ...good.before, rows: [[256, 1]] } },
    { ...good, before: { ...good.before, faults: [[65_536, 1]] } },
    { ...good, before: { ...good.before, counters: [[1, 2]] } },
    { ...good, written: { why: 1, time: 2 } },
    [],
    null,
  ])
    assert.equal(parsePart(JSON.stringify(bad)), null, JSON.stringify(bad));
  assert.equal(parsePart('{'), null);
});

const at = (text: string, session: SessionInfo = LIVE_SESSION): number => {
  const when = parseWhen(text);
  assert.ok(when, text);
  return timeRangeOf(session, when, undefined).from;
};

test('times are told by seconds since the begin or by the clock', () => {
  assert.equal(at('12.5'), 12.5e9);
  assert.equal(at('250ms'), 250e6);
  assert.equal(at('3m'), 180e9);
  assert.equal(at('1h'), 3600e9);
  assert.equal(at('2026-03-01T12:00:01.5Z'), 1.5e9);
  const clock = new Date(Date.parse('2026-03-01T12:00:07Z'));
  const two = (n: number): string => String(n).padStart(2, '0');
  assert.equal(at(`${two(clock.getHours())}:${two(clock.getMinutes())}:07`), 7e9);
  const earlier = new Date(Date.parse('2026-03-01T11:00:00Z'));
  assert.equal(at(`${two(earlier.getHours())}:${two(earlier.getMinutes())}`), 23 * 3600e9, 'the next day');
  for (const text of ['', '-1', '12x', '25:00', '12:60', 'yesterday', '2026-13-45T99:99', '1e3'])
    assert.equal(parseWhen(text), null, text);
  assert.throws(() => at('12:00', { ...LIVE_SESSION, clocks: [] }), /has no wall-clock time/);
  assert.throws(
    () => timeRangeOf(LIVE_SESSION, parseWhen('5') ?? undefined, parseWhen('5') ?? undefined),
    /5 is not later than 5/,
  );
});
