// SPDX-License-Identifier: MIT
/** Each cause of a RETRY and of an ABORT, each verdict, and each kind of wait, by example. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SessionInfo } from '../../src/core/events/session.js';
import type { Attempt, Lifecycle } from '../../src/core/lifecycle/lifecycle.js';
import { VlFile, VlFound, VlHolder, VlInner, VlKind, VlStepFlag, VlWait } from '../../src/schema/events.gen.js';
import { feed, type PlainRow } from './compare.js';
import { MMAP_FLAGS, RET, SWAP_DISK, syntheticHooks, TRIED_FLAGS, VMA_FLAGS } from './session.js';

const K = VlKind;
const RETRY: number = RET.VM_FAULT_RETRY;
const RETRY_MAJOR = RETRY | RET.VM_FAULT_MAJOR;
const FOUND = VlFound.FOUND | VlFound.FOUND_COVERS;
const SAME = FOUND | VlFound.FOUND_SAME;
const KNOWN = VlFound.FOUND_SEQ_KNOWN | VlFound.FOUND_MM_KNOWN;
const AVOIDABLE = SAME | KNOWN | VlFound.FOUND_SEQ_SAME;
const RELEASED: Partial<SessionInfo> = { hooks: syntheticHooks(true) };

type Step = readonly [kind: number, a?: number, b?: number, flags?: number];

/** Steps 100 ns apart; the first with who and where. */
function rows(steps: readonly Step[]): PlainRow[] {
  return steps.map(([kind, a = 0, b = 0, flags = kind === K.HMF_EXIT ? VlStepFlag.REGS : 0], step) => ({
    kind,
    a,
    b,
    step,
    flags: flags | (step === 0 ? VlStepFlag.INFO : 0),
    time: (step + 1) * 100,
  }));
}

function lifecycle(steps: readonly Step[], changes: Partial<SessionInfo> = {}): Lifecycle {
  const closed: Lifecycle[] = [];
  const snapshot = feed(rows(steps), false, closed, changes);
  return (closed[0] ?? snapshot.inFlight[0]) as Lifecycle;
}

const vmaOf = (life: Lifecycle): Attempt => life.attempts.find((one) => one.lock === 'vma') as Attempt;
const lock = (found: number, writers = 0, ...between: Step[]): Step[] => [
  [K.MM_LOCK_ENTER, 1],
  ...between,
  [K.MM_LOCK_EXIT, found, writers],
];
const done: Step = [K.HMF_EXIT, MMAP_FLAGS];
const retries = (ret = RETRY): Step => [K.HMF_EXIT, VMA_FLAGS, ret];
const swap = (inside: readonly Step[], ret = RETRY): Step[] => [
  [K.SWAP_ENTER, VMA_FLAGS],
  ...inside,
  [K.SWAP_EXIT, 0, ret],
];
const flor = (flags = 0): Step[] => [
  [K.SWAP_DEVICE, 1],
  [K.FLOR_ENTER, VMA_FLAGS, 0x100, flags],
  [K.FLOR_EXIT, 0, RETRY],
];
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
      const { retry } = feed(rows(all), false);
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
        rows(steps).filter((row) => row.step !== without),
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
      const { abort } = feed(rows(steps), false);
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

describe('the verdict on a RETRY', () => {
  const cases: readonly [string, string, number, number, number][] = [
    ['avoidable', '', AVOIDABLE, 3, 3],
    ['write-locked', '', SAME | KNOWN, 1, 1],
    ['replaced', '', FOUND | KNOWN, 1, 1],
    ['replaced', '', (SAME | KNOWN) & ~VlFound.FOUND_COVERS, 1, 1],
    ['gone', '', 0, 0, -1],
    ['by design', '', AVOIDABLE | VlFound.FOUND_NO_MAP_PAGES, 0, 0],
    ['unknown', 'lock sequence not read', SAME, 5, -1],
    ['unknown', 'not recorded', VlFound.FOUND, 0, -1],
  ];
  for (const [kind, why, found, writers, mmWriters] of cases) {
    it(`is ${kind} ${why}`, () => {
      const inside = kind === 'by design' ? [] : swap(flor());
      const life = lifecycle([...inside, retries(), ...lock(found, writers, [K.MM_WRITER, 42, 10, VlStepFlag.EXACT])]);
      assert.deepEqual(vmaOf(life).verdict, { kind, why, mmWriters, writer: { tid: 42, syscall: 10, exact: true } });
    });
  }

  it('is unknown where the cause is, and may be one by design', () => {
    const verdict = (steps: readonly Step[]): string =>
      vmaOf(lifecycle([...steps, ...lock(AVOIDABLE), done])).verdict?.kind ?? '';
    assert.deepEqual(vmaOf(lifecycle([retries(), ...lock(0), done])).verdict?.why, 'cause unknown');
    assert.equal(verdict([...swap([]), retries()]), 'unknown');
    // Past get_swap_device, a read, or __folio_lock_or_retry the kernel handles it.
    assert.equal(verdict([...swap([[K.SWAP_DEVICE, 0, SWAP_DISK]]), retries()]), 'avoidable');
    assert.equal(verdict([retries(RETRY_MAJOR)]), 'avoidable');
  });

  it('names no writer where there was none, and no system call of one that is in none', () => {
    assert.equal(vmaOf(lifecycle([retries(), ...lock(AVOIDABLE), done])).verdict?.writer, null);
    const life = lifecycle([retries(), ...lock(SAME | KNOWN, 1, [K.MM_WRITER, 42, 0xffffffff]), done]);
    assert.deepEqual(vmaOf(life).verdict?.writer, { tid: 42, syscall: -1, exact: false });
  });

  it('is unknown, and says why, without the fallback', () => {
    const why = (steps: readonly Step[]): string | undefined => vmaOf(lifecycle(steps)).verdict?.why;
    assert.equal(why([retries(), [K.SIGNAL, 9]]), 'signal: no fallback');
    assert.equal(why([retries(), [K.MM_LOCK_ENTER, 1], [K.TASK_EXIT]]), 'fallback not seen');
    assert.equal(why([retries(), [K.MM_LOCK_ENTER, 1], done]), 'fallback not seen');
    assert.equal(vmaOf(lifecycle([retries(), [K.MM_LOCK_ENTER, 1]])).verdict, null);
  });
});

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
      assert.equal(feed(rows([...early, [K.HMF_EXIT, flags]]), false).waits.reclaim.count, 1);
    }
    assert.equal(feed(rows(early), false).waits.reclaim.count, 0);
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
