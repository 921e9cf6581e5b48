// SPDX-License-Identifier: MIT
/** Writers that wait for the holders of a VMA's lock: faults by name, forks VMA by VMA, and what cannot be known. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { whyNoVmaWaits } from '../../src/core/aggregate/mmap-lock.js';
import { VlKind, VlLockFlag, VlStepFlag } from '../../src/schema/events.gen.js';
import { hooked, MM, snapshotOf, TGID, type WireRow, WRITER_HOOKS } from './wire.js';

const { INFO, EXACT, HOLDER_READER } = VlStepFlag;
const MUNMAP = 11;
const CLONE = 56;
const NO_SYSCALL = 0xffff_ffff;
const session = { ...hooked(...WRITER_HOOKS), holdMinUs: 0 };
type Vma = readonly [number, number];
const [A, B, C]: readonly [Vma, Vma, Vma] = [
  [0x1000, 0x9000],
  [0x9000, 0xa000],
  [0xb000, 0xc000],
];
const db = { tgid: TGID, comm: 'db', mm: MM };

/** A fault of `tid` is about to give the VMA's lock back at `time`, for which a writer waits. */
const fault = (tid: number, time: number, vma: Vma): WireRow => ({
  ...db,
  tid,
  kind: VlKind.L_VMA,
  time,
  flags: INFO,
  a: NO_SYSCALL,
  vma,
});
/** A writer came to the VMA at `start` and was in __vma_start_write for `ns`. */
const written = (start: number, ns: number, vma: Vma, syscall = MUNMAP, flags = EXACT | HOLDER_READER): WireRow => ({
  ...db,
  tid: TGID + 1,
  kind: VlKind.W_VMA,
  time: start + ns,
  acquired: start,
  flags: INFO | flags,
  a: syscall,
  b: ns,
  vma,
});

describe('waits of writers for a VMA', () => {
  it('are spent behind the fault that held the lock of that VMA, and of no other', () => {
    const { blockers } = snapshotOf(
      [fault(7, 150, A), fault(8, 160, B), written(100, 60, A), written(300, 9, C)],
      session,
    );
    const row = blockers.rows.find(({ lock }) => lock === 'vma');
    assert.ok(row);
    assert.deepEqual(
      [row.what, row.tgid, row.isWrite, row.blocked.count, row.blocked.sumNs],
      ['page fault', TGID, false, 1, 50],
    );
    assert.deepEqual([row.hold.count, row.untimed], [0, 2]);
    assert.deepEqual(
      row.victims.map(({ what, waits, sumNs }) => [what, waits, sumNs]),
      [['munmap', 1, 50]],
    );
    const { vma } = blockers;
    assert.deepEqual([vma?.waits.count, vma?.named, vma?.why], [2, 1, { 'reader-left-no-name': 1 }]);
    assert.equal(blockers.all.waits.count, 0, 'no waits for mmap_lock');
  });

  it('are none where nobody held it', () => {
    const { blockers } = snapshotOf([written(100, 5, A, MUNMAP, EXACT)], session);
    assert.deepEqual([blockers.vma?.waits.count, blockers.rows.length], [0, 0]);
  });

  it('are not known without the hook, and of recordings that did not look who held it', () => {
    assert.equal(snapshotOf([], { ...session, hooks: session.hooks.slice(0, 3) }).blockers.vma, null);
    const old = snapshotOf([written(100, 5, A, MUNMAP, 0)], session);
    assert.equal(old.blockers.vma, null);
    assert.match(whyNoVmaWaits(old.session), /did not look who held the VMA/);
  });

  it('under a fork are listed VMA by VMA, those before it left out', () => {
    const held: WireRow = {
      ...db,
      tid: TGID + 1,
      kind: VlKind.L_HELD,
      time: 500,
      acquired: 50,
      flags: INFO | VlLockFlag.WRITE | VlLockFlag.FORK,
      a: CLONE,
      fork: { threads: 4, vmas: 310, locked: 300, waitNs: 77 },
    };
    const rows = [
      written(10, 20, C, CLONE),
      fault(7, 120, A),
      written(100, 30, A, CLONE),
      written(200, 7, B, CLONE),
      held,
    ];
    const [row] = snapshotOf(rows, session).blockers.rows.filter(({ forks }) => forks !== null);
    const { waits, ...forks } = row?.forks ?? {};
    assert.deepEqual(forks, {
      count: 1,
      maxThreads: 4,
      maxVmas: 310,
      vmas: 310,
      locked: 300,
      vmaWaitNs: 77,
      maxVmaWaitNs: 77,
      worst: { start: A[0], end: A[1] },
    });
    assert.deepEqual([waits?.count, waits?.sumNs, waits?.maxNs], [2, 37, 30]);
  });
});
