// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { STATES, type StateName, SYMBOLS, type SymbolName } from '../../src/core/lifecycle/table/states.js';
import { TABLE } from '../../src/core/lifecycle/table/transitions.js';

/** The states a symbol leads through, the last one being where it was taken. */
function chain(state: StateName, symbol: SymbolName): StateName[] {
  const path: StateName[] = [];
  for (let at = state; ; ) {
    const cell = TABLE[at][symbol];
    path.push(cell.next);
    if (!cell.again) return path;
    assert.ok(path.length < STATES.length, `${state} × ${symbol} does not end: ${path.join(' → ')}`);
    at = cell.next;
  }
}

describe('transition table', () => {
  it('has every cell, and every chain of missed runs ends', () => {
    for (const state of STATES) {
      assert.deepEqual(Object.keys(TABLE[state]).sort(), [...SYMBOLS].sort(), state);
      for (const symbol of SYMBOLS) assert.ok(chain(state, symbol).length > 0);
    }
  });

  it('names what was missed wherever it looks again', () => {
    for (const state of STATES) {
      for (const symbol of SYMBOLS) {
        const cell = TABLE[state][symbol];
        if (cell.again) assert.match(cell.missed, /entry$|exit$|^lock_mm_and_find_vma$/, `${state} × ${symbol}`);
      }
    }
  });

  it('ends a fault from every state by a signal, the end of the task, or abandonment', () => {
    for (const state of STATES) {
      for (const symbol of ['Signal', 'TaskExit', 'Abandoned'] as const)
        assert.deepEqual(chain(state, symbol), ['Closed'], state);
    }
  });

  it('reaches handle_mm_fault from every open state when it returns', () => {
    for (const state of STATES) {
      if (state === 'Kept' || state === 'MmKept' || state === 'Closed') continue;
      assert.equal(chain(state, 'HmfRetry').at(-1), 'Retried', state);
      assert.equal(chain(state, 'HmfDone').at(-1), 'Closed', state);
      assert.equal(chain(state, 'HmfKept').at(-1), 'Kept', state);
      assert.equal(chain(state, 'HmfMmKept').at(-1), 'MmKept', state);
    }
  });

  it('leaves the attempt under way for OtherPass, so that the step is looked at afresh', () => {
    const without: readonly StateName[] = ['Start', 'NoVma', 'Retried', 'Kept', 'MmKept', 'Closed'];
    const under = STATES.filter((state) => !without.includes(state));
    for (const state of under) assert.equal(chain(state, 'OtherPass').at(-1), 'Retried', state);
  });
});
