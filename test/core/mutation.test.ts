// SPDX-License-Identifier: MIT
/**
 * The tests are worth something only if they notice a wrong table: each cell in use is broken in turn, a fifth
 * of them a day (`make test-long`: all). */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ACTIONS, STATES, SYMBOLS } from '../../src/core/lifecycle/table/states.js';
import { COMPILED, STATE, SYMBOL_COUNT } from '../../src/core/lifecycle/table/symbols.js';
import { some } from '../long.js';
import { compareWithOracle, type Expectation, expectationOf } from './compare.js';
import { type SyntheticStream, synthesizeStream } from './synthetic.js';

interface Case {
  readonly stream: SyntheticStream;
  readonly observed: boolean;
  readonly expected: Expectation;
}

const CASES: readonly Case[] = [
  { seed: 1, faults: 500, dropRate: 0, missRate: 0 },
  { seed: 2, faults: 500, dropRate: 0.1, missRate: 0.1 },
  { seed: 3, faults: 500, dropRate: 0, missRate: 0.15 },
  { seed: 4, faults: 500, dropRate: 0.3, missRate: 0 },
  // Faults cut short in the middle of an inner function need several misses in a row.
  { seed: 7, faults: 2000, dropRate: 0, missRate: 0.5 },
].flatMap(({ seed, faults, ...rates }) =>
  [false, true].map((observed) => {
    // Either release is seen with and without the other, over the seeds.
    const released = observed === (seed % 2 === 0);
    const stream = synthesizeStream(faults, seed, { threads: 5, observed, released, ...rates });
    return { stream, observed, expected: expectationOf(stream, observed) };
  }),
);

const NO_ACTION = ACTIONS.indexOf('none');

/** Cells whose action has nothing left to do in any stream a kernel can send. */
const NO_MATTER: Readonly<Record<string, string>> = {
  'Start × Signal': 'an end that comes first has lost its first step, which is named already',
  'Start × TaskExit': 'as above',
  'Start × Abandoned': 'as above',
  'Unwind × SwapExit': 'handle_userfault inside has said RETRY already',
  'Unwind × FileExit': 'as above',
  'SwapTail × FileExit': 'as above',
  'Leaving × SwapExit': 'filemap_fault inside has said RETRY already',
  'NoVma × MmContended': 'the attempt begins with the next action just as well, unless nothing more is seen of it',
  'FlorSlept × WaitExit': 'a wait whose begin was missed in an attempt whose begin was missed: nothing to end',
  'SwapWoke × WaitExit': 'as above',
  'Uffd × WaitExit': 'as above',
  'AnonTried × WaitExit': 'as above',
  'MmFound × WaitExit': 'as above',
  'FileSlept × TaskExit': 'reached behind dropped steps here, which leave the fault incomplete already',
};

const USED: readonly ReadonlyMap<number, number>[] = CASES.map(cellsInUse);
/** A cell that is passed through less often may have been so only where steps are lost anyway, and change nothing. */
const SELDOM = 6;

/** Whether the comparison with the oracle notices, over the cases that pass through the cell. */
function noticed(cell: number): boolean {
  try {
    CASES.forEach((one, i) => {
      if (USED[i]?.has(cell)) compareWithOracle(one.stream, one.observed, one.expected);
    });
    return false;
  } catch {
    return true;
  }
}

function cellsInUse({ stream, observed, expected }: Case): Map<number, number> {
  const used = new Map<number, number>();
  const next = COMPILED.next;
  const spy = new Proxy(next, {
    get(target, key) {
      if (typeof key === 'string' && /^\d+$/.test(key)) used.set(Number(key), (used.get(Number(key)) ?? 0) + 1);
      return Reflect.get(target, key, target) as unknown;
    },
  });
  const table = COMPILED as { next: Uint8Array };
  table.next = spy;
  try {
    compareWithOracle(stream, observed, expected);
  } finally {
    table.next = next;
  }
  return used;
}

const nameOf = (cell: number): string => `${STATES[Math.floor(cell / SYMBOL_COUNT)]} × ${SYMBOLS[cell % SYMBOL_COUNT]}`;

describe('a wrong cell of the transition table', () => {
  const uses = new Map<number, number>();
  for (const cells of USED) for (const [cell, n] of cells) uses.set(cell, (uses.get(cell) ?? 0) + n);
  const used = [...uses.keys()].filter((cell) => (uses.get(cell) ?? 0) >= SELDOM).sort((x, y) => x - y);

  it('is reached by the cases, as most of those a kernel can send are', () => {
    assert.ok(used.length > 300, `${used.length} of ${uses.size} cells in use often enough`);
  });

  it('is noticed when it does nothing', () => {
    const survivors: string[] = [];
    for (const cell of some(used)) {
      const action = COMPILED.action[cell] as number;
      if (action === NO_ACTION) continue;
      COMPILED.action[cell] = NO_ACTION;
      if (!(nameOf(cell) in NO_MATTER) && !noticed(cell)) survivors.push(`${nameOf(cell)}: ${ACTIONS[action]}`);
      COMPILED.action[cell] = action;
    }
    assert.deepEqual(survivors, []);
  });

  it('is noticed when it goes astray', () => {
    const survivors: string[] = [];
    for (const cell of some(used)) {
      const next = COMPILED.next[cell] as number;
      const again = COMPILED.again[cell] as number;
      // A chain that leads to itself would not end: a wrong turn stops there instead.
      COMPILED.next[cell] = next === STATE.Closed ? STATE.Held : STATE.Closed;
      COMPILED.again[cell] = 0;
      if (!noticed(cell)) survivors.push(nameOf(cell));
      COMPILED.next[cell] = next;
      COMPILED.again[cell] = again;
    }
    assert.deepEqual(survivors, []);
  });
});
