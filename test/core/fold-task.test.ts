// SPDX-License-Identifier: MIT
/** Faults of one task: nested, cut short by others, and in flight. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { VlFile, VlKind, VlWait } from '../../src/schema/events.gen.js';
import { FALLBACK, FOLIO, fault, LOCK, only, RETRY, run, SLEEPS, type Step } from './by-hand.js';
import { FLAG, KERNEL_FLAGS, MMAP_FLAGS, RET, TRIED_FLAGS, VMA_FLAGS } from './session.js';

const K = VlKind;

describe('faults of one task', () => {
  it('nest: the inner one ends, the outer one goes on', () => {
    const outer = fault([...FOLIO, ...FALLBACK]);
    const inner = fault(
      [[K.SWAP_ENTER, KERNEL_FLAGS], [K.SWAP_EXIT], [K.HMF_EXIT, KERNEL_FLAGS]],
      { fault: 1, depth: 1 },
      905,
    );
    const { closed } = run([...outer.slice(0, 9), ...inner, ...outer.slice(9)]);
    assert.deepEqual(
      closed.map((life) => [life.id, life.depth, life.how, life.lost.length]),
      [
        [1, 1, 'ok-mmap', 0],
        [0, 0, 'ok-mmap', 0],
      ],
    );
  });

  it('end when a fault of their depth begins, or what they interrupted goes on', () => {
    const outer = fault([...SLEEPS, [K.FLOR_EXIT, 0, RETRY]]);
    const inner = fault([[K.SWAP_ENTER, KERNEL_FLAGS]], { fault: 1, depth: 1 }, 410);
    const { closed, snapshot } = run([...outer.slice(0, 4), ...inner, ...outer.slice(4)]);
    assert.deepEqual(
      closed.map((life) => [life.id, life.how, life.lost]),
      [[1, 'incomplete', ['do_swap_page exit lost']]],
    );
    assert.equal(snapshot.inFlight[0]?.id, 0);
  });

  it('in flight say what they do and what they hold', () => {
    const file = (which: number, flags = VMA_FLAGS): Step => [K.FILE_ENTER, flags, which];
    const states: readonly [readonly Step[], string][] = [
      [SLEEPS, 'waits for a folio lock, holds no lock'],
      [FOLIO, 'is to retry, holds no lock'],
      [[...FOLIO, [K.MM_LOCK_ENTER, 1]], 'takes mmap_lock, holds no lock'],
      [[...FOLIO, [K.MM_LOCK_ENTER, 1], [K.MM_CONTENDED, 0]], 'waits for mmap_lock, holds no lock'],
      [[...FOLIO, [K.MM_LOCK_ENTER, 1], [K.MM_CONTENDED, 42]], 'waits for mmap_lock behind tid 42, holds no lock'],
      [[...FOLIO, ...LOCK, [K.SWAP_ENTER, TRIED_FLAGS]], 'in do_swap_page, holds mmap_lock'],
      [[...FOLIO, ...LOCK, [K.SWAP_ENTER, TRIED_FLAGS], [K.MM_RELEASED]], 'in do_swap_page, holds no lock'],
      [[[K.SWAP_ENTER, VMA_FLAGS]], 'in do_swap_page, holds the VMA lock'],
      [
        [...FOLIO, ...LOCK, [K.SWAP_ENTER, TRIED_FLAGS], [K.FLOR_ENTER, TRIED_FLAGS]],
        'waits for a folio lock, holds mmap_lock',
      ],
      [[[K.UFFD_ENTER, VMA_FLAGS]], 'waits for userfaultfd, holds no lock'],
      [[file(VlFile.FILEMAP)], 'in filemap_fault, holds the VMA lock'],
      [[file(VlFile.FILEMAP), [K.FILE_SLEEP]], 'waits for a file page, holds no lock'],
      [[file(VlFile.SHMEM), [K.FILE_SLEEP]], 'waits for a shmem page, holds the VMA lock'],
      [[file(VlFile.FILEMAP), [K.WAIT_ENTER, VlWait.READ]], 'waits for a file read, holds no lock'],
      [
        [[K.SWAP_ENTER, VMA_FLAGS], [K.SWAP_DEVICE], [K.WAIT_ENTER, VlWait.SYNC_READ]],
        'waits for a synchronous swap read, holds the VMA lock',
      ],
      [
        [
          [K.SWAP_ENTER, VMA_FLAGS],
          [K.WAIT_ENTER, VlWait.RECLAIM],
        ],
        'in direct reclaim, holds the VMA lock',
      ],
    ];
    for (const [steps, state] of states) assert.equal(only(fault(steps)).state, state);
  });

  it('without FAULT_FLAG_VMA_LOCK in the kernel are under mmap_lock', () => {
    const { FAULT_FLAG_VMA_LOCK: _, ...faultFlags } = FLAG;
    const life = only(fault([[K.HMF_EXIT, MMAP_FLAGS]]), false, { enums: { faultFlags, faultReasons: RET } });
    assert.equal(life.how, 'ok-mmap');
  });
});
