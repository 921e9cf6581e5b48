// SPDX-License-Identifier: MIT
/** The same rows to `verdict` and to its oracle, and what must be equal then. */
import assert from 'node:assert/strict';
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import type { EventBatch } from '../../src/core/events/batch.js';
import { isHooked, type SessionInfo } from '../../src/core/events/session.js';
import type { Lifecycle } from '../../src/core/lifecycle/lifecycle.js';
import { reportOf } from '../../src/core/verdict/make-report.js';
import type { VerdictReport } from '../../src/core/verdict/report.js';
import { Verdict } from '../../src/core/verdict/verdict.js';
import { syntheticSession } from './session.js';
import { type Oracle, oracle } from './verdict-oracle.js';
import { Writers } from './verdict-writers.js';
import { batchesOf, hooked, type WireRow, WRITER_HOOKS } from './wire.js';

export interface Both {
  readonly report: VerdictReport;
  readonly oracle: Oracle;
}

/** The same rows to both. */
export class Pair {
  readonly #verdict: Verdict;
  readonly #pipeline: Pipeline;
  readonly #faults: Lifecycle[] = [];
  readonly #writers: Writers = new Writers();
  readonly #queueSeen: boolean;

  constructor(session: SessionInfo) {
    this.#verdict = new Verdict(session);
    this.#pipeline = new Pipeline(session, { onClosed: (fault) => this.#faults.push(fault) });
    this.#queueSeen = isHooked(session, 'mmap_lock_start_locking');
  }

  push(batch: EventBatch): void {
    this.#verdict.push(batch);
    this.#pipeline.push(batch);
    this.#writers.push(batch);
  }

  end(): Both {
    const open = [...this.#pipeline.open()].map((fault) => ({ ...fault, end: Number.NaN }));
    return {
      report: reportOf(this.#verdict.finish()),
      oracle: oracle([...this.#faults, ...open], this.#writers, this.#queueSeen),
    };
  }
}

export function agree({ report, oracle: truth }: Both): void {
  const { all } = report;
  assert.equal(all.retries, truth.retries);
  assert.deepEqual([all.queued.least.sumNs, all.queued.most.sumNs], truth.queued);
  for (const name of ['retry', 'keep'] as const) {
    const { courses, saved, stalls } = all.under[name];
    assert.deepEqual(
      [courses.unknown, saved.least.sumNs, saved.most.sumNs],
      [truth[name].unknown, truth[name].least, truth[name].most],
      name,
    );
    assert.equal(
      Object.values(courses).reduce((sum, n) => sum + n, 0),
      truth[name].faults,
    );
    assert.equal(saved.least.count + courses.unknown, truth.retries);
    assert.equal(stalls === null, report.basis === 'none');
  }
  const sides = [report.byCause, report.byProcess];
  for (const rows of sides)
    for (const name of ['retry', 'keep'] as const) {
      const sum = (get: (row: (typeof rows)[number]) => number): number => rows.reduce((n, row) => n + get(row), 0);
      assert.equal(
        sum(({ retries }) => retries),
        all.retries,
      );
      assert.equal(
        sum(({ under }) => under[name].saved.most.sumNs),
        all.under[name].saved.most.sumNs,
      );
      assert.equal(
        sum(({ under }) => under[name].lost?.most.sumNs ?? 0),
        all.under[name].lost?.most.sumNs ?? 0,
      );
      assert.equal(
        sum(({ under }) => under[name].courses.unknown),
        all.under[name].courses.unknown,
      );
    }
  if (report.basis === 'none') return;
  const stalls = truth.stalls[report.basis];
  const { keep } = all.under;
  assert.equal(keep.stalls?.windowsUnknown, truth.stallsUnknown);
  assert.equal(keep.stalls?.count, stalls.length);
  assert.equal(
    keep.stalls?.sumNs,
    stalls.reduce((sum, { ns }) => sum + ns, 0),
  );
  assert.equal(keep.stalls?.maxNs ?? 0, Math.max(0, ...stalls.map(({ ns }) => ns)));
  const { forks, others, inversions } = report.writers.keep;
  assert.equal(forks.count + others.count, stalls.length);
  assert.equal(inversions.inverted + inversions.upright + inversions.unknown, stalls.length);
  assert.equal(report.writers.keep.forgotten, 0);
  const lost = truth.lost[report.basis];
  assert.ok(keep.lost !== null);
  const plain = ({ count, sumNs }: { count: number; sumNs: number }): unknown => ({ faults: count, ns: sumNs });
  if (lost.most !== null) assert.deepEqual(plain(keep.lost.most), lost.most);
  if (lost.least !== null) assert.deepEqual(plain(keep.lost.least), lost.least);
}

const ALL: Partial<SessionInfo> = hooked(...WRITER_HOOKS);

export function run(rows: readonly WireRow[], changes: Partial<SessionInfo> = ALL, size?: number): Both {
  const pair = new Pair(syntheticSession(changes));
  for (const batch of batchesOf(rows, size)) pair.push(batch);
  return pair.end();
}
