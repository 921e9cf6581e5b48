// SPDX-License-Identifier: MIT
/** Snapshot and its JSON as a whole, over one synthetic session. UPDATE_GOLDEN=1 rewrites the golden file. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { statJson } from '../../cli/commands/stat/json.js';
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import type { Snapshot } from '../../src/core/aggregate/snapshot.js';
import { createBatch } from '../../src/core/events/batch.js';
import type { SessionInfo } from '../../src/core/events/session.js';
import { CounterGroup, pushCounter, pushEnd } from '../../src/core/events/user-rows.js';
import { VlCounter } from '../../src/schema/events.gen.js';
import { feed, run } from './compare.js';
import { syntheticSession } from './session.js';
import { synthesize, synthesizeStream } from './synthetic.js';
import { AVOIDABLE, batchesOf, hooked, inOrder, PAGE, retry, WRITE_LOCKED, WRITER_HOOKS, writer } from './wire.js';

// Compiled tests run from dist/test/core; golden files are not compiled.
const GOLDEN = join(import.meta.dirname, '../../../test/golden/core');

function snapshotOf(batches: readonly ReturnType<typeof createBatch>[]): Snapshot {
  const pipeline = new Pipeline(syntheticSession());
  for (const batch of batches) pipeline.push(batch);
  return pipeline.snapshot();
}

function holdsTo(snapshot: Snapshot, name: string): void {
  const text = `${JSON.stringify(statJson(snapshot), null, 2)}\n`;
  if (process.env.UPDATE_GOLDEN) {
    mkdirSync(GOLDEN, { recursive: true });
    writeFileSync(join(GOLDEN, name), text);
  }
  assert.equal(text, readFileSync(join(GOLDEN, name), 'utf8'));
}

describe('stat --json', () => {
  it('is this document for this session', () => {
    holdsTo(snapshotOf(synthesize(400, 11, { dropRate: 0.05 })), 'stat.json');
  });

  it('is this document for a gate with a writer', () => {
    const pipeline = new Pipeline(syntheticSession({ ...hooked(...WRITER_HOOKS, 'uffd_lock_vma'), arch: 'x64' }));
    const who = { tid: 300, syscall: 10, exact: true };
    const rows = inOrder(
      retry({ fault: 1, tid: 201, from: 1000, to: 9000, found: AVOIDABLE, folio: 3, mmWriters: 1, behind: 300 }),
      retry({ fault: 2, tid: 202, from: 1000, to: 9000, found: WRITE_LOCKED, folio: 3, mmWriters: 1, writer: who }),
      writer({
        ...{ tid: 300, syscall: 10, asked: 4000, had: 6000, released: 9100, behind: 7, stacks: [5, 6] },
        vmas: [[6500, PAGE, PAGE + 4096, 40]],
      }),
    );
    for (const batch of batchesOf(rows)) pipeline.push(batch);
    holdsTo(pipeline.snapshot(), 'stat-writers.json');
  });

  it('holds no number that lost bits, and null for what is not known', () => {
    const numbers = (value: unknown): number[] =>
      typeof value === 'number'
        ? [value]
        : value !== null && typeof value === 'object'
          ? Object.values(value).flatMap(numbers)
          : [];
    const waitsOf = (changes: Partial<SessionInfo>): Record<string, { p50Ns: unknown; count: number } | null> => {
      const json = JSON.stringify(statJson(new Pipeline(syntheticSession(changes)).snapshot()));
      return (JSON.parse(json) as { waits: Record<string, { p50Ns: unknown; count: number } | null> }).waits;
    };
    const seen = waitsOf({ hooks: [{ target: '__folio_lock_or_retry', attached: true, note: '' }] });
    assert.deepEqual([seen.folio?.count, seen.folio?.p50Ns], [0, null]);
    // No hook shows it: that none was counted does not mean there was none.
    assert.equal(waitsOf({}).folio, null);
    assert.equal(seen.writer, null);
    assert.ok(numbers(statJson(snapshotOf(synthesize(400, 11)))).every((n) => Math.abs(n) <= Number.MAX_SAFE_INTEGER));
  });
});

describe('docs/cli.md', () => {
  it('names every key of the document', () => {
    const docs = readFileSync(join(import.meta.dirname, '../../../docs/cli.md'), 'utf8');
    const keys = Object.keys(statJson(snapshotOf([])));
    assert.deepEqual(
      keys.filter((key) => !docs.includes(`\`${key}\``)),
      [],
    );
  });
});

describe('snapshot', () => {
  it('counts faults from the exact counters of the kernel', () => {
    const batch = createBatch(64, ['']);
    const values: readonly (readonly [number, number])[] = [
      [VlCounter.VMA_OK, 1000],
      [VlCounter.VMA_RETRY, 100],
      [VlCounter.VMA_COMPLETED, 10],
      [VlCounter.VMA_ERROR, 1],
      [VlCounter.ABORT, 20],
      [VlCounter.KERNEL, 300],
      [VlCounter.KERNEL_RETRY, 5],
      [VlCounter.MMAP_OK, 110],
      [VlCounter.MMAP_RETRY, 7],
      [VlCounter.GUP, 3],
      [VlCounter.STATE_LOST, 2],
      [VlCounter.NESTED_LOST, 1],
    ];
    for (const [counter, value] of values) pushCounter(batch, 5000, CounterGroup.Kernel, counter, value);
    pushCounter(batch, 5000, CounterGroup.Missed, 1, 4);
    pushCounter(batch, 5000, CounterGroup.Self, 3, 512);
    pushCounter(batch, 5000, 99, 0, 1);
    const snapshot = snapshotOf([batch]);
    assert.equal(snapshot.counts.faults, 1000 + 100 + 10 + 1 + 20 + 300);
    assert.deepEqual(snapshot.counts.vmaLock, {
      success: 1000,
      retry: 100,
      completed: 10,
      abort: 20,
      error: 1,
      accessError: null,
    });
    assert.deepEqual([snapshot.counts.mmapLock, snapshot.counts.kernelMode, snapshot.counts.gup], [117, 300, 3]);
    assert.deepEqual([snapshot.events.missed, snapshot.events.decoded, snapshot.events.stateLost], [4, 0, 3]);
    assert.deepEqual([snapshot.ringUsedBytes, snapshot.ended, snapshot.time], [512, false, 5000]);
  });

  it('says no less was emitted than was decoded while the session lasts, and what the kernel counted when it is over', () => {
    const [first] = synthesize(600, 3, { batchRows: 100 });
    assert.ok(first);
    const pipeline = new Pipeline(syntheticSession());
    pipeline.push(first);
    const { events } = pipeline.snapshot();
    assert.ok(events.decoded > 0);
    assert.deepEqual([events.emitted, events.emittedAtLeast], [events.decoded, true]);
    for (const row of Object.values(events.perKind)) assert.equal(row.emitted, row.decoded + row.dropped);
    const end = createBatch(1, ['']);
    pushEnd(end, 1e12);
    pipeline.push(end);
    const over = pipeline.snapshot().events;
    // The kernel counted none: that is to be seen, not to be smoothed over.
    assert.deepEqual([over.emitted, over.emittedAtLeast, over.decoded], [0, false, events.decoded]);
  });

  it('is not changed by what comes after it', () => {
    const batches = synthesize(600, 3, { batchRows: 100 });
    const pipeline = new Pipeline(syntheticSession());
    const half = batches.length >> 1;
    for (const batch of batches.slice(0, half)) pipeline.push(batch);
    const snapshot = pipeline.snapshot();
    const before = structuredClone(snapshot);
    for (const batch of batches.slice(half)) pipeline.push(batch);
    assert.deepEqual(snapshot, before);
    assert.deepEqual([snapshot.ended, pipeline.snapshot().ended], [false, true]);
  });

  it('does not depend on how rows are cut into batches', () => {
    assert.deepEqual(snapshotOf(synthesize(500, 9, { batchRows: 13 })), snapshotOf(synthesize(500, 9)));
  });

  it('does not depend on who looked before', () => {
    const batches = synthesize(500, 9, { batchRows: 7 });
    const looked = new Pipeline(syntheticSession());
    for (const batch of batches) {
      looked.push(batch);
      looked.snapshot();
    }
    assert.deepEqual(looked.snapshot(), snapshotOf(batches));
  });

  it('shows the latest newest first, the slowest longest first, the oldest in flight first', () => {
    const { snapshot, closed } = run(synthesizeStream(3000, 5, { threads: 40 }), false);
    assert.deepEqual(
      snapshot.latest.map((life) => life.id),
      closed
        .slice(-64)
        .reverse()
        .map((life) => life.id),
    );
    const longest = closed
      .map((life) => life.last - life.first)
      .sort((x, y) => y - x)
      .slice(0, 64);
    assert.deepEqual(
      snapshot.slowest.map((life) => life.last - life.first),
      longest,
    );
    assert.ok(snapshot.inFlight.length > 1);
    const opened = snapshot.inFlight.map((life) => life.first);
    assert.deepEqual(
      opened,
      [...opened].sort((x, y) => x - y),
    );
  });

  it('finds the herd: the pages that retried most, with all of their retries', () => {
    const { snapshot, closed } = run(synthesizeStream(4000, 21), false);
    const retries = new Map<string, number>();
    for (const life of closed) {
      const n = life.attempts.filter((attempt) => attempt.lock === 'vma' && attempt.outcome === 'retry').length;
      const key = `${life.mm} ${life.address}`;
      retries.set(key, (retries.get(key) ?? 0) + n);
    }
    for (const row of snapshot.addresses.slice(0, 16))
      assert.equal(row.retries - (row.byEnd['in-flight'] ?? 0), retries.get(`${row.mm} ${row.address}`));
    assert.equal(snapshot.addresses[0]?.retries, Math.max(...snapshot.addresses.map((row) => row.retries)));
  });

  it('keeps apart the same address in two address spaces, and knows addresses beyond 47 bits', () => {
    const high = 2 ** 56 - 4096;
    const places: readonly (readonly [number, number])[] = [
      [1, 0x5000],
      [1, 0x5000],
      [1, high],
      [2, 0x5000],
    ];
    const rows = places.map(([mm, address], fault) => ({
      kind: 2,
      flags: 3,
      step: 0,
      fault,
      tid: fault,
      a: 0x1254,
      b: 0x400,
      mm,
      address,
    }));
    const { addresses } = feed(rows, false);
    assert.deepEqual(
      addresses.map((row) => [row.mm, row.address, row.retries]),
      [
        [1, 0x5000, 2],
        [1, high, 1],
        [2, 0x5000, 1],
      ],
    );
  });
});
