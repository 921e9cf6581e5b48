// SPDX-License-Identifier: MIT
/** Runs a stream through the pipeline, and holds what comes out against the oracle. */
import assert from 'node:assert/strict';
import { createBatch } from '../../src/core/batch.js';
import { faultBits } from '../../src/core/fault-bits.js';
import { Aggregate } from '../../src/core/aggregate.js';
import { LifecycleFold } from '../../src/core/fold.js';
import type { Lifecycle } from '../../src/core/lifecycle.js';
import { Pipeline } from '../../src/core/pipeline.js';
import { copyLifecycle, type FaultRecord } from '../../src/core/record.js';
import type { SessionInfo } from '../../src/core/session.js';
import type { Snapshot } from '../../src/core/snapshot.js';
import { reconstruct } from './oracle.js';
import { syntheticSession } from './session.js';
import type { SyntheticStream } from './synthetic.js';

export interface Run {
  readonly snapshot: Snapshot;
  /** As they stand at the end: R2 releases bounded. */
  readonly closed: readonly Lifecycle[];
  readonly open: readonly Lifecycle[];
}

/** Keeps every record, so that tests see them as they stand at the end. */
class Keeper extends Aggregate {
  readonly records: FaultRecord[] = [];

  override closed(fault: FaultRecord): void {
    super.closed(fault);
    this.records.push(fault);
  }
}

export function run(stream: SyntheticStream, observed: boolean, maxOpen?: number): Run {
  const session = syntheticSession({ release: observed ? 'observed' : 'derived' });
  const pipeline = new Pipeline(session, maxOpen === undefined ? {} : { maxOpen });
  const keeper = new Keeper();
  const fold = new LifecycleFold(faultBits(session), keeper, maxOpen);
  for (const batch of stream.batches) {
    pipeline.push(batch);
    fold.push(batch);
  }
  return { snapshot: pipeline.snapshot(), closed: keeper.records.map(copyLifecycle), open: [...fold.open()].map(copyLifecycle) };
}

/** Throws when the fold and the oracle differ on any lifecycle. */
export function compareWithOracle(stream: SyntheticStream, observed: boolean): void {
  const { closed, open } = run(stream, observed);
  const expected = reconstruct(stream.rows, observed);
  const faults = [...closed, ...open];
  assert.equal(faults.length, expected.size, 'number of lifecycles');
  for (const fault of faults) {
    const oracle = expected.get(fault.id);
    assert.ok(oracle !== undefined, `lifecycle ${fault.id} out of nowhere`);
    const rows = stream.rows.filter((row) => row.faultCpu * 2 ** 32 + row.fault === fault.id);
    const shown = (): string =>
      `${stream.truths.get(fault.id)?.script.name}: ${rows.map((r) => `${r.step}:${r.kind}(${r.a.toString(16)},${r.b.toString(16)})`).join(' ')} ${JSON.stringify(fault, (_, v) => (typeof v === 'bigint' ? `${v}` : v))}`;
    const vma = fault.attempts.find((attempt) => attempt.lock === 'vma' && (attempt.flags !== -1 || attempt.outcome === 'abort' || attempt.outcome === 'retry'));
    const bounded = vma !== undefined && vma.outcome !== 'abort' && vma.outcome !== 'pending' && vma.outcome !== 'unknown';
    const waits = [...fault.waits].sort((x, y) => x.start - y.start).map(({ kind, start, end }) => ({ kind, start, end }));
    try {
      assert.equal(fault.how, oracle.end, 'end');
      const known = oracle.vma !== 'none';
      assert.equal(known ? (vma?.outcome ?? 'none') : 'none', oracle.vma, 'outcome of the VMA-lock attempt');
      if (known) assert.equal(vma?.cause ?? null, oracle.cause, 'cause');
      if (known && bounded) {
        assert.deepEqual({ rule: vma.rule, ...vma.released }, oracle.release, 'release');
        assert.deepEqual(vma.exactRelease, oracle.exact, 'exact release');
      }
      assert.deepEqual(waits, [...oracle.waits].sort((x, y) => x.start - y.start), 'waits');
      assert.equal(fault.lost.length === 0, oracle.whole, 'something is missing and is named');
      assert.equal(fault.tid, rows[0]?.tid, 'task');
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${shown()}`);
    }
  }
}

/** A row as a test writes it; what is left out is 0. */
export interface PlainRow {
  readonly kind: number;
  readonly flags?: number;
  readonly tid?: number;
  readonly cpu?: number;
  readonly fault?: number;
  readonly step: number;
  readonly time?: number;
  readonly a?: number;
  readonly b?: number;
  readonly depth?: number;
  readonly acquired?: number;
  readonly address?: number;
}

/** One batch of hand-written rows through a pipeline; `closed` receives the lifecycles as they end. */
export function feed(rows: readonly PlainRow[], observed: boolean, closed: Lifecycle[] = [], changes: Partial<SessionInfo> = {}): Snapshot {
  const batch = createBatch(Math.max(1, rows.length), ['', 'test']);
  rows.forEach((row, i) => {
    batch.kind[i] = row.kind;
    batch.flags[i] = row.flags ?? 0;
    batch.cpu[i] = row.cpu ?? 0;
    batch.tid[i] = row.tid ?? 1;
    batch.fault[i] = row.fault ?? 0;
    batch.faultCpu[i] = row.cpu ?? 0;
    batch.step[i] = row.step;
    batch.time[i] = row.time ?? (i + 1) * 100;
    batch.a[i] = row.a ?? 0;
    batch.b[i] = row.b ?? 0;
    batch.depth[i] = row.depth ?? 0;
    batch.comm[i] = 1;
    batch.tgid[i] = 1;
    batch.acquired[i] = row.acquired ?? Number.NaN;
    batch.address[i] = row.address ?? 0x7000;
    batch.length++;
  });
  const pipeline = new Pipeline(syntheticSession({ release: observed ? 'observed' : 'derived', ...changes }), {
    onClosed: (lifecycle) => closed.push(lifecycle),
  });
  pipeline.push(batch);
  return pipeline.snapshot();
}
