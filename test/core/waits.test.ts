// SPDX-License-Identifier: MIT
/** Each kind of wait, by example: how long, and which lock was held. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Lifecycle } from '../../src/core/lifecycle/lifecycle.js';
import { VlFile, VlHolder, VlKind, VlWait } from '../../src/schema/events.gen.js';
import { AVOIDABLE, done, fault, lifecycle, lock, retries, type Step } from './by-hand.js';
import { feed } from './compare.js';
import { MMAP_FLAGS, TRIED_FLAGS, VMA_FLAGS } from './session.js';

const K = VlKind;
const { FILEMAP } = VlFile;

describe('waits', () => {
  it('nest, and say which lock was held', () => {
    const life = lifecycle([
      [K.SWAP_ENTER, VMA_FLAGS],
      [K.SWAP_DEVICE, 1],
      [K.WAIT_ENTER, VlWait.SWAPIN],
      [K.WAIT_ENTER, VlWait.RECLAIM],
      [K.WAIT_EXIT, VlWait.RECLAIM],
      [K.WAIT_EXIT, VlWait.SWAPIN],
      [K.SWAP_EXIT],
      [K.HMF_EXIT, VMA_FLAGS],
    ]);
    assert.deepEqual(
      life.waits.map(({ kind, held, start, end }) => [kind, held, start, end]),
      [
        ['swapin', 'vma', 300, 600],
        ['reclaim', 'vma', 400, 500],
      ],
    );
    assert.deepEqual(life.lost, []);
  });

  it('learn which lock was held when its attempt says so, and are told then', () => {
    const early: readonly Step[] = [
      [K.WAIT_ENTER, VlWait.RECLAIM],
      [K.WAIT_EXIT, VlWait.RECLAIM],
    ];
    for (const [flags, held] of [
      [VMA_FLAGS, 'vma'],
      [MMAP_FLAGS, 'mmap'],
    ] as const) {
      assert.equal(lifecycle([...early, [K.HMF_EXIT, flags]]).waits[0]?.held, held);
      assert.equal(feed(fault([...early, [K.HMF_EXIT, flags]]), false).waits.reclaim.count, 1);
    }
    assert.equal(feed(fault(early), false).waits.reclaim.count, 0);
  });

  it('whose end was missed have none, and it is named', () => {
    const life = lifecycle([
      [K.SWAP_ENTER, VMA_FLAGS],
      [K.WAIT_ENTER, VlWait.MIGRATION],
      [K.SWAP_EXIT],
      [K.HMF_EXIT, VMA_FLAGS],
    ]);
    assert.deepEqual([life.waits[0]?.end, life.lost], [NaN, ['migration exit missed']]);
    const end = lifecycle([
      [K.SWAP_ENTER, VMA_FLAGS],
      [K.WAIT_EXIT, VlWait.MEMCG],
      [K.SWAP_EXIT],
      [K.HMF_EXIT, VMA_FLAGS],
    ]);
    assert.deepEqual([end.waits, end.lost], [[], ['memcg reclaim entry missed']]);
  });

  it('for a file hold the lock until its first sleep or read, unless it is a later try', () => {
    const inFile = (flags: number, ...steps: Step[]): (string | undefined)[] =>
      lifecycle([[K.FILE_ENTER, flags, FILEMAP], ...steps]).waits.map((wait) => wait.held);
    assert.deepEqual(inFile(VMA_FLAGS), ['vma']);
    assert.deepEqual(inFile(VMA_FLAGS, [K.FILE_SLEEP]), ['none']);
    assert.deepEqual(inFile(VMA_FLAGS, [K.WAIT_ENTER, VlWait.READ]), ['none', 'none']);
    assert.deepEqual(inFile(VMA_FLAGS, [K.WAIT_ENTER, VlWait.RECLAIM], [K.FILE_SLEEP]), ['vma', 'unknown']);
    assert.deepEqual(inFile(TRIED_FLAGS, [K.FILE_SLEEP]), ['mmap']);
    assert.deepEqual(inFile(TRIED_FLAGS, [K.WAIT_ENTER, VlWait.READ]), ['mmap', 'mmap']);
  });

  it('for mmap_lock say since when they queued, and behind whom', () => {
    const life = lifecycle([retries(), ...lock(AVOIDABLE, 0, [K.MM_CONTENDED, 4711, VlHolder.WRITER]), done]);
    const { kind, start, contended, holder, end } = life.waits[0] as Lifecycle['waits'][number];
    assert.deepEqual([kind, start, contended, holder, end], ['mmapLock', 200, 300, 4711, 400]);
    assert.deepEqual(life.attempts[1]?.acquired, { lo: 300, hi: 400 });
  });
});
