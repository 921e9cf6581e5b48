// SPDX-License-Identifier: MIT
/** Herds on one folio, pages that retry again, pages reclaimed and needed again. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { VlKind, VlStepFlag } from '../../src/schema/events.gen.js';
import { VMA_FLAGS } from './session.js';
import { AVOIDABLE, inOrder, MM, PAGE, retry, snapshotOf, TGID, type WireRow } from './wire.js';

interface Wait {
  readonly folio: number;
  readonly from: number;
  readonly to: number;
}

/** Waits of one folio, one after the other begun, are one herd while any of them lasts. */
function herdsOf(waits: readonly Wait[]): number[] {
  const sizes: number[] = [];
  for (const folio of new Set(waits.map((wait) => wait.folio))) {
    const own = waits.filter((wait) => wait.folio === folio).sort((x, y) => x.from - y.from);
    let until = Number.NEGATIVE_INFINITY;
    for (const { from, to } of own) {
      if (from < until) (sizes[sizes.length - 1] as number)++;
      else sizes.push(1);
      until = Math.max(until, to);
    }
  }
  const buckets: number[] = [];
  for (const size of sizes) {
    const bucket = Math.floor(Math.log2(size));
    while (buckets.length <= bucket) buckets.push(0);
    (buckets[bucket] as number)++;
  }
  return buckets;
}

function rowsOf(waits: readonly Wait[]): WireRow[] {
  return inOrder(
    ...waits.map(({ folio, from, to }, i) =>
      retry({ fault: i, tid: 200 + i, from, to, folio, found: AVOIDABLE, address: PAGE + i * 4096 }),
    ),
  );
}

function swapFault(fault: number, tid: number, from: number, to: number, address = PAGE, mm = MM): WireRow[] {
  const who = { tid, fault, tgid: TGID, comm: 'load', mm, address, vma: [PAGE, PAGE + 0x10_0000] as const };
  return [
    { ...who, kind: VlKind.SWAP_ENTER, time: from, a: VMA_FLAGS, flags: VlStepFlag.INFO },
    { ...who, kind: VlKind.SWAP_DEVICE, time: from + 1, step: 1 },
    { ...who, kind: VlKind.SWAP_EXIT, time: to - 1, step: 2 },
    { ...who, kind: VlKind.HMF_EXIT, time: to, step: 3, a: VMA_FLAGS, flags: VlStepFlag.REGS },
  ];
}

describe('herds', () => {
  it('of any waits are those that overlap, whatever the order they end in', () => {
    const wait = fc
      .record({ folio: fc.integer({ min: 1, max: 3 }), from: fc.nat(200), length: fc.integer({ min: 1, max: 60 }) })
      .map(({ folio, from, length }): Wait => ({ folio, from: 100 + 2 * from, to: 100 + 2 * (from + length) }));
    fc.assert(
      fc.property(fc.array(wait, { maxLength: 12 }), (waits) => {
        const trim = (sizes: readonly number[]): number[] => sizes.slice(0, sizes.findLastIndex((n) => n > 0) + 1);
        assert.deepEqual(trim(snapshotOf(rowsOf(waits)).progress.herds), herdsOf(waits));
      }),
      { numRuns: 300 },
    );
  });

  it('of N threads at a gate is one of N; a wait whose folio is not known is in none', () => {
    const at = (folio: number): Wait[] => Array.from({ length: 20 }, (_, i) => ({ folio, from: 1000 + i, to: 5000 }));
    const { progress } = snapshotOf(rowsOf(at(9)));
    assert.deepEqual([progress.largestHerd, progress.herds, progress.folioUnknown], [20, [0, 0, 0, 0, 1], 0]);
    const unknown = snapshotOf(rowsOf(at(0))).progress;
    assert.deepEqual([unknown.largestHerd, unknown.herds, unknown.folioUnknown], [0, [], 20]);
  });
});

describe('pages', () => {
  it('that retry again are counted, and the one that does most', () => {
    const plans: readonly (readonly [number, number])[] = [
      [PAGE, 1],
      [PAGE, 1],
      [PAGE, 1],
      [PAGE + 4096, 1],
      [PAGE, 2],
    ];
    const rows = plans.map(([address, mm], i) =>
      retry({ fault: i, tid: 200 + i, from: 1000 * (i + 1), to: 1000 * (i + 1) + 500, found: AVOIDABLE, address, mm }),
    );
    const { progress } = snapshotOf(inOrder(...rows));
    assert.deepEqual([progress.pagesAgain, progress.mostRetries, progress.again], [1, 3, 2]);
  });

  it('mapped by a swap fault and needed again within a second are refaults', () => {
    const again = (...faults: readonly WireRow[][]): number | null => snapshotOf(inOrder(...faults)).progress.refaults;
    const first = swapFault(1, 201, 1000, 2000);
    assert.equal(again(first, swapFault(2, 201, 900_000_000, 900_000_100)), 1);
    assert.equal(again(first, swapFault(2, 201, 1_000_002_000, 1_000_003_000)), 0);
    assert.equal(again(first, swapFault(2, 201, 900_000_000, 900_000_100, PAGE + 4096)), 0);
    assert.equal(again(first, swapFault(2, 201, 900_000_000, 900_000_100, PAGE, MM + 0x1000)), 0);
  });

  it('that two threads want at the same time are no refault', () => {
    const rows = inOrder(swapFault(1, 201, 1000, 2000), swapFault(2, 202, 1500, 2500));
    assert.equal(snapshotOf(rows).progress.refaults, 0);
  });
});
