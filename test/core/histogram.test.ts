// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { HISTOGRAM_ERROR, Histogram } from '../../src/core/aggregate/histogram.js';

const durations = fc.array(
  fc.oneof(fc.nat(300), fc.nat(2 ** 31 - 1), fc.double({ min: 0, max: 2 ** 53 - 1, noNaN: true }).map(Math.floor)),
  {
    minLength: 1,
    maxLength: 200,
  },
);

describe('histogram', () => {
  it('reports percentiles within its stated error, count, sum and maximum exactly', () => {
    fc.assert(
      fc.property(durations, fc.double({ min: 0, max: 1, noNaN: true }), (values, share) => {
        const histogram = new Histogram();
        for (const value of values) histogram.record(value);
        const sorted = [...values].sort((x, y) => x - y);
        const exact = sorted[Math.max(0, Math.ceil(share * values.length) - 1)] as number;
        assert.ok(
          Math.abs(histogram.percentile(share) - exact) <= exact * HISTOGRAM_ERROR,
          `${histogram.percentile(share)} for ${exact}`,
        );
        assert.equal(histogram.count, values.length);
        assert.equal(histogram.max, sorted.at(-1));
        assert.equal(
          histogram.sum,
          values.reduce((sum, value) => sum + value, 0),
        );
      }),
      { numRuns: 500 },
    );
  });

  it('of two parts merged is that of the whole', () => {
    fc.assert(
      fc.property(durations, durations, (left, right) => {
        const fill = (values: readonly number[]): Histogram => {
          const histogram = new Histogram();
          for (const value of values) histogram.record(value);
          return histogram;
        };
        const merged = fill(left);
        merged.merge(fill(right));
        const whole = fill([...left, ...right]).stats();
        assert.deepEqual({ ...merged.stats(), sumNs: 0 }, { ...whole, sumNs: 0 });
      }),
    );
  });

  it('says nothing of what it does not know', () => {
    assert.deepEqual(new Histogram().stats(), {
      count: 0,
      sumNs: 0,
      p50Ns: Number.NaN,
      p99Ns: Number.NaN,
      maxNs: Number.NaN,
    });
    assert.throws(() => new Histogram().record(Number.NaN), RangeError);
    assert.throws(() => new Histogram().record(Number.POSITIVE_INFINITY), RangeError);
  });

  it('takes a clock that went back for no time at all', () => {
    const histogram = new Histogram();
    histogram.record(-5);
    assert.equal(histogram.percentile(0.5), 0);
  });
});
