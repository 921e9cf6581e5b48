// SPDX-License-Identifier: MIT
/** The test behind a diff: its error rate, its power, and the shape of its input. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LOG_HISTOGRAM_ERROR, LogHistogram } from '../../src/core/aggregate/series/log-histogram.js';
import { Series } from '../../src/core/aggregate/series/series.js';
import type { Ratio } from '../../src/core/diff/figures.js';
import { adjustedP } from '../../src/core/diff/permutation.js';

/** A generator of normal numbers that is not the one under test. */
function normals(seed: number): () => number {
  let state = seed >>> 0;
  const unit = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(unit())) * Math.cos(2 * Math.PI * unit());
}

function ratio(normal: () => number, slices: number, shift: number, noise = 0.5): Ratio {
  const side = (mean: number): [number, number][] =>
    Array.from({ length: slices }, () => {
      const faults = 1000 * Math.exp(0.3 * normal());
      return [faults * mean * Math.exp(noise * normal()), faults];
    });
  return { a: side(1), b: side(1 + shift) };
}

test('over 40 figures at once, something is named in about one comparison of like with like in twenty', () => {
  let named = 0;
  const rounds = 200;
  for (let round = 0; round < rounds; round++) {
    const normal = normals(round + 1);
    const figures = Array.from({ length: 40 }, () => ratio(normal, 6, 0));
    if (adjustedP(figures).some((p) => p < 0.05)) named++;
  }
  // 5 % of 200 are 10; 18 or more have a chance of 1 %.
  assert.ok(named <= 17, `${named} of ${rounds}`);
});

test('a true difference among 39 figures without one is named, and they are not', () => {
  let found = 0;
  let others = 0;
  for (let round = 0; round < 20; round++) {
    const normal = normals(round + 77);
    const figures = Array.from({ length: 39 }, () => ratio(normal, 8, 0, 0.2));
    const [p = 1, ...rest] = adjustedP([ratio(normal, 8, 1, 0.2), ...figures]);
    if (p < 0.05) found++;
    if (rest.some((q) => q < 0.05)) others++;
  }
  assert.ok(found >= 17, `${found} of 20`);
  assert.ok(others <= 4, `${others} of 20`);
});

test('several true differences: the largest is no reason to doubt the others, which are named as often as each alone', () => {
  const rounds = 20;
  let together = 0;
  let alone = 0;
  for (let round = 0; round < rounds; round++) {
    const normal = normals(round + 300);
    // Slices without overlap, but one deal in 924 can be lucky in the scatter of the first.
    const figures = [ratio(normal, 6, 20, 0.05), ratio(normal, 6, 1, 0.2), ratio(normal, 6, 1, 0.2)];
    const ps = adjustedP(figures);
    const [, second = 1] = ps;
    assert.ok(ps.every((p) => p > 0 && p <= 1));
    if (second < 0.05) together++;
    // Without the one that stands out most: the same rivals.
    const [without = 1] = adjustedP(figures.slice(1));
    if (without < 0.05) alone++;
    const [first = 1] = ps;
    assert.equal(second, Math.max(first, without));
  }
  assert.equal(together, alone);
  assert.ok(alone >= 15, `${alone} of ${rounds}`);
});

test('a figure that is one number in all of A and another in all of B differs; one that is the same everywhere does not', () => {
  const constant = (a: number, b: number): Ratio => ({
    a: Array.from({ length: 6 }, () => [a, 10]),
    b: Array.from({ length: 6 }, () => [b, 10]),
  });
  const [differs, same, empty] = adjustedP([constant(1, 2), constant(3, 3), constant(0, 0)]);
  assert.ok((differs ?? 1) < 0.01);
  assert.equal(same, 1);
  assert.equal(empty, 1);
});

test('p is a number of deals: exactly one in 924 and its mirror image for sides without overlap', () => {
  const apart: Ratio = {
    a: [1, 2, 3, 4, 5, 6].map((x) => [x, 100]),
    b: [71, 72, 73, 74, 75, 76].map((x) => [x, 100]),
  };
  assert.deepEqual(adjustedP([apart]), [2 / 924]);
  const tooMany: Ratio = { a: Array.from({ length: 9 }, () => [1, 1]), b: Array.from({ length: 8 }, () => [1, 1]) };
  assert.throws(() => adjustedP([tooMany]), RangeError);
});

test('the same input gives the same answer', () => {
  const figures = [ratio(normals(5), 6, 0.3), ratio(normals(6), 6, 0)];
  assert.deepEqual(adjustedP(figures), adjustedP(figures));
});

test('property: slices that double keep every sum and every wait, whatever comes when', () => {
  const entry = fc.record({ time: fc.integer({ min: 0, max: 500_000 }), value: fc.integer({ min: 1, max: 1e9 }) });
  fc.assert(
    fc.property(
      fc.array(entry, { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 1, max: 30 }),
      (entries, groups) => {
        const series = new Series();
        for (const { time, value } of entries) {
          const cell = series.at(time * 1e6);
          cell.add('x', value);
          cell.record('w', value);
          series.spread('s', Math.max(0, time - 300) * 1e6, time * 1e6, value);
        }
        assert.ok(series.length <= 480);
        const cells = series.regroup(groups);
        assert.equal(cells.length, groups);
        const total = entries.reduce((sum, { value }) => sum + value, 0);
        assert.equal(
          cells.reduce((sum, cell) => sum + cell.get('x'), 0),
          total,
        );
        assert.equal(
          cells.reduce((sum, cell) => sum + (cell.histograms.get('w')?.count ?? 0), 0),
          entries.length,
        );
        const spread = cells.reduce((sum, cell) => sum + cell.get('s'), 0);
        assert.ok(Math.abs(spread - total) <= 1e-9 * total, `${spread} ${total}`);
      },
    ),
  );
});

test('property: a percentile is within its error of the value of that rank', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 1e10 }), { minLength: 1 }),
      fc.constantFrom(0.5, 0.9, 0.99),
      (values, share) => {
        const histogram = new LogHistogram();
        for (const value of values) histogram.record(value);
        const exact = [...values].sort((x, y) => x - y)[Math.ceil(share * values.length) - 1] ?? 0;
        assert.ok(Math.abs(histogram.percentile(share) / exact - 1) <= LOG_HISTOGRAM_ERROR * 1.01);
        const bucket = histogram.percentileBucket(share);
        assert.ok(histogram.above(bucket) <= values.filter((value) => value > exact).length);
      },
    ),
  );
});
