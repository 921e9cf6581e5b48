// SPDX-License-Identifier: MIT
/** Runs a stream through the pipeline, and compares the result with the oracle. */
import assert from 'node:assert/strict';
import { Aggregate } from '../../src/core/aggregate/aggregate.js';
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import type { Snapshot } from '../../src/core/aggregate/snapshot.js';
import { createBatch } from '../../src/core/events/batch.js';
import { faultBits } from '../../src/core/events/fault-bits.js';
import type { SessionInfo } from '../../src/core/events/session.js';
import type { AttemptRecord, WaitRecord } from '../../src/core/lifecycle/attempt-record.js';
import { copyLifecycle } from '../../src/core/lifecycle/copy-lifecycle.js';
import { LifecycleFold } from '../../src/core/lifecycle/fold.js';
import type { Attempt, Lifecycle } from '../../src/core/lifecycle/lifecycle.js';
import type { FaultRecord } from '../../src/core/lifecycle/record.js';
import { RecordPool } from '../../src/core/lifecycle/record-pool.js';
import type { Cause } from '../../src/core/vocabulary/causes.js';
import { reconstruct } from './oracle.js';
import type { OracleFault } from './oracle-fault.js';
import { syntheticHooks, syntheticSession } from './session.js';
import type { SyntheticStream } from './synthetic.js';
import type { SyntheticRow } from './synthetic-pack.js';

export interface Run {
  readonly snapshot: Snapshot;
  /** As they stand at the end: R2 releases bounded. */
  readonly closed: readonly Lifecycle[];
  readonly open: readonly Lifecycle[];
  /** Kernel stack ids told, by lifecycle. */
  readonly stacks: ReadonlyMap<number, readonly number[]>;
  /** RETRYs under the VMA lock that were told, and verdicts told; causes told, as they stand. */
  readonly told: { retries: number; verdicts: number; readonly causes: Map<string, number> };
}

/**
 * Keeps a copy of every fault, brought up to date as the fold goes on: the records themselves are used again, and a
 * fault that shows through from another would stand in the copy.
 */
class Keeper extends Aggregate {
  readonly lifecycles: Lifecycle[] = [];
  /** Attempts whose release is not bounded yet, with their copy. */
  readonly #unbounded: Map<AttemptRecord, Attempt> = new Map();
  readonly stacks: Map<number, number[]> = new Map();
  readonly told: Run['told'] = { retries: 0, verdicts: 0, causes: new Map() };

  #count(cause: string | null, by: number): void {
    if (cause !== null) this.told.causes.set(cause, (this.told.causes.get(cause) ?? 0) + by);
  }

  override settled(fault: FaultRecord, attempt: AttemptRecord): void {
    super.settled(fault, attempt);
    if (attempt.lock !== 'vma' || !attempt.lockKnown) return;
    this.#count(attempt.cause, 1);
    if (attempt.outcome === 'retry') this.told.retries++;
  }

  override caused(fault: FaultRecord, attempt: AttemptRecord, was: Cause): void {
    super.caused(fault, attempt, was);
    this.#count(was, -1);
    this.#count(attempt.cause, 1);
  }

  override judged(fault: FaultRecord, attempt: AttemptRecord, wait: WaitRecord | null): void {
    super.judged(fault, attempt, wait);
    assert.ok(attempt.verdict !== null);
    this.told.verdicts++;
  }

  override stack(fault: FaultRecord, attempt: AttemptRecord | null, kernel: number): void {
    super.stack(fault, attempt, kernel);
    this.stacks.set(fault.id, [...(this.stacks.get(fault.id) ?? []), kernel]);
  }

  override closed(fault: FaultRecord): void {
    super.closed(fault);
    const copy = copyLifecycle(fault);
    this.lifecycles.push(copy);
    fault.attempts.forEach((attempt, i) => {
      const { hi } = attempt.released;
      if (attempt.rule === 'R2' && hi === Number.POSITIVE_INFINITY)
        this.#unbounded.set(attempt, copy.attempts[i] as Attempt);
    });
  }

  override bounded(attempt: AttemptRecord): void {
    super.bounded(attempt);
    const copy = this.#unbounded.get(attempt);
    if (copy !== undefined) copy.released = attempt.released;
    this.#unbounded.delete(attempt);
  }
}

export function run(stream: SyntheticStream, observed: boolean, maxOpen?: number): Run {
  const session = syntheticSession({
    release: observed ? 'observed' : 'derived',
    hooks: syntheticHooks(stream.released),
  });
  const pipeline = new Pipeline(session, maxOpen === undefined ? {} : { maxOpen });
  const pool = new RecordPool();
  const keeper = new Keeper(pool);
  const fold = new LifecycleFold(faultBits(session), keeper, pool, maxOpen);
  for (const batch of stream.batches) {
    pipeline.push(batch);
    fold.push(batch);
  }
  return {
    snapshot: pipeline.snapshot(),
    closed: keeper.lifecycles,
    open: [...fold.open()].map(copyLifecycle),
    stacks: keeper.stacks,
    told: keeper.told,
  };
}

export interface Expectation {
  readonly faults: ReadonlyMap<number, OracleFault>;
  readonly rows: ReadonlyMap<number, readonly SyntheticRow[]>;
}

export function expectationOf(stream: SyntheticStream, observed: boolean): Expectation {
  const rows = new Map<number, SyntheticRow[]>();
  for (const row of stream.rows) {
    const id = row.faultCpu * 2 ** 32 + row.fault;
    rows.set(id, [...(rows.get(id) ?? []), row]);
  }
  return { faults: reconstruct(stream.rows, { observed, released: stream.released }), rows };
}

/** Throws when the fold and the oracle differ on any lifecycle. */
export function compareWithOracle(
  stream: SyntheticStream,
  observed: boolean,
  expected: Expectation = expectationOf(stream, observed),
): void {
  const { closed, open, stacks } = run(stream, observed);
  assert.equal(closed.length + open.length, expected.faults.size, 'number of lifecycles');
  for (const fault of [...closed, ...open]) {
    const oracle = expected.faults.get(fault.id);
    assert.ok(oracle !== undefined, `lifecycle ${fault.id} out of nowhere`);
    try {
      compareOne(fault, oracle);
      assert.deepEqual(stacks.get(fault.id) ?? [], oracle.stacks, 'stacks');
      const kept = fault.attempts.map(({ kernelStack }) => kernelStack).filter((id) => id >= 0);
      for (const id of kept) assert.ok(oracle.stacks.includes(id), `stack ${id} out of nowhere`);
    } catch (error) {
      const rows = expected.rows.get(fault.id) ?? [];
      const steps = rows.map((row) => `${row.step}:${row.kind}(${row.a.toString(16)},${row.b.toString(16)})`).join(' ');
      const shown = JSON.stringify(fault, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value));
      throw new Error(`${(error as Error).message}\n${stream.truths.get(fault.id)?.script.name}: ${steps} ${shown}`);
    }
  }
}

function compareOne(fault: Lifecycle, oracle: OracleFault): void {
  const byStart = (x: { readonly start: number }, y: { readonly start: number }): number => x.start - y.start;
  assert.equal(fault.how, oracle.end, 'end');
  assert.equal(fault.lost.length === 0, oracle.whole, 'something is missing, and is named');
  assert.deepEqual([...fault.waits].sort(byStart), [...oracle.waits].sort(byStart), 'waits');
  assert.equal(fault.enteredSwap, oracle.enteredSwap, 'do_swap_page');
  if (oracle.lastMissing !== '')
    assert.ok(fault.lost.includes(oracle.lastMissing), `${oracle.lastMissing}, not ${fault.lost.join(', ')}`);
  if (oracle.endSeen)
    assert.ok(!fault.lost.some((what) => /^\D* lost$/.test(what) && what !== 'first step lost'), fault.lost.join(', '));
  const attempts = fault.attempts.filter((attempt) => attempt.outcome !== 'abort');
  // The first attempt's lock is a guess while no fault flags were seen.
  const known = attempts.slice(attempts.length - oracle.attempts.length);
  assert.deepEqual(
    known.map(({ lock, outcome, acquired, exactRelease }) => ({ lock, outcome, acquired, exactRelease })),
    oracle.attempts,
    'attempts',
  );
  if (oracle.vma === 'none') return;
  const vma = fault.attempts.find((attempt) => attempt.lock === 'vma');
  assert.equal(vma?.outcome, oracle.vma, 'outcome of the attempt under the VMA lock');
  assert.equal(vma?.cause, oracle.cause, 'cause');
  assert.deepEqual([vma?.folio, vma?.faultHandler], [oracle.folio, oracle.faultHandler], 'folio, ->fault');
  const verdict = vma?.verdict ?? null;
  assert.deepEqual(
    verdict === null ? null : { ...verdict, writer: verdict.writer?.tid ?? 0 },
    oracle.verdict,
    'verdict',
  );
  if (oracle.release === null) return;
  assert.deepEqual({ rule: vma?.rule, ...vma?.released }, oracle.release, 'release');
  assert.deepEqual(vma?.exactRelease, oracle.exact, 'exact release');
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
  readonly mm?: number;
  readonly pte?: bigint;
  readonly vmFlags?: bigint;
  /** Of its VMA; without it there is none. */
  readonly range?: readonly [start: number, end: number];
}

/** One batch of hand-written rows through a pipeline; `closed` receives the lifecycles as they end. */
export function feed(
  rows: readonly PlainRow[],
  observed: boolean,
  closed: Lifecycle[] = [],
  changes: Partial<SessionInfo> = {},
): Snapshot {
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
    batch.mm[i] = row.mm ?? 1;
    batch.pte[i] = row.pte ?? 0n;
    batch.vmFlags[i] = row.vmFlags ?? 0x100073n;
    [batch.vmaStart[i], batch.vmaEnd[i]] = row.range ?? [0, 0];
    batch.length++;
  });
  const pipeline = new Pipeline(syntheticSession({ release: observed ? 'observed' : 'derived', ...changes }), {
    onClosed: (lifecycle) => closed.push(lifecycle),
  });
  pipeline.push(batch);
  return pipeline.snapshot();
}
