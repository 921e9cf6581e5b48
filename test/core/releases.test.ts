// SPDX-License-Identifier: MIT
/** When each lock is given back: the VMA lock as far as the steps around it tell, mmap_lock where its release is seen. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SessionInfo } from '../../src/core/events/session.js';
import { VlKind } from '../../src/schema/events.gen.js';
import { AVOIDABLE, done, FOUND, fault, lifecycle, lock, only, RETRY, retries, run, type Step } from './by-hand.js';
import type { PlainRow } from './compare.js';
import { MMAP_FLAGS, RET, syntheticHooks, TRIED_FLAGS, VMA_FLAGS } from './session.js';

const K = VlKind;
const RELEASED: Partial<SessionInfo> = { hooks: syntheticHooks(true) };

describe('the release of the VMA lock', () => {
  it('after a fault that kept it is bounded by the next step of the task', () => {
    const { snapshot } = run([
      ...fault([[K.HMF_EXIT, VMA_FLAGS]]),
      ...fault([[K.HMF_EXIT, VMA_FLAGS]], { fault: 1 }, 500),
    ]);
    assert.deepEqual(
      snapshot.latest.map((life) => life.attempts[0]?.released),
      [
        { lo: 600, hi: Infinity },
        { lo: 100, hi: 600 },
      ],
    );
    const { R2 } = snapshot.release;
    assert.deepEqual([R2?.count, R2?.unbounded, R2?.width.count, R2?.width.maxNs], [2, 1, 1, 500]);
  });

  it('is checked against what was seen, and found outside when it is', () => {
    const wait = (release: number): PlainRow[] => {
      const rows = fault([
        [K.SWAP_ENTER, VMA_FLAGS],
        [K.FLOR_ENTER, VMA_FLAGS],
        [K.VMA_RELEASE, 1],
        [K.FLOR_SLEEP],
        [K.FLOR_EXIT, 0, RETRY],
        [K.SWAP_EXIT, 0, RETRY],
        [K.HMF_EXIT, VMA_FLAGS, RETRY],
      ]);
      return rows.map((row) => (row.kind === K.VMA_RELEASE ? { ...row, time: release } : row));
    };
    assert.deepEqual(
      [run(wait(300), true).snapshot.release.R1?.checked, run(wait(300), true).snapshot.release.R1?.outside],
      [1, 0],
    );
    assert.equal(run(wait(150), true).snapshot.release.R1?.outside, 1);
    assert.equal(run(wait(450), true).snapshot.release.R1?.outside, 1);
    const kept = (release: number): PlainRow[] =>
      fault([
        [K.HMF_EXIT, VMA_FLAGS],
        [K.VMA_RELEASE, 1],
      ]).map((row, i) => (i === 1 ? { ...row, time: release } : row));
    assert.deepEqual(run(kept(110), true).snapshot.release.R2?.outside, 0);
    assert.deepEqual(run(kept(90), true).snapshot.release.R2?.outside, 1);
    assert.equal(only(kept(110), true).attempts[0]?.exactRelease, 110);
  });

  it('is waited for where it is hooked, and its absence named', () => {
    assert.equal(only(fault([[K.HMF_EXIT, VMA_FLAGS]]), true).how, 'in-flight');
    const life = only(fault([[K.HMF_EXIT, VMA_FLAGS], [K.ABANDONED]]), true);
    assert.deepEqual([life.how, life.lost, life.end], ['ok-vma', ['VMA lock release missed'], 100]);
  });
});

describe('the release of mmap_lock', () => {
  const first: readonly Step[] = [retries(), ...lock(AVOIDABLE)];
  it('closes the fault, exactly', () => {
    const life = lifecycle([...first, done, [K.MM_RELEASED]], RELEASED);
    assert.deepEqual([life.how, life.end, life.lost], ['ok-mmap', 500, []]);
    assert.deepEqual([life.attempts[1]?.rule, life.attempts[1]?.released], ['exact', { lo: 500, hi: 500 }]);
    assert.equal(lifecycle([...first, done], RELEASED).how, 'in-flight');
  });

  it('is missed, and named, when the fault is heard of no more', () => {
    const life = lifecycle([...first, done, [K.SIGNAL, 9]], RELEASED);
    assert.deepEqual([life.how, life.end, life.lost], ['ok-mmap', 400, ['mmap_lock release missed']]);
  });

  it('inside a later pass is that of its RETRY', () => {
    const again: readonly Step[] = [
      [K.UFFD_ENTER, MMAP_FLAGS, 0x200],
      [K.MM_RELEASED],
      [K.UFFD_EXIT, 0, RETRY],
      [K.HMF_EXIT, MMAP_FLAGS, RETRY],
    ];
    const life = lifecycle([...first, ...again, ...lock(FOUND), [K.HMF_EXIT, TRIED_FLAGS], [K.MM_RELEASED]], RELEASED);
    assert.deepEqual(
      life.attempts.map((one) => [one.outcome, one.rule]),
      [
        ['retry', 'none'],
        ['retry', 'exact'],
        ['ok', 'exact'],
      ],
    );
    assert.deepEqual([life.attempts[1]?.released, life.lost], [{ lo: 500, hi: 500 }, []]);
  });

  it('with nothing under way that drops it means that handle_mm_fault is over', () => {
    for (const cut of [K.ABANDONED, K.TASK_EXIT, K.SIGNAL]) {
      const life = lifecycle([...first, [K.MM_RELEASED], [cut]], RELEASED);
      assert.deepEqual([life.how, life.end, life.lost], ['ok-mmap', 400, ['handle_mm_fault exit missed']]);
      assert.deepEqual(
        [life.attempts[1]?.rule, life.attempts[1]?.ret, life.attempts[1]?.outcome],
        ['exact', -1, 'unknown'],
      );
    }
  });

  it('and then lock_mm_and_find_vma: it was a RETRY', () => {
    const life = lifecycle(
      [...first, [K.MM_RELEASED], ...lock(FOUND), [K.HMF_EXIT, TRIED_FLAGS], [K.MM_RELEASED]],
      RELEASED,
    );
    assert.deepEqual(
      life.attempts.map((one) => one.outcome),
      ['retry', 'retry', 'ok'],
    );
    assert.deepEqual(life.lost, ['handle_mm_fault exit missed']);
  });

  it('before COMPLETED is no loss', () => {
    const life = lifecycle([...first, [K.MM_RELEASED], [K.HMF_EXIT, MMAP_FLAGS, RET.VM_FAULT_COMPLETED]], RELEASED);
    assert.deepEqual([life.how, life.lost, life.attempts[1]?.rule], ['completed', [], 'exact']);
  });
});
