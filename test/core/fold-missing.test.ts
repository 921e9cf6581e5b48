// SPDX-License-Identifier: MIT
/** Faults with steps missing: what is named as lost, and what is still known of them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { VlKind } from '../../src/schema/events.gen.js';
import { FALLBACK, FOLIO, fault, LOCK, only, RETRY, run } from './by-hand.js';
import type { PlainRow } from './compare.js';
import { PTE_DEVICE } from './script-writer.js';
import { TRIED_FLAGS, VMA_FLAGS } from './session.js';

const K = VlKind;

describe('a fault with steps missing', () => {
  const without = (rows: readonly PlainRow[], ...steps: number[]): PlainRow[] =>
    rows.filter((row) => !steps.includes(row.step));
  const missed = (rows: readonly PlainRow[], ...steps: number[]): PlainRow[] =>
    without(rows, ...steps).map((row, step) => ({ ...row, step }));
  const WHOLE = fault([...FOLIO, ...FALLBACK]);

  it('names dropped steps by number and still finds the cause', () => {
    const life = only(without(WHOLE, 4, 5));
    assert.deepEqual(
      [life.how, life.lost, life.attempts[0]?.cause],
      ['ok-mmap', ['steps 4 to 5 lost'], 'folio locked: own read'],
    );
    assert.deepEqual(only(without(WHOLE, 6)).lost, ['step 6 lost']);
  });

  it('is tracked without its first step', () => {
    const life = only(without(WHOLE, 0));
    assert.deepEqual(
      [life.how, life.lost, life.tgid, life.attempts[0]?.cause],
      ['ok-mmap', ['first step lost'], 0, 'folio locked: own read'],
    );
    assert.ok(Number.isNaN(life.address));
  });

  const names: readonly [number[], string[]][] = [
    [[2], ['__folio_lock_or_retry entry missed']],
    [[4], ['__folio_lock_or_retry exit missed']],
    [[5], ['do_swap_page exit missed']],
    [[6], ['handle_mm_fault exit missed']],
    [[7], ['lock_mm_and_find_vma entry missed']],
    [[8], ['lock_mm_and_find_vma exit missed']],
    [[7, 8], ['lock_mm_and_find_vma missed']],
    [
      [4, 5, 6],
      ['__folio_lock_or_retry exit missed', 'do_swap_page exit missed', 'handle_mm_fault exit missed'],
    ],
  ];
  for (const [steps, expected] of names) {
    it(`names missed runs by the order of the others: ${expected.join(', ')}`, () => {
      const life = only(missed(WHOLE, ...steps));
      assert.deepEqual(
        [life.how, life.lost, life.attempts[0]?.outcome, life.attempts[0]?.cause],
        ['ok-mmap', expected, 'retry', expected.length === 3 ? 'folio locked' : 'folio locked: own read'],
      );
    });
  }

  it('does not call a RETRY device-private when the step against it may have been dropped', () => {
    const rows = fault([
      [K.SWAP_ENTER, VMA_FLAGS],
      [K.SWAP_DEVICE],
      [K.SWAP_EXIT, 0, RETRY],
      [K.HMF_EXIT, VMA_FLAGS, RETRY],
      ...FALLBACK,
    ]).map((row) => ({ ...row, pte: PTE_DEVICE }));
    assert.equal(only(without(rows, 1)).attempts[0]?.cause, 'unknown');
  });

  it('is not called cut short by a signal when its fallback may have been dropped', () => {
    const gap = [...FOLIO, ...LOCK, [K.ABANDONED] as const];
    const life = only(without(fault(gap), 7, 8));
    assert.deepEqual([life.how, life.lost], ['incomplete', ['steps 7 to 8 lost']]);
    const superseded = run([...fault(FOLIO), ...fault([[K.HMF_EXIT, VMA_FLAGS]], { fault: 1 }, 5000)]).closed[0];
    assert.deepEqual([superseded?.how, superseded?.lost], ['incomplete', ['lock_mm_and_find_vma lost']]);
  });

  it('splits attempts by their flags when everything between was dropped', () => {
    const rows = fault([...FOLIO, ...LOCK, [K.SWAP_ENTER, TRIED_FLAGS], [K.SWAP_EXIT], [K.HMF_EXIT, TRIED_FLAGS]]);
    const life = only(without(rows, 4, 5, 6, 7, 8, 9, 10));
    assert.deepEqual(
      life.attempts.map((a) => [a.lock, a.outcome, a.cause]),
      [
        ['vma', 'retry', 'folio locked'],
        ['mmap', 'ok', null],
      ],
    );
  });

  it('survives rows of an unknown kind, and counts steps that come too late', () => {
    const rows = fault([[K.HMF_EXIT, VMA_FLAGS]]);
    const { snapshot } = run([...rows, { kind: 40, step: 1, time: 300 }, ...rows]);
    assert.equal(snapshot.forgotten?.lateSteps, 1);
    assert.deepEqual(snapshot.events.perKind['kind 40'], { emitted: 1, decoded: 1, dropped: 0 });
  });
});
