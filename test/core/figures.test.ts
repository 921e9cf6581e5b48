// SPDX-License-Identifier: MIT
/** What alert rules read is what a snapshot says, and its lists begin as sorted ones do. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import { topOf } from '../../src/core/aggregate/top-of.js';
import { openFile } from '../../src/recording/read/file.js';

const LISTS = 'handlers causeStacks stacks cgroups addresses vmas totals causeCosts timeline slowest examples mappings';

for (const name of ['mixed-7.3', 'swap-7.3', 'blocked-6.12']) {
  test(`${name}: figures are those of the snapshot`, async () => {
    const source = await openFile(fileURLToPath(new URL(`../../../test/golden/${name}.vmlt`, import.meta.url)));
    const pipeline = new Pipeline(source.session);
    for await (const batch of source.batches()) {
      pipeline.push(batch);
      const [figures, snapshot] = [pipeline.figures(), pipeline.snapshot()];
      for (const key of Object.keys(snapshot) as (keyof typeof figures)[]) {
        if (LISTS.split(' ').includes(key)) continue;
        const [got, due] = [figures[key], snapshot[key]];
        if (key === 'processes')
          assert.deepEqual(figures.processes.map(withoutRows), snapshot.processes.map(withoutRows));
        else if (key === 'blockers' || key === 'swap') assert.deepEqual(withoutRows(got), withoutRows(due));
        else assert.deepEqual(got, due, key);
      }
    }
    await source.close();
  });
}

function withoutRows(part: unknown): object {
  const { rows, counted, lost, ...rest } = part as Readonly<Record<string, unknown>>;
  return rest;
}

test('the top of rows is the beginning of them sorted, of equal ones the earlier', () => {
  const rows = fc.array(fc.record({ weight: fc.integer({ min: 0, max: 9 }), at: fc.integer() }), { maxLength: 200 });
  fc.assert(
    fc.property(rows, fc.integer({ min: 1, max: 20 }), (all, count) => {
      const order = (x: { readonly weight: number }, y: { readonly weight: number }): number => y.weight - x.weight;
      assert.deepEqual(topOf(all, count, order), [...all].sort(order).slice(0, count));
    }),
  );
});
