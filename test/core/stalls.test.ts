// SPDX-License-Identifier: MIT
/** The writers' side of the counterfactual, by example and against a naive quadratic oracle. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Hold, StallTotals } from '../../src/core/aggregate/stall-hold.js';
import { Stalls } from '../../src/core/aggregate/stalls.js';
import {
  AT_5,
  type Came,
  NOTHING,
  oracle,
  placeOf,
  plain,
  play,
  type Retry,
  retry,
  type Sums,
  stream,
} from './stalls-oracle.js';

describe('stall of writers', () => {
  it('is what the quadratic oracle says, in whatever order retries and writers come', () => {
    fc.assert(
      fc.property(stream, ({ retries, came, order }) => {
        const { stalls, causes, processes } = play(retries, came, order);
        assert.deepEqual(
          plain(stalls.all),
          oracle(retries, came, () => true),
        );
        causes.forEach((sums, i) => {
          assert.deepEqual(
            plain(sums),
            oracle(retries, came, ({ cause }) => cause === i),
          );
        });
        processes.forEach((sums, i) => {
          assert.deepEqual(
            plain(sums),
            oracle(retries, came, ({ process }) => process === i),
          );
        });
        assert.deepEqual([stalls.lateMoments, stalls.lateWindows], [0, 0]);
      }),
      { numRuns: 1000 },
    );
  });

  it('with windows still open is what it would be if they ended now, and changes nothing', () => {
    fc.assert(
      fc.property(stream, fc.array(retry, { maxLength: 10 }), ({ retries, came, order }, waiting) => {
        const now = 101;
        const { stalls, processes } = play(retries, came, order);
        const before = plain(stalls.all);
        const open = waiting.map((each) => ({
          at: placeOf(each),
          start: each.start,
          process: processes[each.process] as StallTotals,
        }));
        const more = stalls.provisional(open, now);
        assert.deepEqual(plain(stalls.all), before);
        const all = [...retries, ...waiting.map((each) => ({ ...each, end: now }))];
        const check = (sums: StallTotals, of: (each: Retry) => boolean): void => {
          const extra = more.get(sums) ?? NOTHING;
          assert.deepEqual(
            {
              exactNs: sums.exactNs + extra.exactNs,
              boundNs: sums.boundNs + extra.boundNs,
              exactHolds: sums.exactHolds + extra.exactHolds,
              boundHolds: sums.boundHolds + extra.boundHolds,
            },
            oracle(all, came, of),
          );
        };
        check(stalls.all, () => true);
        processes.forEach((sums, i) => {
          check(sums, ({ process }) => process === i);
        });
      }),
      { numRuns: 500 },
    );
  });

  it('is never overstated where tables are full, and what may be lacking is counted', () => {
    fc.assert(
      fc.property(stream, ({ retries, came, order }) => {
        const { stalls } = play(retries, came, order, new Stalls(3, 3));
        const truth = oracle(retries, came, () => true);
        assert.ok(stalls.all.exactNs <= truth.exactNs && stalls.all.boundNs <= truth.boundNs);
        const lacks = stalls.all.exactNs < truth.exactNs || stalls.all.boundNs < truth.boundNs;
        if (lacks) assert.ok(stalls.lateMoments + stalls.lateWindows > 0);
      }),
      { numRuns: 500 },
    );
  });

  it('takes a writer within several windows until the last of them, once', () => {
    const retries: Retry[] = [10, 20, 30].map((end) => ({ ...AT_5, start: 0, end }));
    const came: Came[] = [{ mm: 1, hold: 1, time: 4, vma: [5, 6], named: null }];
    assert.deepEqual(plain(play(retries, came, [0, 1, 2, 3]).stalls.all), { ...NOTHING, exactNs: 26, exactHolds: 1 });
  });

  it('takes a split VMA, write-locked in two parts under one hold, once', () => {
    const retries: Retry[] = [{ ...AT_5, start: 0, end: 100 }];
    const came: Came[] = [
      { mm: 1, hold: 1, time: 40, vma: [0, 9], named: null },
      { mm: 1, hold: 1, time: 41, vma: [5, 9], named: null },
    ];
    assert.deepEqual(plain(play(retries, came, [0, 1, 2]).stalls.all), { ...NOTHING, exactNs: 60, exactHolds: 1 });
  });

  it('leaves out writers of other VMAs, of other mms, before the release and at the end', () => {
    const retries: Retry[] = [{ ...AT_5, start: 10, end: 20 }];
    const came: Came[] = [
      { mm: 1, hold: 1, time: 15, vma: [6, 9], named: null },
      { mm: 2, hold: 2, time: 15, vma: [0, 9], named: null },
      { mm: 1, hold: 3, time: 9, vma: [0, 9], named: null },
      { mm: 1, hold: 4, time: 20, vma: [0, 9], named: null },
    ];
    assert.deepEqual(plain(play(retries, came, [0, 1, 2, 3, 4]).stalls.all), NOTHING);
  });

  it('leaves out whose system call names other VMAs, neighbours not', () => {
    const retries: Retry[] = [{ ...AT_5, start: 10, end: 20 }];
    const at = (named: readonly [number, number] | null): Sums =>
      plain(play(retries, [{ mm: 1, hold: 1, time: 15, vma: null, named }], [0, 1]).stalls.all);
    const stalled = { ...NOTHING, boundNs: 5, boundHolds: 1 };
    assert.deepEqual([at([7, 9]), at([1, 3])], [NOTHING, NOTHING]);
    for (const named of [[6, 9], [1, 4], [5, 6], [0, 9], null] as const) assert.deepEqual(at(named), stalled);
  });

  it('forgets mms it has not heard of for long, and counts what that may cost', () => {
    const stalls = new Stalls();
    const [cause, process] = [new StallTotals(), new StallTotals()];
    stalls.window(placeOf({ ...AT_5, start: 0 }), 0, 1e6, cause, process);
    for (let mm = 2; mm < 6000; mm++) stalls.window(placeOf({ ...AT_5, mm, start: mm }), mm, mm + 1, cause, process);
    stalls.acquired(new Hold(1, 1, 500), 500, 0, 0);
    assert.equal(stalls.all.boundNs, 0);
    assert.equal(stalls.lateMoments, 1);
  });
});
