// SPDX-License-Identifier: MIT
/** Each cause of a RETRY and of an ABORT, by example. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Lifecycle } from '../../src/core/lifecycle/lifecycle.js';
import { VlFile, VlFound, VlHolder, VlInner, VlKind, VlStepFlag, VlWait } from '../../src/schema/events.gen.js';
import {
  AVOIDABLE,
  done,
  FOUND,
  fault,
  flor,
  lifecycle,
  lock,
  RETRY,
  RETRY_MAJOR,
  retries,
  type Step,
  swap,
  vmaOf,
} from './by-hand.js';
import { feed } from './compare.js';
import { MMAP_FLAGS, RET, TRIED_FLAGS, VMA_FLAGS } from './session.js';

const K = VlKind;
const file = (which: number, bits: number, ret = RETRY): Step[] => [
  [K.FILE_ENTER, VMA_FLAGS, which],
  [K.FILE_EXIT, which | bits, ret],
];
const uffd = (reason: number): Step[] => [
  [K.UFFD_ENTER, VMA_FLAGS, reason],
  [K.UFFD_EXIT, 0, RETRY],
];
const { FILEMAP, SHMEM, READ, READAHEAD, PUNCH } = VlFile;

describe('the cause of a RETRY', () => {
  const cases: readonly [string, string, readonly Step[], string, number, number, number?][] = [
    ['folio locked: own read', '__folio_lock_or_retry', swap(flor(), RETRY_MAJOR), 'R1', 300, 400],
    ['folio locked: other read', '__folio_lock_or_retry', swap(flor(VlStepFlag.FOLIO)), 'R1', 300, 400],
    [
      'folio locked: other holder',
      '__folio_lock_or_retry',
      swap(flor(VlStepFlag.FOLIO | VlStepFlag.UPTODATE)),
      'R1',
      300,
      400,
    ],
    ['folio locked', '__folio_lock_or_retry', swap(flor()), 'R1', 300, 400],
    [
      'device-private',
      'do_huge_pmd_device_private',
      [[K.INNER_RETRY, VlInner.DEVICE_PRIVATE, RETRY]],
      'none',
      -Infinity,
      100,
    ],
    ['unknown', 'do_swap_page', swap([[K.SWAP_DEVICE, 1]]), 'none', 200, 300],
    ['unknown', 'handle_mm_fault', [], 'none', -Infinity, 100],
    ['anon_vma', '__vmf_anon_prepare', [[K.ANON_PREPARE, 0, RETRY]], 'R3', 100, 200],
    ['anon_vma', '__vmf_anon_prepare', [[K.ANON_PREPARE]], 'R3', 100, 200],
    [
      'anon_vma',
      '__vmf_anon_prepare',
      swap([[K.SWAP_DEVICE, 1], [K.ANON_PREPARE], [K.ANON_PREPARE, 0, RETRY]]),
      'R3',
      400,
      500,
    ],
    ['hugetlb', '__vmf_anon_prepare', [[K.ANON_PREPARE], [K.INNER_RETRY, VlInner.HUGETLB, RETRY]], 'R3', 100, 200],
    ['hugetlb', '__vmf_anon_prepare', [[K.ANON_PREPARE]], 'R3', 100, 200, VlFound.FOUND_HUGETLB],
    ['hugetlb', 'hugetlb_fault', [[K.INNER_RETRY, VlInner.HUGETLB, RETRY]], 'none', -Infinity, 100],
    ['hugetlb', 'handle_mm_fault', [], 'none', -Infinity, 100, VlFound.FOUND_HUGETLB],
    ['->fault needs mmap_lock', 'handle_mm_fault', [], 'none', -Infinity, 100, VlFound.FOUND_NO_MAP_PAGES],
    ['file: cache miss', 'filemap_fault', file(FILEMAP, 0, RETRY_MAJOR), 'R6', 100, 200],
    ['file: readahead', 'filemap_fault', file(FILEMAP, READAHEAD | READ), 'R6', 100, 200],
    ['file: not up to date', 'filemap_fault', file(FILEMAP, READ), 'R6', 100, 200],
    ['file: page lock', 'filemap_fault', file(FILEMAP, 0), 'R6', 100, 200],
    [
      'unknown',
      'filemap_fault',
      [
        [K.FILE_ENTER, VMA_FLAGS, FILEMAP],
        [K.WAIT_ENTER, VlWait.READ],
      ],
      'R6',
      100,
      200,
    ],
    ['unknown', 'filemap_fault', [[K.FILE_ENTER, VMA_FLAGS, FILEMAP]], 'R6', 100, 200],
    ['shmem: hole punch', 'shmem_fault', file(SHMEM, PUNCH), 'R6', 100, 200],
    ['userfault: missing', 'handle_userfault', uffd(0x200), 'R5', 100, 200],
    ['userfault: write-protect', 'handle_userfault', uffd(0x1000), 'R5', 100, 200],
    ['userfault: minor', 'handle_userfault', uffd(0), 'R5', 100, 200],
    ['userfault', 'handle_userfault', [[K.UFFD_EXIT, 0, RETRY]], 'none', -Infinity, 100],
    ['userfault: missing', 'handle_userfault', swap(uffd(0x200)), 'R5', 200, 300],
    [
      'userfault: minor',
      'handle_userfault',
      [[K.FILE_ENTER, VMA_FLAGS, SHMEM], ...uffd(0), [K.FILE_EXIT, SHMEM, RETRY]],
      'R5',
      200,
      300,
    ],
  ];
  for (const [cause, innermost, steps, rule, lo, hi, found = 0] of cases) {
    it(`is ${cause}, by ${innermost} (${steps.length} steps)`, () => {
      const major = steps.some((step) => (step[2] ?? 0) & RET.VM_FAULT_MAJOR);
      const all: Step[] = [...steps, retries(major ? RETRY_MAJOR : RETRY), ...lock(AVOIDABLE | found), done];
      const attempt = vmaOf(lifecycle(all));
      assert.deepEqual(
        [attempt.cause, attempt.innermost, attempt.rule, attempt.released],
        [cause, innermost, rule, { lo, hi }],
      );
      const { retry } = feed(fault(all), false);
      assert.deepEqual([retry.total, retry.byCause[cause as 'unknown']], [1, 1]);
      assert.deepEqual(retry.unknownBy, cause === 'unknown' ? { [innermost]: 1 } : {});
    });
  }

  it('is a driver, with its ->fault, when nothing known returned RETRY', () => {
    const attempt = vmaOf(lifecycle([retries(), ...lock(AVOIDABLE, 0, [K.VMA_OPS, 0xffffffff, 0x81234560]), done]));
    assert.deepEqual([attempt.cause, attempt.faultHandler], ['driver or file system', 0xffff_ffff_8123_4560n]);
    // xfs's handler calls filemap_fault, which has said why.
    const known = [...file(FILEMAP, READ), retries(), ...lock(AVOIDABLE, 0, [K.VMA_OPS, 1, 2]), done];
    assert.equal(vmaOf(lifecycle(known)).cause, 'file: not up to date');
  });

  it('is a signal when a later try gave up its wait', () => {
    const killed: Step[] = [
      ...swap(flor(), RETRY_MAJOR),
      retries(RETRY_MAJOR),
      ...lock(AVOIDABLE),
      [K.FILE_ENTER, TRIED_FLAGS, FILEMAP],
      [K.FILE_EXIT, FILEMAP, RETRY],
      [K.HMF_EXIT, TRIED_FLAGS, RETRY],
      [K.SIGNAL, 9],
    ];
    const life = lifecycle(killed);
    assert.deepEqual([life.attempts[1]?.cause, life.how, life.waits.at(-1)?.held], ['signal', 'signal', 'mmap']);
  });

  it('is not told from what may have been dropped', () => {
    const gapped = (steps: readonly Step[], without: number): Lifecycle => {
      const closed: Lifecycle[] = [];
      feed(
        fault(steps).filter((row) => row.step !== without),
        false,
        closed,
      );
      return closed[0] as Lifecycle;
    };
    const found = AVOIDABLE | VlFound.FOUND_NO_MAP_PAGES;
    assert.equal(
      vmaOf(gapped([[K.WAIT_ENTER, 3], [K.WAIT_EXIT, 3], retries(), ...lock(found), done], 1)).cause,
      'unknown',
    );
    assert.equal(
      vmaOf(gapped([...swap(flor().slice(0, 3)), retries(), ...lock(AVOIDABLE), done], 1)).cause,
      'folio locked',
    );
  });

  it('knows minor userfaults by their empty low half from 6.4 on', () => {
    const steps = [...uffd(0), retries(), ...lock(AVOIDABLE), done];
    assert.equal(vmaOf(lifecycle(steps, { kernel: '6.3.1' })).cause, 'userfault');
    assert.equal(vmaOf(lifecycle(steps, { kernel: '6.30.1' })).cause, 'userfault: minor');
  });
});

describe('the cause of an ABORT', () => {
  const cases: readonly [string, number, number][] = [
    ['VMA absent', 0, VlHolder.NONE],
    ['stack growth', FOUND | VlFound.FOUND_GREW | VlFound.FOUND_LATEST, VlHolder.NONE],
    ['VMA write-locked', FOUND | VlFound.FOUND_LATEST, VlHolder.WRITER],
    ['writer in the mm', FOUND, VlHolder.WRITER],
    ['VMA lock unavailable', FOUND, VlHolder.READER],
  ];
  for (const [cause, found, holder] of cases) {
    it(`is ${cause}`, () => {
      const steps: Step[] = [[K.MM_LOCK_ENTER, 1, holder], [K.MM_LOCK_EXIT, found], ...(found === 0 ? [] : [done])];
      const { abort } = feed(fault(steps), false);
      assert.deepEqual([abort.total, abort.byCause[cause as 'VMA absent']], [1, 1]);
      assert.deepEqual([vmaOf(lifecycle(steps)).outcome, vmaOf(lifecycle(steps)).verdict], ['abort', null]);
    });
  }

  it('is that of its own fallback, not of a later one', () => {
    const later: Step[] = [
      [K.MM_LOCK_ENTER, 1, VlHolder.WRITER],
      [K.MM_LOCK_EXIT, FOUND | VlFound.FOUND_GREW],
    ];
    const life = lifecycle([...lock(FOUND), [K.HMF_EXIT, MMAP_FLAGS, RETRY], ...later, [K.HMF_EXIT, TRIED_FLAGS]]);
    assert.equal(vmaOf(life).cause, 'VMA lock unavailable');
  });
});
