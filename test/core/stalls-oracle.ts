// SPDX-License-Identifier: MIT
/** Retries and writers at random, played into `Stalls`, and what a naive quadratic oracle says of them. */
import fc from 'fast-check';
import { Hold, StallTotals } from '../../src/core/aggregate/stall-hold.js';
import { type Faulted, Stalls } from '../../src/core/aggregate/stalls.js';

export interface Retry {
  readonly mm: number;
  readonly address: number;
  /** null: not known. */
  readonly around: readonly [number, number] | null;
  readonly start: number;
  readonly end: number;
  readonly cause: number;
  readonly process: number;
}

export interface Came {
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

export const placeOf = ({ mm, address, around }: Omit<Retry, 'end'>): Faulted => ({
  mm,
  address,
  vmaStart: around?.[0] ?? 0,
  vmaEnd: around?.[1] ?? 0,
});

export interface Sums {
  exactNs: number;
  boundNs: number;
  exactHolds: number;
  boundHolds: number;
}

/** Every writer against every retry: the longest stall of each hold, summed. */
export function oracle(retries: readonly Retry[], came: readonly Came[], of: (retry: Retry) => boolean): Sums {
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
export function play(
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

export function plain({ exactNs, boundNs, exactHolds, boundHolds }: Sums): Sums {
  return { exactNs, boundNs, exactHolds, boundHolds };
}

export const NOTHING: Sums = { exactNs: 0, boundNs: 0, exactHolds: 0, boundHolds: 0 };

const range = fc.tuple(fc.nat(9), fc.integer({ min: 1, max: 6 })).map(([lo, n]) => [lo, lo + n] as const);

export const retry: fc.Arbitrary<Retry> = fc
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
export const stream: fc.Arbitrary<{
  readonly retries: Retry[];
  readonly came: Came[];
  readonly order: number[];
}> = fc.tuple(fc.array(retry, { maxLength: 40 }), fc.array(moment, { maxLength: 40 })).chain(([retries, came]) =>
  fc.record({
    retries: fc.constant(retries),
    came: fc.constant(came),
    order: fc.shuffledSubarray([...Array(retries.length + came.length).keys()], {
      minLength: retries.length + came.length,
    }),
  }),
);

export const AT_5: Omit<Retry, 'start' | 'end'> = { mm: 1, address: 5, around: [4, 6], cause: 0, process: 0 };
