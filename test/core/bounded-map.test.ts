// SPDX-License-Identifier: MIT
/** A map of bounded size: which of its entries goes when there is no room. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BoundedMap } from '../../src/core/bounded/bounded-map.js';
import { Random } from './random.js';

describe('bounded map', () => {
  it('keeps the heaviest rows, stays within its bound and counts what it dropped', () => {
    const map = new BoundedMap<number, { readonly weight: number }>(100, (row) => row.weight);
    for (let i = 0; i < 1000; i++) map.set(i, { weight: i % 10 === 0 ? 1000 + i : i % 7 });
    assert.ok(map.size <= 100);
    assert.equal(map.size + map.evicted, 1000);
    assert.notEqual(map.get(990), undefined);
    assert.equal([...map.values()].filter((row) => row.weight >= 1000).length >= 70, true);
  });

  it('does not drop rows to replace one it has', () => {
    const map = new BoundedMap<number, number>(2, (n) => n);
    map.set(1, 1);
    map.set(2, 2);
    map.set(2, 3);
    assert.deepEqual([map.size, map.evicted, map.get(2)], [2, 0, 3]);
  });

  it('pushes out the lightest quarter, of equal ones the oldest, and says which', () => {
    const random = new Random(7);
    for (let round = 0; round < 200; round++) {
      const bound = 1 + random.int(0, 39);
      const weights = Array.from({ length: bound + 1 }, () => random.int(0, 3));
      const gone: number[] = [];
      const map = new BoundedMap<number, number>(
        bound,
        (key) => weights[key] ?? 0,
        (key) => gone.push(key),
      );
      for (let key = 0; key <= bound; key++) map.set(key, key);
      const lightest = weights.slice(0, bound).map((weight, key) => ({ weight, key }));
      lightest.sort((x, y) => x.weight - y.weight || x.key - y.key);
      const expected = lightest.slice(0, Math.max(1, bound >> 2)).map(({ key }) => key);
      assert.deepEqual(
        [...gone],
        [...expected].sort((x, y) => x - y),
      );
      assert.equal(map.evicted, expected.length);
      assert.deepEqual(
        [...map.values()],
        [...weights.keys()].filter((key) => !expected.includes(key)),
      );
    }
  });
});
