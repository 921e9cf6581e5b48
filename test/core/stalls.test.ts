// SPDX-License-Identifier: MIT
/** The writers' side of the counterfactual, by example and against a naive quadratic oracle. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Hold, StallTotals } from '../../src/core/aggregate/stall-hold.js';
import { type Faulted, Stalls } from '../../src/core/aggregate/stalls.js';

interface Retry {
  readonly mm: number;
  readonly address: number;
  /** null: not known. */
  readonly around: readonly [number, number] | null;
  readonly start: number;
  readonly end: number;
  readonly cause: number;
  readonly process: number;
}

interface Came {
  readonly mm: number;
  readonly hold: number;
  readonly time: number;
  /** null: mmap_lock was had, for whatever VMA. */
  readonly vma: readonly [number, number] | null;
  /** Then: what the system call names. */
  readonly named: readonly [number, number] | null;
}

const POINTS = Array.from({ length: 32 }, (_, i) => i);
const covers = ([lo, hi]: readonly [number, number], point: number): boolean => lo <= point && point <= hi;

/** One VMA or the other ends where the next begins, or they overlap. */
function mayMeet({ address, around }: Retry, { vma, named }: Came): boolean {
  if (vma !== null) return vma[0] <= address && address < vma[1];
  return around === null || named === null || POINTS.some((point) => covers(around, point) && covers(named, point));
}

const placeOf = ({ mm, address, around }: Omit<Retry, 'end'>): Faulted => ({
  mm,
  address,
  vmaStart: around?.[0] ?? 0,
  vmaEnd: around?.[1] ?? 0,
});

interface Sums {
  exactNs: number;
  boundNs: number;
  exactHolds: number;
  boundHolds: number;
}

/** Every writer against every retry: the longest stall of each hold, summed. */
function oracle(retries: readonly Retry[], came: readonly Came[], of: (retry: Retry) => boolean): Sums {
  const longest = { exact: new Map<string, number>(), bound: new Map<string, number>() };
  for (const moment of came) {
    const ends = retries
      .filter((retry) => of(retry) && retry.mm === moment.mm && retry.start <= moment.time && moment.time < retry.end)
      .filter((retry) => mayMeet(retry, moment))
      .map((retry) => retry.end);
    if (ends.length === 0) continue;
    const side = moment.vma === null ? longest.bound : longest.exact;
    const key = `${moment.mm} ${moment.hold}`;
    side.set(key, Math.max(side.get(key) ?? 0, Math.max(...ends) - moment.time));
  }
  const sum = (side: ReadonlyMap<string, number>): number => [...side.values()].reduce((x, y) => x + y, 0);
  return {
    exactNs: sum(longest.exact),
    boundNs: sum(longest.bound),
    exactHolds: longest.exact.size,
    boundHolds: longest.bound.size,
  };
}

const CAUSES = 3;
const PROCESSES = 2;

interface World {
  readonly stalls: Stalls;
  readonly causes: readonly StallTotals[];
  readonly processes: readonly StallTotals[];
}

/** Plays retries and writers in the order of `order`: retries first by index, then writers. */
function play(
  retries: readonly Retry[],
  came: readonly Came[],
  order: readonly number[],
  stalls: Stalls = new Stalls(),
): World {
  const causes = Array.from({ length: CAUSES }, () => new StallTotals());
  const processes = Array.from({ length: PROCESSES }, () => new StallTotals());
  const holds = new Map<string, Hold>();
  for (const i of order) {
    const retry = retries[i];
    if (retry !== undefined) {
      const [cause, process] = [causes[retry.cause], processes[retry.process]] as [StallTotals, StallTotals];
      stalls.window(placeOf(retry), retry.start, retry.end, cause, process);
      continue;
    }
    const moment = came[i - retries.length] as Came;
    const key = `${moment.mm} ${moment.hold}`;
    const hold = holds.get(key) ?? new Hold(moment.hold, moment.mm, moment.time);
    holds.set(key, hold);
    if (moment.vma === null) stalls.acquired(hold, moment.time, moment.named?.[0] ?? 0, moment.named?.[1] ?? 0);
    else stalls.writeLocks(hold, moment.time, moment.vma[0], moment.vma[1]);
  }
  return { stalls, causes, processes };
}

function plain({ exactNs, boundNs, exactHolds, boundHolds }: Sums): Sums {
  return { exactNs, boundNs, exactHolds, boundHolds };
}

const NOTHING: Sums = { exactNs: 0, boundNs: 0, exactHolds: 0, boundHolds: 0 };

const range = fc.tuple(fc.nat(9), fc.integer({ min: 1, max: 6 })).map(([lo, n]) => [lo, lo + n] as const);

const retry = fc
  .record({
    mm: fc.integer({ min: 1, max: 2 }),
    address: fc.integer({ min: 0, max: 9 }),
    around: fc.option(range),
    start: fc.nat(60),
    length: fc.nat(40),
    cause: fc.nat(CAUSES - 1),
    process: fc.nat(PROCESSES - 1),
  })
  .map(({ length, ...rest }): Retry => ({ ...rest, end: rest.start + length }));

const moment = fc
  .record({
    mm: fc.integer({ min: 1, max: 2 }),
    hold: fc.nat(5),
    time: fc.nat(100),
    vma: fc.option(range),
    named: fc.option(range),
  })
  .map((came): Came => came);

/** Retries, writers, and the order in which they come out of the ring. */
const stream = fc
  .tuple(fc.array(retry, { maxLength: 40 }), fc.array(moment, { maxLength: 40 }))
  .chain(([retries, came]) =>
    fc.record({
      retries: fc.constant(retries),
      came: fc.constant(came),
      order: fc.shuffledSubarray([...Array(retries.length + came.length).keys()], {
        minLength: retries.length + came.length,
      }),
    }),
  );

const AT_5 = { mm: 1, address: 5, around: [4, 6], cause: 0, process: 0 } as const;

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
