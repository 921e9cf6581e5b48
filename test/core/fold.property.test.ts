// SPDX-License-Identifier: MIT
/** The fold is compared with the truth when nothing is lost, and with the naive oracle when anything is lost. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Snapshot } from '../../src/core/aggregate/snapshot.js';
import type { Lifecycle } from '../../src/core/lifecycle/lifecycle.js';
import { RETRY_CAUSES } from '../../src/core/vocabulary/causes.js';
import { runs } from '../long.js';
import { compareWithOracle, feed, type Run, run } from './compare.js';
import { synthesizeStream } from './synthetic.js';

const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((total, n) => total + n, 0);

const stream = fc.record({
  seed: fc.integer(),
  faults: fc.integer({ min: 1, max: 120 }),
  threads: fc.integer({ min: 1, max: 6 }),
  observed: fc.boolean(),
  released: fc.boolean(),
  batchRows: fc.constantFrom(1, 7, 4096),
});

describe('fold, nothing lost', () => {
  it('finds the end and the cause of every fault', () => {
    fc.assert(
      fc.property(stream, ({ seed, faults, ...options }) => {
        const made = synthesizeStream(faults, seed, options);
        const { closed, open } = run(made, options.observed);
        for (const fault of closed) {
          const truth = made.truths.get(fault.id);
          assert.equal(fault.how, truth?.script.end, truth?.script.name);
          assert.deepEqual(fault.lost, [], truth?.script.name);
          const vma = fault.attempts.find((a) => a.lock === 'vma');
          assert.equal(vma?.cause ?? null, truth?.script.cause, truth?.script.name);
          assert.equal(vma?.verdict?.kind ?? null, truth?.script.verdict, truth?.script.name);
        }
        for (const fault of open) assert.equal(made.truths.get(fault.id)?.unfinished, true);
        assert.equal(closed.length + open.length, made.truths.size);
      }),
      { numRuns: runs(300) },
    );
  });
});

describe('fold, records dropped and runs missed', () => {
  const lossy = fc.record({
    made: stream,
    dropRate: fc.constantFrom(0, 0.02, 0.3, 0.6),
    missRate: fc.constantFrom(0, 0.02, 0.2, 0.5),
  });

  it('agrees with the oracle on every fault, joins no step wrongly, names every loss', () => {
    fc.assert(
      fc.property(lossy, ({ made: { seed, faults, ...options }, dropRate, missRate }) => {
        compareWithOracle(synthesizeStream(faults, seed, { ...options, dropRate, missRate }), options.observed);
      }),
      { numRuns: runs(1500) },
    );
  });

  it('ends every lifecycle once, and its sums are the sums of its lifecycles', () => {
    fc.assert(
      fc.property(lossy, ({ made: { seed, faults, ...options }, dropRate, missRate }) => {
        const made = synthesizeStream(faults, seed, { ...options, dropRate, missRate });
        const { closed, open, snapshot, told } = run(made, options.observed);
        checkSums(snapshot, closed, open);
        checkTold(told, closed, open);
        assert.equal(new Set([...closed, ...open].map((fault) => fault.id)).size, closed.length + open.length);
        assert.equal(snapshot.events.emitted, snapshot.events.decoded + snapshot.events.dropped);
        assert.equal(snapshot.events.dropped, made.dropped);
        assert.equal(snapshot.events.decoded, made.rows.length);
      }),
      { numRuns: runs(200) },
    );
  });

  it('holds no more lifecycles open than it may, and counts those it gives up', () => {
    const made = synthesizeStream(4000, 7, { threads: 64, dropRate: 0.2 });
    const { snapshot, closed, open } = run(made, false, 8);
    assert.ok(snapshot.lifecycles.evicted > 0);
    assert.ok(snapshot.inFlightTotal <= 8);
    checkSums(snapshot, closed, open);
    assert.equal(new Set(closed.map((fault) => fault.id)).size, closed.length);
    const given = closed.filter((fault) => fault.lost.some((what) => what.includes('too many faults in flight')));
    assert.equal(given.length, snapshot.lifecycles.evicted);
  });
});

describe('fold, any rows whatever', () => {
  it('never throws and loses no lifecycle', () => {
    const row = fc.record({
      kind: fc.integer({ min: 0, max: 33 }),
      flags: fc.integer({ min: 0, max: 7 }),
      tid: fc.integer({ min: 1, max: 3 }),
      fault: fc.integer({ min: 0, max: 4 }),
      step: fc.oneof(fc.integer({ min: 0, max: 6 }), fc.constantFrom(0x7fff, 0x8000, 0xffff)),
      a: fc.constantFrom(0, 1, 0x1254, 0x254, 0x274, 0xffffffff),
      b: fc.constantFrom(0, 4, 0x400, 0x404, 0x4000, 2),
      depth: fc.integer({ min: 0, max: 2 }),
    });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 80 }), fc.boolean(), (rows, observed) => {
        const closed: Lifecycle[] = [];
        const snapshot = feed(rows, observed, closed);
        assert.equal(sum(snapshot.lifecycles.byEnd), snapshot.lifecycles.total);
        assert.equal(closed.length + snapshot.inFlightTotal, snapshot.lifecycles.total);
        assert.equal(snapshot.events.decoded, rows.length);
        for (const { unbounded, count, width } of Object.values(snapshot.release))
          assert.equal(unbounded + width.count, count);
      }),
      { numRuns: runs(3000) },
    );
  });
});

/** The causes told, as corrected later, are those of the lifecycles; each RETRY is judged once, when it can be. */
function checkTold(told: Run['told'], closed: readonly Lifecycle[], open: readonly Lifecycle[]): void {
  const faults = [...closed, ...open];
  const vma = faults.flatMap((fault) => fault.attempts.filter((attempt) => attempt.lock === 'vma'));
  const sums = new Map<string, number>();
  // An attempt whose lock was never known was reported without one; its outcome is a guess anyway.
  for (const { cause, outcome, flags, verdict } of vma) {
    if (cause === null || (outcome === 'retry' && flags === -1 && verdict === null)) continue;
    sums.set(cause, (sums.get(cause) ?? 0) + 1);
  }
  for (const [cause, n] of sums) assert.ok((told.causes.get(cause) ?? 0) >= n, cause);
  const retries = [...told.causes].filter(([cause]) => RETRY_CAUSES.some((one) => one === cause));
  assert.equal(
    retries.reduce((total, [, n]) => total + n, 0),
    told.retries,
  );
  assert.equal(told.verdicts, vma.filter((attempt) => attempt.verdict !== null).length);
  const pending = open.filter((fault) => fault.attempts.some((one) => one.lock === 'vma' && one.outcome === 'retry'));
  assert.ok(told.retries - told.verdicts <= pending.length);
}

function checkSums(snapshot: Snapshot, closed: readonly Lifecycle[], open: readonly Lifecycle[]): void {
  const faults = [...closed, ...open];
  const vma = faults.flatMap((fault) =>
    fault.attempts.filter((attempt) => attempt.lock === 'vma' && attempt.outcome === 'retry' && attempt.flags !== -1),
  );
  assert.equal(sum(snapshot.lifecycles.byEnd), snapshot.lifecycles.total);
  assert.equal(snapshot.lifecycles.total, faults.length);
  assert.equal(snapshot.lifecycles.byEnd['in-flight'], open.length);
  assert.ok(snapshot.retry.total >= vma.length);
  assert.equal(sum(snapshot.retry.byCause), snapshot.retry.total);
  assert.equal(sum(snapshot.retry.unknownBy), snapshot.retry.byCause.unknown);
  assert.ok(snapshot.retry.joined <= snapshot.retry.total);
  const waits = faults.flatMap((fault) =>
    fault.waits.filter((wait) => wait.kind === 'folio' && !Number.isNaN(wait.end)),
  );
  assert.equal(snapshot.waits.folio.count, waits.length);
  assert.equal(
    snapshot.waits.folio.sumNs,
    waits.reduce((total, wait) => total + wait.end - wait.start, 0),
  );
  assert.equal(
    snapshot.processes.reduce((total, row) => total + row.lifecycles, 0),
    faults.length,
  );
  assert.equal(
    snapshot.processes.reduce((total, row) => total + row.inFlight, 0),
    open.length,
  );
  assert.equal(
    snapshot.processes.reduce((total, row) => total + row.retries, 0),
    snapshot.retry.total,
  );
  for (const row of snapshot.addresses) {
    assert.equal(sum(row.byCause), row.retries);
    assert.equal(sum(row.byEnd), row.lifecycles);
  }
}
