// SPDX-License-Identifier: MIT
/** The tests are worth something only if they notice a wrong table: each cell in use is broken in turn. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { COMPILED, STATE, SYMBOL_COUNT } from '../../src/core/symbols.js';
import { ACTIONS, STATES, SYMBOLS } from '../../src/core/transitions.js';
import { compareWithOracle } from './compare.js';
import { type SyntheticStream, synthesizeStream } from './synthetic.js';

interface Case {
  readonly stream: SyntheticStream;
  readonly observed: boolean;
}

const CASES: readonly Case[] = [
  { seed: 1, dropRate: 0, missRate: 0 },
  { seed: 2, dropRate: 0.1, missRate: 0.1 },
  { seed: 3, dropRate: 0, missRate: 0.15 },
  { seed: 4, dropRate: 0.3, missRate: 0 },
].flatMap(({ seed, ...rates }) =>
  [false, true].map((observed) => ({ observed, stream: synthesizeStream(900, seed, { threads: 5, observed, ...rates }) })),
);

const NO_ACTION = ACTIONS.indexOf('none');

/** Whether the comparison with the oracle notices. */
function noticed(): boolean {
  try {
    for (const { stream, observed } of CASES) compareWithOracle(stream, observed);
    return false;
  } catch {
    return true;
  }
}

/** Marks the cells the cases pass through. */
function cellsInUse(): Set<number> {
  const used = new Set<number>();
  const next = COMPILED.next;
  const spy = new Proxy(next, {
    get(target, key) {
      if (typeof key === 'string' && /^\d+$/.test(key)) used.add(Number(key));
      return Reflect.get(target, key, target) as unknown;
    },
  });
  const table = COMPILED as { next: Uint8Array };
  table.next = spy;
  try {
    for (const { stream, observed } of CASES) compareWithOracle(stream, observed);
  } finally {
    table.next = next;
  }
  return used;
}

const nameOf = (cell: number): string => `${STATES[Math.floor(cell / SYMBOL_COUNT)]} × ${SYMBOLS[cell % SYMBOL_COUNT]}`;

describe('a wrong cell of the transition table', () => {
  const used = [...cellsInUse()].sort((x, y) => x - y);

  it('is reached by the cases, as most of those a kernel can send are', () => {
    assert.ok(used.length > 120, `${used.length} cells in use`);
  });

  it('is noticed when it does nothing', () => {
    const survivors: string[] = [];
    for (const cell of used) {
      const action = COMPILED.action[cell] as number;
      if (action === NO_ACTION) continue;
      COMPILED.action[cell] = NO_ACTION;
      if (!noticed()) survivors.push(`${nameOf(cell)}: ${ACTIONS[action]}`);
      COMPILED.action[cell] = action;
    }
    assert.deepEqual(survivors, []);
  });

  it('is noticed when it goes astray', () => {
    const survivors: string[] = [];
    for (const cell of used) {
      const next = COMPILED.next[cell] as number;
      const again = COMPILED.again[cell] as number;
      // A chain that leads to itself would not end: a wrong turn stops there instead.
      COMPILED.next[cell] = next === STATE.Closed ? STATE.Held : STATE.Closed;
      COMPILED.again[cell] = 0;
      if (!noticed()) survivors.push(nameOf(cell));
      COMPILED.next[cell] = next;
      COMPILED.again[cell] = again;
    }
    assert.deepEqual(survivors, []);
  });
});
