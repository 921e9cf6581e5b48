// SPDX-License-Identifier: MIT
/** What is called a counter never goes back, wherever in a session it is asked for: less would be taken for a restart. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import type { Snapshot } from '../../src/core/aggregate/snapshot.js';
import { snapshotFamilies } from '../../src/metrics/families.js';
import type { Family } from '../../src/metrics/family.js';
import { syntheticHooks, syntheticSession } from '../core/session.js';
import { synthesizeStream } from '../core/synthetic.js';

/** Everything that accumulates, by series. */
function cumulative(families: readonly Family[]): Map<string, number> {
  const values = new Map<string, number>();
  const set = (family: Family, labels: object, part: string, value: number): void =>
    void values.set(`${family.name}${part} ${JSON.stringify(labels)}`, value);
  for (const family of families) {
    if (family.type === 'counter') for (const { labels, value } of family.samples) set(family, labels, '', value);
    else if (family.type === 'summary')
      for (const { labels, sum, count } of family.samples) {
        set(family, labels, ' sum', sum);
        set(family, labels, ' count', count);
      }
    else if (family.type === 'histogram')
      for (const { labels, counts, sum } of family.samples) {
        counts.forEach((count, i) => void set(family, labels, ` bucket ${i}`, count));
        if (sum !== null) set(family, labels, ' sum', sum);
      }
  }
  return values;
}

const total = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);

test('counters do not go back from one row to the next, whatever is lost or given up', () => {
  const seen = { changedRetries: 0, changedAborts: 0 };
  /** Whether the plain sums by cause went back: then there was something to leave out. */
  const note = (before: Snapshot | null, now: Snapshot): void => {
    const less = (was: Readonly<Record<string, number>>, is: Readonly<Record<string, number>>): boolean =>
      Object.entries(was).some(([cause, count]) => (is[cause] ?? 0) < count);
    if (before === null) return;
    if (less(before.retry.byCause, now.retry.byCause)) seen.changedRetries++;
    if (less(before.abort.byCause, now.abort.byCause)) seen.changedAborts++;
  };
  const stream = fc.record({
    seed: fc.integer(),
    threads: fc.integer({ min: 1, max: 6 }),
    released: fc.boolean(),
    unfinished: fc.boolean(),
    dropRate: fc.constantFrom(0, 0.02, 0.3),
    missRate: fc.constantFrom(0, 0.02, 0.3),
  });
  fc.assert(
    fc.property(stream, fc.constantFrom(2, 65_536), ({ seed, ...options }, maxOpen) => {
      const made = synthesizeStream(60, seed, { ...options, batchRows: 1 });
      const pipeline = new Pipeline(syntheticSession({ hooks: syntheticHooks(made.released) }), { maxOpen });
      let before: Snapshot | null = null;
      let said = new Map<string, number>();
      for (const [i, batch] of made.batches.entries()) {
        // Processes are moved from one cgroup to another and back.
        for (let row = 0; row < batch.length; row++) batch.cgroup[row] = 1 + ((i >> 4) & 1);
        pipeline.push(batch);
        const now = pipeline.snapshot();
        note(before, now);
        before = now;
        const says = cumulative(snapshotFamilies(now, 256));
        for (const [series, value] of says) {
          const was = said.get(series);
          assert.ok(was === undefined || value >= was, `${series} went from ${was} to ${value}`);
        }
        said = says;
      }
      if (before === null) return;
      // Nothing is left out for ever: of what is over, all is counted.
      const { retry, abort, inFlightTotal } = before;
      if (inFlightTotal === 0) assert.deepEqual([retry.undecided, abort.undecided], [{}, {}]);
      assert.ok(total(retry.undecided) + total(abort.undecided) <= inFlightTotal);
    }),
    { numRuns: 40 },
  );
  assert.ok(seen.changedRetries > 20 && seen.changedAborts > 20, `the streams show nothing: ${JSON.stringify(seen)}`);
});
