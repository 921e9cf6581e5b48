// SPDX-License-Identifier: MIT
/**
 * A workload for each cause that a stock kernel can produce on purpose: the tool names it, as often as it was made.
 * docs/causes.md lists them. Counts are exact unless the kernel says it skipped runs of our programs, or the workload's
 * truth is a range. Times are never asserted, only their order.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_PROCESSES } from '../../cli/commands/stat/json.js';
import { guestImpossible, isArm64, isRealTime, kernels, matrixOnly, oneKernel } from './guest.js';
import { causeOf, retriesOf, tally } from './guest-session.js';
import { CAUSES, NUMA, observe } from './observed.js';
import { assertOneCause, assertWokenInVain, MARK_TAKEN, ONE_CAUSE } from './one-cause.js';
import type { Fault } from './session.js';
import { assertWriterGates } from './writer-gate.js';

const skip = (await guestImpossible()) ?? false;

/** Faults whose fallback found mmap_lock held by that thread and queued behind it. */
function queuedBehind(faults: readonly Fault[], holder: number): number {
  return faults.filter(({ waits }) =>
    waits.some((wait) => wait.kind === 'mmapLock' && wait.contended_ns !== null && wait.holder_tid === holder),
  ).length;
}

/** A record has room for so much of a path (VL_PATH of bpf/events.h). */
const ROOM = 384;

/** As the tool says what /proc/self/maps has as `path`: of a long one as many names from its end as reach beyond the room. */
function mappingOf(path: string): string {
  if (path === '') return '[anon]';
  const names = path.split('/').slice(1).reverse();
  let length = 0;
  const kept = names.findIndex((name) => {
    const isFull = length > ROOM;
    length += name.length + 1;
    return isFull;
  });
  return kept < 0 ? path : `…/${names.slice(0, kept).reverse().join('/')}`;
}

function withCause(faults: readonly Fault[], cause: string): number {
  return faults.filter((fault) => causeOf(fault) === cause).length;
}

for (const kernel of oneKernel) {
  test(`${kernel}: every cause made on purpose is named, as often as it was made`, { skip }, async (t) => {
    const sessions = await observe([CAUSES, 'retry all'], { kernel, append: NUMA });
    const retry = sessions.get('retry');
    const all = sessions.get('all');
    assert.ok(retry && all, 'both sessions');
    t.diagnostic(`missed ${retry.missed} and ${all.missed}; ${retry.runs.length} and ${all.runs.length} workloads`);

    await assertWriterGates(t, retry);

    for (const run of Object.keys(ONE_CAUSE)) {
      const skipped = run === 'file-faults-readahead-16' && /^6\.16\b/.test(kernel) && MARK_TAKEN;
      await t.test(`${run}: ${ONE_CAUSE[run]?.cause}`, { skip: skipped }, () => assertOneCause(retry, run, kernel));
    }

    await t.test('a userfault that is woken in vain', () => assertWokenInVain(retry));

    await t.test('mappings: what a VMA maps is said as /proc/PID/maps says it', () => {
      const run = 'mappings';
      const { truth, mappings } = retry.truth(run);
      assert.equal(mappings.length, truth);
      for (const { address, path } of mappings) {
        const faults = retry.at(run).filter((fault) => fault.address === Number(address));
        retry.assertSaid(`${address} ${path}`, faults, ({ mapping }) => String(mapping), [mappingOf(path)], 1);
      }
      const said = retry.stat.vmas.filter(({ tgid }) => tgid === retry.truth(run).pid);
      const whole = retry.stat.vmas.length < MAX_PROCESSES;
      const files = mappings.filter(({ inode }) => inode > 0);
      assert.ok(files.length >= 6 && mappings.some(({ path }) => path.startsWith('/run/merged/')), 'files');
      for (const { path, device, inode } of files) {
        const rows = said.filter((row) => row.mapping === mappingOf(path));
        // The list is of the VMAs with most retries, and each of these has one.
        if (retry.missed === 0 && whole) assert.ok(rows.length > 0, `${path} is in stat --json`);
        for (const row of rows) assert.deepEqual([row.device, row.inode], [device, inode], path);
      }
    });

    for (const run of ['busy-anon-8', 'busy-hugetlb-8', 'busy-locked-8']) {
      await t.test(`${run}: every fallback queues behind the thread that holds mmap_lock`, () => {
        const { truth, holder } = retry.truth(run);
        retry.assertCount(run, queuedBehind(retry.at(run), holder), truth);
      });
    }

    for (const [run, cause, how] of [
      ['busy-locked-8', 'VMA write-locked', 'ok-mmap'],
      ['absent-none-32', 'VMA absent', 'error'],
      ['absent-stack-32', 'stack growth', 'ok-mmap'],
    ] as const) {
      await t.test(`${run}: ABORT, ${cause}`, () => {
        const { truth } = retry.truth(run);
        retry.assertSaid('causes', retry.at(run), causeOf, [cause], truth);
        retry.assertSaid('ends', retry.at(run), (fault) => fault.how, [how], truth);
      });
    }

    await t.test('file-faults-lock-16: one reads, the others wait for its page', () => {
      const faults = retry.at('file-faults-lock-16');
      retry.assertCount('cache miss', withCause(faults, 'file: cache miss'), 1);
      retry.assertCount('page lock', withCause(faults, 'file: page lock'), 15);
      assert.equal(faults.length, 16);
    });

    for (const mode of ['killed', 'handled']) {
      await t.test(`gate-signal-${mode}-8: the signal ends each fault after its RETRY`, () => {
        const run = `gate-signal-${mode}-8`;
        const { truth, more } = retry.truth(run);
        const faults = retry.at(run);
        const ended = faults.filter(({ how }) => how === 'signal');
        retry.assertCount(`${run}: ${JSON.stringify(tally(faults, ({ how }) => how))}`, ended.length, truth);
        // All start at once, so more than one may find the page not in the swap cache yet.
        const own = withCause(ended, 'folio locked: own read');
        retry.assertCount('own and other reads', own + withCause(ended, 'folio locked: other read'), truth);
        assert.ok(own >= 1 || retry.missed > 0, 'somebody read the page');
        // A missed run splits a fault, and hides how it ended.
        const others = faults.length - ended.length;
        assert.ok(others <= more + retry.missed, `${others} more faults, ${retry.missed} runs missed`);
      });
    }

    await t.test('gup-16: a fault of get_user_pages is one fault, its second pass without lock_mm_and_find_vma', () => {
      const { truth } = retry.truth('gup-16');
      const faults = retry.at('gup-16');
      retry.assertCount('faults', faults.length, truth);
      retry.assertSaid('ends', faults, ({ how }) => how, ['ok-mmap'], truth);
      const passes = ({ attempts }: Fault): string => attempts.map(({ outcome }) => outcome).join(', ');
      retry.assertSaid('passes', faults, passes, ['retry, ok'], truth);
    });

    const noHook = isArm64(kernel) && 'arm64 has no bad_area_access_error';
    await t.test(
      'absent-denied-32: access errors under the VMA lock, an outcome and faults of their own',
      {
        skip: noHook,
      },
      () => {
        const run = 'absent-denied-32';
        const { truth } = all.truth(run);
        const faults = all.at(run);
        all.assertCount(run, faults.length, truth);
        assert.deepEqual(
          tally(faults, ({ how, attempts }) => `${how}: ${attempts.map(({ lock, outcome }) => `${lock} ${outcome}`)}`),
          { 'error: vma error': faults.length },
        );
        const { accessError } = all.stat.counts.vmaLock;
        assert.ok(accessError !== null && accessError >= truth - all.missed, `${accessError} access errors`);
      },
    );

    await t.test('file-faults-shared-16: COMPLETED', () => {
      const run = 'file-faults-shared-16';
      all.assertCount(run, all.at(run).filter(({ how }) => how === 'completed').length, all.truth(run).truth);
    });

    await t.test(
      'migrate-2-2: waits for migration with the VMA lock held, and no RETRY',
      {
        skip: /cloud|arm64/.test(kernel) && 'this kernel has no CONFIG_NUMA_EMU: the guest has one memory node',
      },
      () => {
        const run = 'migrate-2-2';
        const { slept, faults: most } = all.truth(run);
        const least = isRealTime(kernel) ? 1 : slept;
        const waits = all.at(run).flatMap((fault) => fault.waits.filter(({ kind }) => kind === 'migration'));
        all.assertBetween(run, waits.length, least, most);
        assert.deepEqual(Object.keys(tally(waits, ({ held }) => held)), ['vma']);
        t.diagnostic(`${run}: ${waits.length} waits, [${least}, ${most}]`);
      },
    );

    await t.test('reclaim-memcg-2048: reclaim for the limit of a memory cgroup inside faults', () => {
      const run = 'reclaim-memcg-2048';
      const { truth } = all.truth(run);
      const waits = all.at(run).flatMap((fault) => fault.waits.filter(({ kind }) => kind === 'memcgReclaim'));
      all.assertBetween(run, waits.length, 1, truth);
      assert.deepEqual(Object.keys(tally(waits, ({ held }) => held)), ['vma']);
      t.diagnostic(`${run}: ${waits.length} waits, [1, ${truth}]`);
    });

    await t.test('reclaim-sync-512: synchronous reads under the VMA lock, and no RETRY', () => {
      const run = 'reclaim-sync-512';
      const { truth } = all.truth(run);
      const faults = all.at(run);
      const reads = faults.flatMap((fault) => fault.waits.filter(({ kind }) => kind === 'syncRead'));
      all.assertCount(run, reads.length, truth);
      assert.deepEqual(Object.keys(tally(reads, ({ held }) => held)), ['vma']);
      assert.equal(retriesOf(faults).length, 0);
      const device = all.stat.swap.devices.find(({ synchronous }) => synchronous);
      assert.ok(device, 'no synchronous device');
      // The shell that starts the workloads may have been swapped out to it as well, and two of its kind may meet there.
      assert.ok(device.reads >= truth - all.missed, `${device.reads} reads of the device`);
    });

    await t.test('vma-users: VMA locks that no fault took are counted, and are no faults', () => {
      const { userfaultfd, procfs, madvise } = all.stat.otherUsers;
      const hooked = (target: string): boolean =>
        all.stat.hooks.some((hook) => hook.target === target && hook.attached);
      const known = { uffd_lock_vma: userfaultfd, lock_next_vma: procfs, madvise_vma_behavior: madvise };
      for (const [target, count] of Object.entries(known))
        assert.equal(count !== null, hooked(target), `${target}: ${count}, and null where it cannot be seen`);
      if (userfaultfd !== null) all.assertCount('UFFDIO_COPY', userfaultfd, all.truth('vma-users-copy-100').truth);
      // Exiting threads of the other workloads give their stacks back by madvise.
      if (madvise !== null) all.assertBetween('madvise', madvise, 100, 110);
      const { truth, vmas } = all.truth('vma-users-maps-10');
      if (procfs !== null) all.assertBetween('procfs', procfs, truth * vmas, 2 * truth * (vmas + 2));
      t.diagnostic(`users: ${JSON.stringify(all.stat.otherUsers)}`);
    });
  });
}

const matrixSkip = await matrixOnly();

for (const kernel of kernels) {
  test(`${kernel}: causes do not hang on /proc/kallsyms`, { skip: matrixSkip }, async (t) => {
    const retry = (await observe([CAUSES, 'hidden retry'], { kernel, append: NUMA })).get('retry');
    assert.ok(retry);
    for (const run of Object.keys(ONE_CAUSE))
      await t.test(`${run}: ${ONE_CAUSE[run]?.cause}`, () => assertOneCause(retry, run, kernel));
  });
}
