// SPDX-License-Identifier: MIT
/** What faults lose behind writers that stall under keep, and how little they save whose VMA is locked by then: by hand. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { agree, run } from './verdict-pair.js';
import { AVOIDABLE, hooked, inOrder, PAGE, retry, WRITE_LOCKED, WRITER_HOOKS, writer } from './wire.js';

const VMA: readonly [number, number] = [PAGE, PAGE + 0x10_0000];

describe('verdict, what faults lose under keep', () => {
  it('a fault that comes for the VMA while a writer stalls loses the rest of the stall', () => {
    const waits = retry({ fault: 1, tid: 200, from: 1000, to: 9000, found: AVOIDABLE, mmWait: 10 });
    // Its first step is 20 before it gives the VMA lock back.
    const comes = retry({ fault: 2, tid: 201, from: 6000, to: 8000, found: AVOIDABLE, mmWait: 10 });
    const lostTo = (names: readonly [number, number] | undefined, hooks: readonly string[]): unknown => {
      const call = { tid: 300, syscall: 28, asked: 4000, had: 4000, released: 4100 };
      const hold = writer({
        ...call,
        ...(names ? { names } : {}),
        vmas: hooks.includes(SEES) ? [[4010, ...VMA, 3]] : [],
      });
      const both = run(inOrder(waits, comes, hold), hooked(...hooks));
      agree(both);
      const { lost } = both.report.all.under.keep;
      return [
        lost?.most.count,
        lost?.least.sumNs,
        lost?.most.sumNs,
        both.report.conclusions.join(' ').match(/would lose (at most)?/)?.[1],
      ];
    };
    const SEES = '__vma_start_write';
    const blind = WRITER_HOOKS.filter((target) => target !== SEES);
    assert.deepEqual(lostTo(undefined, WRITER_HOOKS), [1, 3020, 3020, undefined]);
    assert.deepEqual(lostTo(undefined, blind), [1, 0, 3020, 'at most']);
    assert.deepEqual(lostTo([PAGE, PAGE + 0x1000], blind), [1, 0, 3020, 'at most']);
    // Of another VMA, as its system call says.
    assert.deepEqual(lostTo([VMA[1] + 0x1000, VMA[1] + 0x2000], blind), [0, 0, 0, undefined]);
  });

  it('where only forks are seen to lock a VMA, what is lost behind these is sure', () => {
    const waits = retry({ fault: 1, tid: 200, from: 1000, to: 9000, found: AVOIDABLE, mmWait: 10 });
    const comes = retry({ fault: 2, tid: 201, from: 6000, to: 8000, found: AVOIDABLE, mmWait: 10 });
    const blind = hooked(...WRITER_HOOKS.filter((target) => target !== '__vma_start_write'));
    const lostTo = (copied: readonly [number, number, number][], acquisitionSent = true): unknown => {
      const rows = writer({ tid: 300, syscall: 56, asked: 2000, had: 2000, released: 9400, copied });
      const both = run(inOrder(waits, comes, acquisitionSent ? rows : rows.slice(1)), blind);
      agree(both);
      const { lost, stalls } = both.report.all.under.keep;
      return [lost?.least.sumNs, lost?.most.sumNs, stalls?.count, stalls?.sumNs];
    };
    assert.deepEqual(lostTo([[4000, ...VMA]]), [3020, 3020, 1, 7000]);
    // Not before it comes to this VMA: the fault came sooner.
    assert.deepEqual(lostTo([[5990, ...VMA]]), [0, 3020, 1, 7000]);
    assert.deepEqual(lostTo([[4000, VMA[1] + 0x1000, VMA[1] + 0x2000]]), [0, 3020, 1, 7000]);
    assert.deepEqual(lostTo([]), [0, 3020, 1, 7000]);
    assert.deepEqual(lostTo([[4000, ...VMA]], false), [3020, 3020, 1, 5000]);
  });

  it('a fault that would be done sooner may come again while the writer still waits for another one', () => {
    const long = retry({ fault: 1, tid: 200, from: 1000, to: 9000, found: AVOIDABLE, mmWait: 10 });
    const lostTo = (found: number): unknown => {
      const short = retry({ fault: 2, tid: 201, from: 1000, to: 7000, found, mmWait: 500, behind: 300 });
      const call = { tid: 300, syscall: 28, asked: 4000, had: 4000, released: 7400 };
      const both = run(inOrder(long, short, writer({ ...call, vmas: [[4010, ...VMA, 3]] })));
      agree(both);
      const { lost } = both.report.all.under.keep;
      return [lost?.least.sumNs, lost?.most.sumNs];
    };
    assert.deepEqual(lostTo(WRITE_LOCKED), [0, 2000]);
    // That writer never had the VMA locked while this fault was away.
    assert.deepEqual(lostTo(AVOIDABLE), [0, 0]);
  });

  it('a fault that comes again to the VMA a writer has locked by then saves no more than the time between', () => {
    const away = retry({ fault: 1, tid: 200, from: 1000, to: 9000, found: WRITE_LOCKED, mmWait: 5000, behind: 300 });
    // Its last step is at 14050.
    const comes = (from: number, address = PAGE): ReturnType<typeof retry> =>
      retry({ fault: 2, tid: 200, from, to: from + 500, found: AVOIDABLE, mmWait: 10, address });
    const most = (at: number, released: number, next: ReturnType<typeof retry>): unknown => {
      const call = { tid: 300, syscall: 28, asked: 3000, had: 3000, released };
      const both = run(inOrder(away, next, writer({ ...call, vmas: [[at, ...VMA, 3]] })));
      agree(both);
      return both.report.all.under.keep.saved.most.sumNs;
    };
    // Its first step is 20 before it gives the VMA lock back.
    assert.equal(most(4000, 14030, comes(14_170)), 100);
    // The writer had gone 1000 before this fault had mmap_lock.
    assert.equal(most(4000, 13_030, comes(14_170)), 1100);
    // The writer came to the VMA when the fault had ended already; or the thread comes elsewhere, or late.
    assert.equal(most(9500, 14_030, comes(14_170)), 4999);
    assert.equal(most(4000, 14_030, comes(14_170, VMA[1] + 0x1000)), 4999);
    assert.equal(most(4000, 14_030, comes(30_000)), 4999);
  });
});
