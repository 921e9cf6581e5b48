// SPDX-License-Identifier: MIT
/** `verdict`: real recordings and random streams against a naive oracle, examples by hand, and its bounds. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { StallTotals } from '../../src/core/aggregate/stall-hold.js';
import { PolicyStalls, StallSums, WriterHold } from '../../src/core/verdict/policy-stalls.js';
import { openFile } from '../../src/recording/read/file.js';
import { syntheticSession } from './session.js';
import { synthesizeStream } from './synthetic.js';
import { agree, type Both, Pair, run } from './verdict-pair.js';
import { AVOIDABLE, hooked, inOrder, MM, PAGE, retry, WRITE_LOCKED, WRITER_HOOKS, writer } from './wire.js';

async function ofRecording(name: string): Promise<Both> {
  const source = await openFile(fileURLToPath(new URL(`../../../test/golden/${name}`, import.meta.url)));
  const pair = new Pair(source.session);
  for await (const batch of source.batches()) pair.push(batch);
  await source.close();
  return pair.end();
}

describe('verdict, recordings of real kernels', () => {
  it('faults of all sorts on 7.3: as the oracle says, writers and forks among them', async () => {
    const both = await ofRecording('mixed-7.3.vmlt');
    agree(both);
    const { report } = both;
    assert.equal(report.policy, 'today');
    assert.equal(report.basis, 'exact');
    assert.ok((report.all.under.keep.stalls?.count ?? 0) > 30);
    assert.ok(report.writers.keep.forks.count > 0 && report.writers.keep.others.count > 0);
    // What is by design saves nothing anywhere, and its second try is in vain.
    const design = report.byCause.find(({ key }) => key === '->fault needs mmap_lock');
    assert.deepEqual([design?.under.retry.courses.vain, design?.under.retry.saved.most.sumNs], [design?.retries, 0]);
    // A userfault is never waited for under the VMA lock, and a second try does for it.
    const userfault = report.byCause.find(({ key }) => key === 'userfault: missing');
    assert.equal(userfault?.under.keep.courses.same, userfault?.retries);
    assert.ok((userfault?.under.retry.saved.least.sumNs ?? 0) > 0);
  });

  it('a recording without the hooks on queues and writers: intervals, and stalls not known', async () => {
    const both = await ofRecording('swap-7.3.vmlt');
    agree(both);
    const { report } = both;
    assert.deepEqual([report.basis, report.queueSeen, report.all.under.keep.stalls], ['none', false, null]);
    assert.equal(report.all.queued.least.sumNs, 0);
    assert.ok(report.all.queued.most.sumNs > 0);
    assert.match(report.conclusions.join(' '), /no measurable difference/);
  });
});

const VMA: readonly [number, number] = [PAGE, PAGE + 0x10_0000];

describe('verdict, by example', () => {
  it('a fault that queues behind a writer of another VMA: both save its queue', () => {
    const both = run(retry({ fault: 1, tid: 200, from: 1000, to: 9000, found: AVOIDABLE, mmWait: 500, behind: 300 }));
    agree(both);
    const { retry: again, keep } = both.report.all.under;
    assert.deepEqual([again.courses.vma, keep.courses.vma], [1, 1]);
    assert.deepEqual([again.saved.least.sumNs, keep.saved.most.sumNs], [499, 499]);
    assert.equal(both.report.all.lookupNs, 1);
  });

  it('its VMA was write-locked: either may save it or not; under keep the writer stalls', () => {
    const fault = retry({ fault: 1, tid: 200, from: 1000, to: 9000, found: WRITE_LOCKED, mmWait: 500, behind: 300 });
    const fork = writer({ tid: 300, syscall: 56, asked: 4000, had: 4000, released: 9400, vmas: [[4010, ...VMA, 3]] });
    const both = run(inOrder(fault, fork));
    agree(both);
    const { retry: again, keep } = both.report.all.under;
    assert.deepEqual([again.saved.least.sumNs, again.saved.most.sumNs], [0, 499]);
    assert.deepEqual([keep.saved.least.sumNs, keep.saved.most.sumNs], [0, 499]);
    assert.deepEqual(Object.keys(again.why), ['VMA write-locked: before the second try, or while it queued']);
    assert.deepEqual(Object.keys(keep.why), ['VMA write-locked: its thread may come again meanwhile']);
    const { rows, forks } = both.report.writers.keep;
    assert.deepEqual([forks.count, forks.sumNs], [1, 9000 - 4010]);
    assert.deepEqual(
      rows.map(({ syscall, fork, vmas }) => [syscall, fork, vmas[0]?.start, vmas[0]?.stalls]),
      [['clone', true, `0x${PAGE.toString(16)}`, 1]],
    );
  });

  it('its VMA was write-locked and nobody held mmap_lock any more: a second try does, and saves nothing', () => {
    const both = run(retry({ fault: 1, tid: 200, from: 1000, to: 9000, found: WRITE_LOCKED, mmWait: 10 }));
    agree(both);
    const { courses, saved, why } = both.report.all.under.retry;
    assert.deepEqual([courses.vma, saved.most.sumNs, why], [1, 0, {}]);
  });

  it('a fault in flight is not known', () => {
    const both = run(retry({ fault: 1, tid: 200, from: 1000, to: 9000 }).slice(0, 3));
    assert.equal(both.report.all.retries, 0);
    const rows = retry({ fault: 1, tid: 200, from: 1000, to: 9000, found: AVOIDABLE });
    const cut = run(rows.slice(0, 7));
    agree(cut);
    assert.equal(cut.report.all.under.keep.courses.unknown, 1);
  });
});

describe('verdict, random streams', () => {
  it('sums to what the oracle sums, whatever is lost', () => {
    const stream = fc.record({
      seed: fc.integer(),
      faults: fc.integer({ min: 1, max: 100 }),
      threads: fc.integer({ min: 1, max: 6 }),
      batchRows: fc.constantFrom(1, 7, 4096),
      dropRate: fc.constantFrom(0, 0.02, 0.3),
      missRate: fc.constantFrom(0, 0.02, 0.3),
    });
    fc.assert(
      fc.property(stream, fc.boolean(), ({ seed, faults, ...options }, queueSeen) => {
        const made = synthesizeStream(faults, seed, options);
        const hooks = WRITER_HOOKS.filter((target) => queueSeen || target !== 'mmap_lock_start_locking');
        const pair = new Pair(syntheticSession(hooked(...hooks)));
        for (const batch of made.batches) pair.push(batch);
        agree(pair.end());
      }),
      { numRuns: 100 },
    );
  });

  it('finds every writer that would stall, once a hold, in whatever order they come', () => {
    const fault = fc.record({
      at: fc.integer({ min: 0, max: 4000 }),
      lasts: fc.integer({ min: 50, max: 3000 }),
      page: fc.integer({ min: 0, max: 3 }),
      found: fc.constantFrom(AVOIDABLE, WRITE_LOCKED),
      queue: fc.integer({ min: 2, max: 900 }),
    });
    const hold = fc.record({
      at: fc.integer({ min: 0, max: 8000 }),
      syscall: fc.constantFrom(56, 10, 11),
      pages: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 4 }),
      named: fc.option(fc.tuple(fc.integer({ min: -512, max: 512 }), fc.integer({ min: 1, max: 4 }))),
      thread: fc.integer({ min: 0, max: 5 }),
      mm: fc.constantFrom(MM, MM + 64),
    });
    fc.assert(
      fc.property(
        fc.array(fault, { maxLength: 12 }),
        fc.array(hold, { maxLength: 12 }),
        fc.boolean(),
        fc.constantFrom(1, 5, 1000),
        (faults, holds, exact, size) => {
          const page = (n: number): number => PAGE + n * 0x1000;
          const rows = [
            ...faults.map(({ at, lasts, page: n, found, queue }, i) =>
              retry({
                fault: i,
                tid: 200 + i,
                from: 1000 + at,
                to: 1000 + at + lasts,
                address: page(n),
                found,
                mmWait: queue,
                behind: 300,
              }),
            ),
            ...holds.map(({ at, syscall, pages, named, thread, mm }) =>
              writer({
                tid: 400 + thread,
                syscall,
                ...(named === null ? {} : { names: [page(named[0]), page(named[0] + named[1])] as const }),
                asked: at,
                had: at,
                released: at + 500,
                mm,
                vmas: exact
                  ? pages.map((n, k): [number, number, number, number] => [at + 10 * k + 1, page(n), page(n + 1), 2])
                  : [],
                copied: !exact && syscall === 56 ? pages.map((n, k) => [at + 10 * k + 1, page(n), page(n + 1)]) : [],
              }),
            ),
          ];
          const hooks = exact ? WRITER_HOOKS : WRITER_HOOKS.filter((target) => target !== '__vma_start_write');
          agree(run(inOrder(...rows), hooked(...hooks), size));
        },
      ),
      { numRuns: 100 },
    );
  });
});

const AT_PAGE = { mm: MM, address: PAGE, vmaStart: 0, vmaEnd: 0 };

describe('verdict, bounds', () => {
  it('writes the oldest hold down when too many are open, and counts what it found later', () => {
    const policy = new PolicyStalls(true, () => undefined, 2);
    const [cause, process] = [new StallSums(), new StallSums()];
    const who = { tgid: 1, comm: 'w', syscall: 10, prio: Number.NaN };
    const holds = [1, 2, 3].map((tid) => new WriterHold(tid, MM, 0, who));
    policy.stalls.window(AT_PAGE, 0, 100, cause, process, 9);
    for (const hold of holds) policy.stalls.writeLocks(hold, 10 * hold.tid, ...VMA);
    // The first one, written down by the third, meets a longer window.
    policy.stalls.window(AT_PAGE, 0, 500, cause, process, 9);
    policy.finish();
    assert.deepEqual([policy.all.stalls.count, cause.stalls.count, process.stalls.count, policy.late], [3, 3, 3, 1]);
    assert.equal(policy.all.stalls.sum, 90 + 480 + 470);
    assert.ok(cause instanceof StallTotals);
  });

  it('keeps a bounded number of processes, and says how many it let go', () => {
    const rows = Array.from({ length: 400 }, (_, i) =>
      retry({ fault: i, tid: 1000 + i, from: 1000 + i * 100, to: 1050 + i * 100, found: AVOIDABLE }).map((row) => ({
        ...row,
        tgid: 1000 + i,
      })),
    );
    const { report } = run(inOrder(...rows));
    assert.equal(report.all.retries, 400);
    assert.ok(report.processesForgotten >= 400 - 256);
    assert.ok(report.byProcess.length <= 64);
  });
});
