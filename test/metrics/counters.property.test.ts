// SPDX-License-Identifier: MIT
/** A metric of type counter never goes down, whenever in a session it is read: Prometheus would take that for a restart. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import type { Snapshot } from '../../src/core/aggregate/snapshot.js';
import { snapshotFamilies } from '../../src/metrics/families.js';
import type { Family } from '../../src/metrics/family.js';
import { VlKind, VlLockFlag, VlStepFlag } from '../../src/schema/events.gen.js';
import { Random } from '../core/scripts.js';
import { syntheticHooks, syntheticSession } from '../core/session.js';
import { synthesizeStream } from '../core/synthetic.js';
import { batchesOf, hooked, type WireRow, WRITER_HOOKS } from '../core/wire.js';
import { runs } from '../long.js';

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

const streams = runs(40);
/** Streams in which the plain sums are known to go back, so that few show it as well. */
const known = { seed: 2, threads: 4, released: false, unfinished: false, dropRate: 0, missRate: 0 };

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
    {
      numRuns: streams,
      examples: [
        [known, 2],
        [known, 65_536],
        [{ ...known, dropRate: 0.02 }, 2],
      ],
    },
  );
  const least = streams / 2;
  assert.ok(
    seen.changedRetries > least && seen.changedAborts > least,
    `the streams show nothing: ${JSON.stringify(seen)}`,
  );
});

/** Holds and waits of one mm of thousands, by one of its two processes: most rows of blockers are given up for others. */
function blocking(random: Random, time: number): WireRow[] {
  const process = random.chance(0.3) ? random.int(0, 10) : random.int(0, 3000);
  const mm = 0x8881_0000_0000 + process * 4096;
  const who = { tid: 10_000 + process, tgid: 10_000 + process, comm: `p${process}`, mm };
  const write = random.chance(0.5) ? VlLockFlag.WRITE : 0;
  const since = time - random.int(1, 100_000);
  const kind = random.chance(0.7) ? VlKind.L_HELD : VlKind.L_WAITED;
  const found = kind === VlKind.L_WAITED ? VlLockFlag.FOUND_READER : 0;
  const rows: WireRow[] = [
    { ...who, kind, time, flags: VlStepFlag.INFO | write | found, a: random.int(0, 20), acquired: since },
  ];
  // Somebody waited for all of it.
  if (random.chance(0.5))
    rows.push({
      ...who,
      tid: who.tid + 50_000,
      kind: VlKind.L_WAITED,
      time: time + 1,
      flags: VlStepFlag.INFO | VlLockFlag.FOUND_READER,
      a: random.int(0, 20),
      acquired: since,
    });
  return rows;
}

test('of thousands of blockers, a series goes back only where its row was given up, and begins anew', () => {
  const seen = { away: 0, evicted: 0 };
  for (const top of [5, 256])
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = new Random(seed);
        const pipeline = new Pipeline(syntheticSession({ ...hooked(...WRITER_HOOKS), holdMinUs: 1 }));
        /** What each series said last, and how many rows had been given up by then. */
        const last = new Map<string, { readonly value: number; readonly evicted: number; readonly at: number }>();
        for (let at = 0; at < 150; at++) {
          for (let n = 0; n < 40; n++)
            for (const batch of batchesOf(blocking(random, (at * 40 + n + 1) * 10_000))) pipeline.push(batch);
          const now = pipeline.snapshot();
          assert.equal(now.blockers.known, true);
          const evicted = now.forgotten?.blockers ?? 0;
          for (const [series, value] of cumulative(snapshotFamilies(now, top))) {
            const was = last.get(series);
            if (was !== undefined && value < was.value)
              assert.ok(
                series.startsWith('vmalocktop_blocker_') && evicted > was.evicted,
                `${series} went from ${was.value} to ${value}`,
              );
            if (was !== undefined && was.at < at - 1) seen.away++;
            last.set(series, { value, evicted, at });
          }
          seen.evicted = Math.max(seen.evicted, evicted);
        }
      }),
      { numRuns: runs(3) },
    );
  assert.ok(seen.away > 100 && seen.evicted > 500, `nobody came back: ${JSON.stringify(seen)}`);
});
