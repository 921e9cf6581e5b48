// SPDX-License-Identifier: MIT
/** Sums over whole streams, losses included: they add up, and the stall is that of the lifecycles and writers seen. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import type { Snapshot } from '../../src/core/aggregate/snapshot.js';
import type { CounterfactualRow } from '../../src/core/aggregate/snapshot-rows.js';
import type { Lifecycle } from '../../src/core/lifecycle/lifecycle.js';
import { Random } from './scripts.js';
import { syntheticSession } from './session.js';
import { synthesize } from './synthetic.js';
import { batchesOf, hooked, type WireRow, WRITER_HOOKS, writer } from './wire.js';

const MM = 0x8881_0000_0000;
const LOW = 0x7f00_0000_0000;
const HIGH = 0x7f40_0000_0000;

interface Played {
  readonly snapshot: Snapshot;
  readonly seen: readonly Lifecycle[];
  readonly writers: readonly WireRow[];
}

/** A stream of faults with writers of the same mms in between. */
function play(seed: number, dropRate: number): Played {
  const random = new Random(seed);
  const closed: Lifecycle[] = [];
  const pipeline = new Pipeline(syntheticSession(hooked(...WRITER_HOOKS)), { onClosed: (life) => closed.push(life) });
  const writers: WireRow[] = [];
  const batches = synthesize(300, seed, { batchRows: 40, dropRate, missRate: dropRate, unfinished: false });
  batches.forEach((batch, i) => {
    pipeline.push(batch);
    const now = batch.time[batch.length - 1] as number;
    // Processes of the stream are named by the first of their four threads.
    const mm = MM + random.int(250, 253) * 4 * 0x1000;
    const had = now - random.int(0, 200_000);
    const middle = LOW + random.int(0, 16) * 4096;
    const [lo, hi] = random.chance(0.5) ? [LOW, middle] : [middle, HIGH];
    const vmas = random.chance(0.8) ? [[had + random.int(0, 9000), lo, hi, random.int(0, 500)] as const] : [];
    const rows = writer({ tid: 5000 + (i % 7), syscall: 10, asked: had - 10, had, released: had + 10_000, mm, vmas });
    writers.push(...rows);
    for (const more of batchesOf(rows)) pipeline.push(more);
  });
  // What is judged and waits for its end counts as well.
  return { snapshot: pipeline.snapshot(), seen: [...closed, ...pipeline.open()], writers };
}

interface Window {
  readonly mm: number;
  readonly address: number;
  readonly start: number;
  readonly end: number;
}

const AT_ONCE = ['device-private', 'swap refused', 'anon_vma', 'hugetlb', '->fault needs mmap_lock'];
const DROPPING = ['folio', 'userfault', 'file', 'shmem'];

/** What the lock would have been kept over. */
function windowsOf(seen: readonly Lifecycle[], now: number): { windows: Window[]; unknown: number } {
  const windows: Window[] = [];
  let unknown = 0;
  for (const { attempts, waits, mm, address, how } of seen) {
    const latest = attempts.at(-1);
    const waiting = waits.filter((w) => DROPPING.includes(w.kind) && Number.isNaN(w.end)).at(-1);
    if (how === 'in-flight' && latest?.lock === 'vma' && latest.outcome === 'pending' && waiting?.held === 'none')
      windows.push({ mm, address, start: waiting.start, end: now });
    const attempt = attempts.find(({ lock, verdict }) => lock === 'vma' && verdict !== null);
    if (attempt === undefined || AT_ONCE.includes(attempt.cause ?? '')) continue;
    const { lo, hi } = attempt.released;
    const wait = waits.filter((w) => DROPPING.includes(w.kind) && w.start <= hi && !Number.isNaN(w.end)).at(-1);
    if (wait === undefined || Number.isNaN(address)) unknown++;
    else windows.push({ mm, address, start: Number.isFinite(lo) ? lo : wait.start, end: wait.end });
  }
  return { windows, unknown };
}

/** Stall of each hold, the longest of its moments, naively. */
function stallOf(
  windows: readonly Window[],
  writers: readonly WireRow[],
  exact: boolean,
): { ns: number; holds: number } {
  const longest = new Map<string, number>();
  let hold = '';
  for (const row of writers) {
    if (row.kind === 30) hold = `${row.tid} ${row.time}`;
    if (row.kind !== (exact ? 32 : 30)) continue;
    const time = exact ? (row.acquired as number) : row.time;
    for (const { mm, address, start, end } of windows) {
      if (mm !== row.mm || time < start || time >= end) continue;
      if (exact && (address < (row.vma?.[0] ?? 0) || address >= (row.vma?.[1] ?? 0))) continue;
      longest.set(hold, Math.max(longest.get(hold) ?? 0, end - time));
    }
  }
  return { ns: [...longest.values()].reduce((x, y) => x + y, 0), holds: longest.size };
}

function sum(values: Readonly<Record<string, number>> | readonly number[]): number {
  return Object.values(values).reduce((x, y) => x + y, 0);
}

function addsUp(snapshot: Snapshot): void {
  const { retry, counterfactual, abort, waits, progress } = snapshot;
  const { all, byCause, byProcess } = counterfactual;
  assert.equal(retry.avoidable + retry.notAvoidable + retry.unknown, retry.total);
  assert.equal(sum(retry.byCause), retry.total);
  assert.equal(sum(retry.unknownBy), retry.byCause.unknown);
  assert.equal(sum(abort.byCause), abort.total);
  assert.equal(sum(all.verdicts), retry.total);
  assert.equal(sum(all.unknownWhy), all.verdicts.unknown);
  assert.ok(all.avoidableQuiet + all.avoidableBusy <= all.verdicts.avoidable);
  for (const rows of [byCause, byProcess]) {
    const total = (of: (row: CounterfactualRow) => number): number => sum(rows.map(of));
    assert.equal(
      total((row) => row.retries),
      all.retries,
    );
    assert.equal(
      total((row) => row.verdicts.avoidable),
      all.verdicts.avoidable,
    );
    assert.equal(
      total((row) => row.savedNs ?? 0),
      all.savedNs,
    );
    assert.equal(
      total((row) => row.lookupNs),
      all.lookupNs,
    );
    assert.equal(
      total((row) => row.stall.unknown),
      all.stall.unknown,
    );
    // A writer stalls once, whatever made it stall: parts may overlap, and none is more than the whole.
    for (const { stall } of rows) assert.ok(stall.exactNs <= all.stall.exactNs && stall.boundNs <= all.stall.boundNs);
    // What still waits has no cause yet.
    if (snapshot.inFlightTotal === 0) assert.ok(total((row) => row.stall.exactNs) >= all.stall.exactNs);
  }
  byCause.forEach(({ key, retries }) => {
    assert.equal(retries, retry.byCause[key as keyof typeof retry.byCause]);
  });
  assert.ok(waits.mmapLockQueued.sumNs <= waits.mmapLock.sumNs);
  assert.ok(sum(progress.herds) <= waits.folio.count - progress.folioUnknown);
}

describe('sums over a stream', () => {
  it('add up, and the stall is what each writer would have met in each retry', () => {
    let stalled = 0;
    fc.assert(
      fc.property(fc.nat(1e6), fc.constantFrom(0, 0.02, 0.2), (seed, dropRate) => {
        const { snapshot, seen, writers } = play(seed, dropRate);
        addsUp(snapshot);
        const { windows, unknown } = windowsOf(seen, snapshot.time);
        const { stall } = snapshot.counterfactual.all;
        const exact = stallOf(windows, writers, true);
        assert.equal(stall.unknown, unknown);
        assert.deepEqual({ ns: stall.exactNs, holds: stall.writers }, exact);
        assert.equal(stall.boundNs, stallOf(windows, writers, false).ns);
        stalled += exact.holds;
      }),
      { numRuns: 60 },
    );
    assert.ok(stalled > 100, `only ${stalled} writers met a retry: the streams show nothing`);
  });
});
