// SPDX-License-Identifier: MIT
/** The shapes a fault can have, each written out with its times. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Snapshot } from '../../src/core/aggregate/snapshot.js';
import type { SessionInfo } from '../../src/core/events/session.js';
import type { Lifecycle } from '../../src/core/lifecycle/lifecycle.js';
import { VlFile, VlKind, VlStepFlag, VlWait } from '../../src/schema/events.gen.js';
import { feed, type PlainRow } from './compare.js';
import { PTE_DEVICE } from './script-writer.js';
import { FLAG, KERNEL_FLAGS, MMAP_FLAGS, RET, SWAP_ZRAM, TRIED_FLAGS, VMA_FLAGS } from './session.js';

const K = VlKind;
const RETRY = RET.VM_FAULT_RETRY;
const RETRY_MAJOR = RETRY | RET.VM_FAULT_MAJOR;
type Step = readonly [kind: number, a?: number, b?: number, flags?: number];

/** Steps 100 ns apart, numbered, the first with who and where. */
function fault(steps: readonly Step[], more: Partial<PlainRow> = {}, at = 0): PlainRow[] {
  return steps.map(([kind, a = 0, b = 0, flags = kind === K.HMF_EXIT ? VlStepFlag.REGS : 0], step) => ({
    ...more,
    kind,
    a,
    b,
    step,
    flags: flags | (step === 0 ? VlStepFlag.INFO : 0),
    time: at + (step + 1) * 100,
  }));
}

function run(
  rows: readonly PlainRow[],
  observed = false,
  changes: Partial<SessionInfo> = {},
): { closed: Lifecycle[]; snapshot: Snapshot } {
  const closed: Lifecycle[] = [];
  const snapshot = feed(rows, observed, closed, changes);
  return { closed, snapshot };
}

function only(rows: readonly PlainRow[], observed = false, changes: Partial<SessionInfo> = {}): Lifecycle {
  const { closed, snapshot } = run(rows, observed, changes);
  assert.equal(closed.length + snapshot.inFlightTotal, 1);
  return (closed[0] ?? snapshot.inFlight[0]) as Lifecycle;
}

const SLEEPS: readonly Step[] = [
  [K.SWAP_ENTER, VMA_FLAGS],
  [K.SWAP_DEVICE, 1, SWAP_ZRAM],
  [K.FLOR_ENTER, VMA_FLAGS],
  [K.FLOR_SLEEP],
];
const FOLIO: readonly Step[] = [
  ...SLEEPS,
  [K.FLOR_EXIT, 0, RETRY],
  [K.SWAP_EXIT, 0, RETRY_MAJOR],
  [K.HMF_EXIT, VMA_FLAGS, RETRY_MAJOR],
];
const LOCK: readonly Step[] = [
  [K.MM_LOCK_ENTER, 1],
  [K.MM_LOCK_EXIT, 1],
];
const FALLBACK: readonly Step[] = [...LOCK, [K.HMF_EXIT, TRIED_FLAGS]];

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
