// SPDX-License-Identifier: MIT
/** The time line: nothing is lost when slices double or drop out, and a replay draws what was seen live. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LostSums } from '../../src/core/aggregate/lost-series.js';
import { HEAT_ROWS, heatRow, heatRowStart, OUTCOMES, SLICES, TimelineSums } from '../../src/core/aggregate/timeline.js';
import type { Wait } from '../../src/core/lifecycle/lifecycle.js';

function wait(start: number, ns: number, kind: Wait['kind'] = 'folio'): Wait {
  return { kind, held: 'none', start, end: start + ns, slept: true, contended: Number.NaN, holder: 0 };
}

const sum = (values: Iterable<number>): number => [...values].reduce((all, value) => all + value, 0);

test('a duration is in the row that begins at or below it', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e13 }), (ns) => {
      const row = heatRow(ns);
      assert.ok(heatRowStart(row) <= ns);
      if (row < HEAT_ROWS - 1) assert.ok(ns < heatRowStart(row + 1));
    }),
  );
  assert.equal(heatRow(0), 0);
  assert.equal(heatRow(999), 0);
  assert.equal(heatRow(1000), 1);
});

test('every wait is in the whole axis, however long the session', () => {
  const times = fc.array(fc.record({ at: fc.integer({ min: 0, max: 4e12 }), ns: fc.integer({ min: 0, max: 1e10 }) }), {
    minLength: 1,
    maxLength: 60,
  });
  fc.assert(
    fc.property(times, (waits) => {
      const sums = new TimelineSums();
      for (const { at, ns } of waits) sums.waited(wait(at, ns));
      const { whole } = sums.copy();
      assert.ok(whole.slices <= SLICES);
      const cells = whole.waits.folio ?? new Uint32Array();
      assert.equal(sum(cells), waits.length);
      // Each is where its end and its length say.
      const expected = new Uint32Array(cells.length);
      for (const { at, ns } of waits) {
        const cell = Math.floor((at + ns) / whole.sliceNs) * HEAT_ROWS + heatRow(ns);
        expected[cell] = (expected[cell] ?? 0) + 1;
      }
      assert.deepEqual(cells, expected);
    }),
  );
});

test('counters are spread over the time between two samples, and their sum stays', () => {
  const samples = fc.array(
    fc.record({ gap: fc.integer({ min: 1, max: 3e10 }), more: fc.integer({ min: 0, max: 1e6 }) }),
    {
      minLength: 1,
      maxLength: 40,
    },
  );
  fc.assert(
    fc.property(samples, (steps) => {
      const sums = new TimelineSums();
      let [time, count] = [0, 0];
      for (const { gap, more } of steps) {
        time += gap;
        count += more;
        sums.counted(
          time,
          OUTCOMES.map(() => count),
        );
      }
      const { whole } = sums.copy();
      for (const name of OUTCOMES) {
        const total = sum(whole.outcomes[name]);
        assert.ok(Math.abs(total - count) <= 1e-6 * Math.max(1, count), `${name}: ${total} of ${count}`);
      }
      assert.ok(whole.slices * whole.sliceNs >= time);
    }),
  );
});

test('the recent axis keeps the last four minutes, slice by slice', () => {
  const sums = new TimelineSums();
  for (let second = 0; second < 1000; second++) sums.waited(wait(second * 1e9, 5e6));
  const { recent } = sums.copy();
  assert.equal(recent.slices, SLICES);
  assert.equal(recent.sliceNs, 1e9);
  assert.equal(recent.startNs, (1000 - SLICES) * 1e9);
  assert.equal(sum(recent.waits.folio ?? []), SLICES);
  // One that is too old for it is only in the other.
  sums.waited(wait(1e9, 5e6));
  assert.equal(sum(sums.copy().recent.waits.folio ?? []), SLICES);
  assert.equal(sum(sums.copy().whole.waits.folio ?? []), 1001);
});

test('an end that was lost is in neither, and a copy does not change', () => {
  const sums = new TimelineSums();
  sums.waited(wait(0, Number.NaN));
  const before = sums.copy();
  assert.deepEqual(before.whole.waits, {});
  sums.waited(wait(0, 1000, 'userfault'));
  assert.deepEqual(before.whole.waits, {});
  assert.equal(sum(sums.copy().whole.waits.userfault ?? []), 1);
});

test('faults a row lost over a session: each in its slice, however often the slices doubled', () => {
  const sums = new LostSums();
  const times = Array.from({ length: 500 }, (_, i) => i * i * 1e6);
  for (const time of times) sums.add(time);
  const { sliceNs, counts } = sums.copy();
  assert.equal(sliceNs, 100e6 * 64);
  const naive = counts.map((_, at) => times.filter((time) => Math.floor(time / sliceNs) === at).length);
  assert.deepEqual(counts, naive);
  assert.equal(
    counts.reduce((sum, n) => sum + n, 0),
    times.length,
  );
});
