// SPDX-License-Identifier: MIT
/** Recordings made on real kernels open in every later version and say the same (test/vm/guest/record-bundled makes one). */
import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { statJson } from '../../cli/commands/stat/json.js';
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import type { Snapshot } from '../../src/core/aggregate/snapshot.js';
import { openFile } from '../../src/recording/read/file.js';

const golden = (name: string): string => fileURLToPath(new URL(`../../../test/golden/${name}`, import.meta.url));

/** Those that a test here has opened. */
const opened = new Set<string>();

function open(file: string): ReturnType<typeof openFile> {
  opened.add(file);
  return openFile(golden(file));
}

/** The summary of a bundled recording; fails unless it is whole and conserves its events. UPDATE_GOLDEN=1 writes the expected one. */
async function bundled(name: string): Promise<Snapshot> {
  const source = await open(`${name}.vmlt`);
  const pipeline = new Pipeline(source.session);
  for await (const batch of source.batches()) pipeline.push(batch);
  await source.close();
  const snapshot = pipeline.snapshot();
  assert.equal(source.truncated, null);
  assert.equal(snapshot.ended, true);
  assert.equal(snapshot.events.emitted, snapshot.events.decoded + snapshot.events.dropped);
  const text = JSON.stringify(statJson(snapshot));
  if (process.env.UPDATE_GOLDEN === '1') await writeFile(golden(`${name}.stat.json`), `${text}\n`);
  assert.deepEqual(JSON.parse(text), JSON.parse(await readFile(golden(`${name}.stat.json`), 'utf8')));
  return snapshot;
}

test('a recording of the first version, with the first kinds of steps alone, opens and gives its summary', async () => {
  const { retry } = await bundled('swap-7.3');
  // What the kernel side did not send then is not known, and not guessed at.
  assert.ok(retry.byCause['folio locked'] > 1000);
  assert.equal(retry.avoidable + retry.notAvoidable, 0);
  assert.equal(retry.unknown, retry.total);
});

test('faults of all sorts and the gates with a writer, as a 7.3.4 kernel had them', async () => {
  const { retry, writers, causeStacks } = await bundled('mixed-7.3');
  assert.equal(retry.avoidable + retry.notAvoidable + retry.unknown, retry.total);
  assert.ok(retry.byCause.unknown <= retry.total / 100);
  // writer-gate: 12 waiters with no writer and 24 with one elsewhere are avoidable, 8 are not.
  const held = writers.find((row) => row.comm === 'writer-gate' && row.retriesDelayed > 0);
  assert.equal(held?.retriesDelayed, 24);
  const protect = writers.find((row) => row.comm === 'writer-gate' && row.retriesLocked > 0);
  assert.deepEqual([protect?.retriesLocked, protect?.name], [8, 'mprotect']);
  assert.ok(causeStacks.length > 0);
});

test('a part of a rotated recording of today opens, by itself, with the names and counters of before it', async () => {
  const source = await open('synthetic-part-2.vmlt');
  const pipeline = new Pipeline(source.session);
  for await (const batch of source.batches()) pipeline.push(batch);
  const { events, lifecycles, ended, swap } = pipeline.snapshot();
  assert.equal(source.head.part?.number, 2);
  assert.equal(source.truncated, null);
  assert.equal(ended, true);
  assert.deepEqual([events.emitted, events.decoded, events.dropped], [7202, 7184, 18]);
  assert.equal(lifecycles.total, 800);
  assert.equal(swap.devices[0]?.name, '/dev/zram0');
});

test('what a flight recorder wrote opens by itself: why, its names, and the counters since it begins', async () => {
  const source = await open('synthetic-flight.vmlt');
  const pipeline = new Pipeline(source.session);
  for await (const batch of source.batches()) pipeline.push(batch);
  const { events, lifecycles, ended, swap } = pipeline.snapshot();
  assert.equal(source.head.part?.written?.why, 'folio wait p99 over 50 ms');
  assert.equal(source.truncated, null);
  assert.equal(ended, true);
  assert.deepEqual([events.emitted, events.decoded, events.dropped], [10615, 10599, 16]);
  assert.equal(lifecycles.total, 1179);
  assert.equal(swap.devices[0]?.name, '/dev/zram0');
});

test('an agent that reads the smaps of four threads, as a 6.12 kernel had it', async () => {
  const { blockers } = await bundled('blocked-6.12');
  assert.equal(blockers.known, true);
  assert.equal(blockers.rows[0]?.what, '/proc/PID/smaps');
  assert.equal(blockers.faults.named, blockers.faults.waits.count);
});

test('forks of 300 VMAs while page faults read a file, as a 7.3 kernel had them', async () => {
  const { blockers } = await bundled('forked-7.3');
  const fork = blockers.rows.find(({ forks }) => forks !== null)?.forks;
  assert.deepEqual([fork?.count, fork?.maxThreads, fork?.locked, fork?.waits?.count], [10, 7, 3393, 6]);
  const fault = blockers.rows.find(({ lock }) => lock === 'vma');
  assert.deepEqual([fault?.what, fault?.victims.map(({ what }) => what)], ['page fault', ['mmap', 'munmap', 'clone']]);
  assert.deepEqual([blockers.vma?.waits.count, blockers.vma?.named], [30, 26]);
  assert.equal(blockers.faults.named, blockers.faults.waits.count);
});

test('a kernel that tries once more under the VMA lock: every RETRY followed, with its cause, and equal to /proc/vmstat', async () => {
  const { retry, counts, vmstat } = await bundled('retry-vma-6.12');
  assert.deepEqual([retry.total, retry.byCause.unknown], [counts.vmaLock.retry, 0]);
  // Both tries of an attempt that is refused by design, or whose trylock of mmap_lock failed, have the same cause.
  assert.deepEqual([retry.byCause.anon_vma, retry.byCause['->fault needs mmap_lock']], [2 * 26, 2 * 20]);
  assert.deepEqual(retry.secondTries, { done: 122, retry: 46, other: 0 });
  assert.deepEqual(
    vmstat?.map(({ line, counted, difference }) => [line, counted, difference]),
    [
      ['vma_lock_success', 13582, 0],
      // Three faults, three of the tool itself, and eight lookups for a second try.
      ['vma_lock_abort', 14, 0],
      ['vma_lock_retry', 223, 0],
    ],
  );
});

test('no bundled recording is left out above', async () => {
  const there = (await readdir(golden(''))).filter((name) => name.endsWith('.vmlt'));
  assert.deepEqual([...opened].sort(), there.sort());
});
