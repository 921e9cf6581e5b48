// SPDX-License-Identifier: MIT
/** The shapes a whole fault can have, each written out with its times. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { VlKind } from '../../src/schema/events.gen.js';
import { FALLBACK, FOLIO, fault, LOCK, only, RETRY_MAJOR, run, SLEEPS, type Step } from './by-hand.js';
import { KERNEL_FLAGS, MMAP_FLAGS, RET, TRIED_FLAGS, VMA_FLAGS } from './session.js';

const K = VlKind;

describe('a whole fault', () => {
  it('that waited for a locked folio: cause, release, waits, second attempt', () => {
    const life = only(fault([...FOLIO, ...FALLBACK]));
    assert.equal(life.how, 'ok-mmap');
    assert.deepEqual(life.lost, []);
    const [vma, mmap] = life.attempts;
    assert.deepEqual(
      [vma?.lock, vma?.outcome, vma?.cause, vma?.innermost],
      ['vma', 'retry', 'folio locked: own read', '__folio_lock_or_retry'],
    );
    assert.deepEqual([vma?.rule, vma?.released], ['R1', { lo: 300, hi: 400 }]);
    assert.deepEqual([vma?.flags, vma?.ret], [VMA_FLAGS, RETRY_MAJOR]);
    assert.deepEqual([mmap?.lock, mmap?.outcome, mmap?.acquired], ['mmap', 'ok', { lo: 800, hi: 900 }]);
    assert.deepEqual([mmap?.rule, mmap?.released], ['R2', { lo: 1000, hi: Infinity }]);
    assert.deepEqual(life.waits, [
      { kind: 'folio', held: 'none', start: 300, end: 500, slept: true, contended: NaN, holder: 0 },
      { kind: 'mmapLock', held: 'none', start: 800, end: 900, slept: false, contended: NaN, holder: 0 },
    ]);
    assert.deepEqual(life.swap, { type: 1, synchronous: true, missing: false });
    assert.deepEqual(
      [life.major, life.enteredSwap, life.origin, life.first, life.last, life.end],
      [true, true, 'user', 100, 1000, 1000],
    );
  });

  it('that waited again with mmap_lock held', () => {
    const second: readonly Step[] = [
      [K.SWAP_ENTER, TRIED_FLAGS],
      [K.FLOR_ENTER, TRIED_FLAGS],
      [K.FLOR_SLEEP],
      [K.FLOR_EXIT],
      [K.SWAP_EXIT],
      [K.HMF_EXIT, TRIED_FLAGS],
    ];
    const life = only(fault([...FOLIO, ...LOCK, ...second]));
    assert.equal(life.waits[2]?.held, 'mmap');
    assert.equal(life.how, 'ok-mmap');
    assert.equal(life.attempts[1]?.rule, 'R2');
  });

  it('that retried under mmap_lock as well', () => {
    const again = FOLIO.map(([kind, a = 0, b = 0]): Step => [kind, a === VMA_FLAGS ? MMAP_FLAGS : a, b]);
    const life = only(fault([...FOLIO, ...LOCK, ...again, ...FALLBACK]));
    assert.deepEqual(
      life.attempts.map((a) => [a.lock, a.outcome]),
      [
        ['vma', 'retry'],
        ['mmap', 'retry'],
        ['mmap', 'ok'],
      ],
    );
    assert.deepEqual([life.waits[2]?.held, life.attempts[1]?.rule], ['none', 'R1']);
    assert.equal(run(fault([...FOLIO, ...LOCK, ...again, ...FALLBACK])).snapshot.retry.total, 1);
  });

  const ends: readonly [string, readonly Step[], string][] = [
    ['ok-vma', [[K.HMF_EXIT, VMA_FLAGS]], 'user'],
    ['error', [[K.HMF_EXIT, VMA_FLAGS, RET.VM_FAULT_SIGBUS]], 'user'],
    ['completed', [[K.HMF_EXIT, VMA_FLAGS, RET.VM_FAULT_COMPLETED]], 'user'],
    ['ok-mmap', [[K.SWAP_ENTER, KERNEL_FLAGS], [K.SWAP_EXIT], [K.HMF_EXIT, KERNEL_FLAGS]], 'kernel'],
    ['ok-mmap', [[K.SWAP_ENTER, KERNEL_FLAGS], [K.SWAP_EXIT], [K.HMF_EXIT, KERNEL_FLAGS, 0, 0]], 'gup'],
    [
      'error',
      [
        [K.MM_LOCK_ENTER, 1],
        [K.MM_LOCK_EXIT, 0],
      ],
      'user',
    ],
    ['signal', [...FOLIO, [K.SIGNAL, 9]], 'user'],
    ['signal', [...FOLIO, [K.TASK_EXIT]], 'user'],
    ['signal', [...FOLIO, [K.ABANDONED, K.HMF_EXIT]], 'user'],
    ['incomplete', [...SLEEPS, [K.ABANDONED, K.HMF_EXIT]], 'user'],
  ];
  for (const [end, steps, origin] of ends) {
    it(`ends ${end}, ${steps.length} steps, origin ${origin}`, () => {
      const life = only(fault(steps));
      assert.deepEqual([life.how, life.origin], [end, origin]);
      assert.equal(run(fault(steps)).snapshot.lifecycles.byEnd[end as 'error'], 1);
    });
  }

  it('that never got the VMA lock: an ABORT, with its exact time where lock_vma_under_rcu is hooked', () => {
    for (const first of [[], [[K.VMA_LOCK, 0]]] as const) {
      const rows = fault([...first, ...LOCK, [K.HMF_EXIT, MMAP_FLAGS]]);
      const life = only(rows);
      assert.deepEqual(
        [life.how, life.lost, life.attempts[0]?.outcome, life.attempts[0]?.cause],
        ['ok-mmap', [], 'abort', 'VMA lock unavailable'],
      );
      assert.equal(life.start.lo, first.length > 0 ? 100 : -Infinity);
      const { abort, retry } = run(rows).snapshot;
      assert.deepEqual([abort.total, abort.byCause, retry.total], [1, { 'VMA lock unavailable': 1 }, 0]);
    }
  });

  it('knows when it took the lock: exactly, or between the step before and its first', () => {
    const rows = [...fault([[K.HMF_EXIT, VMA_FLAGS]]), ...fault([[K.HMF_EXIT, VMA_FLAGS]], { fault: 1 }, 500)];
    assert.deepEqual(run(rows).closed[1]?.attempts[0]?.acquired, { lo: 100, hi: 600 });
    assert.deepEqual(only(fault([[K.HMF_EXIT, VMA_FLAGS]], { acquired: 40 })).attempts[0]?.acquired, {
      lo: 40,
      hi: 40,
    });
  });
});
