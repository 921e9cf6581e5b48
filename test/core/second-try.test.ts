// SPDX-License-Identifier: MIT
/** Kernels that try once more under the VMA lock after its RETRY: it is an attempt of its own, and never changes the cause or the end. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import type { Snapshot } from '../../src/core/aggregate/snapshot.js';
import type { Lifecycle } from '../../src/core/lifecycle/lifecycle.js';
import { reportOf } from '../../src/core/verdict/make-report.js';
import { verdictText } from '../../src/core/verdict/text.js';
import { Verdict } from '../../src/core/verdict/verdict.js';
import { VlKind } from '../../src/schema/events.gen.js';
import { type Life, LifeWriter, PTE_DISK, sessionOf } from './check-life.js';
import { shapesOf } from './check-shapes.js';
import { streamOf } from './check-streams.js';
import { FLAG, RET, TRIED_FLAGS, VMA_FLAGS } from './session.js';

const SECOND = VMA_FLAGS | FLAG.FAULT_FLAG_TRIED;
const writer = (): LifeWriter => new LifeWriter(true);
const MAJOR = RET.VM_FAULT_MAJOR;

function run(lives: readonly Life[]): {
  readonly closed: readonly Lifecycle[];
  readonly snapshot: Snapshot;
  readonly text: string;
} {
  const session = sessionOf('6.12');
  const closed: Lifecycle[] = [];
  const pipeline = new Pipeline(session, { onClosed: (fault) => closed.push(fault) });
  const verdict = new Verdict(session);
  const batch = streamOf([lives], 1);
  pipeline.push(batch);
  verdict.push(batch);
  return { closed, snapshot: pipeline.snapshot(), text: verdictText(reportOf(verdict.finish())) };
}

const attempts = ({ attempts: all }: Lifecycle): readonly string[] =>
  all.map(({ lock, outcome }) => `${lock} ${outcome}`);

describe('a second try under the VMA lock', () => {
  const done = writer().folioRetry(VMA_FLAGS, MAJOR).swapOk(SECOND).hmf(SECOND, 0).life('done', { pte: PTE_DISK });
  const file = writer().folioRetry(VMA_FLAGS, MAJOR).hmf(SECOND, 0).life('no step inside', { pte: PTE_DISK });
  const again = writer()
    .folioRetry(VMA_FLAGS, MAJOR)
    .hmf(SECOND, RET.VM_FAULT_RETRY)
    .lock()
    .hmf(TRIED_FLAGS, 0)
    .life('again', { pte: PTE_DISK });

  it('that does: ended under the VMA lock, two attempts there, nothing lost', () => {
    for (const life of [done, file]) {
      const { closed, snapshot } = run([life]);
      assert.equal(closed.length, 1);
      const [fault] = closed as [Lifecycle];
      assert.deepEqual(attempts(fault), ['vma retry', 'vma ok']);
      assert.equal(fault.how, 'ok-vma');
      assert.deepEqual(fault.lost, []);
      assert.deepEqual(snapshot.retry.secondTries, { done: 1, retry: 0, other: 0 });
      assert.equal(snapshot.retry.total, 1);
      assert.equal(snapshot.retry.joined, 0);
      const { verdict, cause } = fault.attempts[0] ?? {};
      assert.deepEqual([verdict?.kind, verdict?.why], ['unknown', 'tried once more under the VMA lock']);
      assert.equal(cause, 'folio locked: own read');
    }
  });

  it('in vain: both RETRYs, then mmap_lock', () => {
    const { closed, snapshot } = run([again]);
    const [fault] = closed as [Lifecycle];
    assert.deepEqual(attempts(fault), ['vma retry', 'vma retry', 'mmap ok']);
    assert.equal(fault.how, 'ok-mmap');
    assert.deepEqual(fault.lost, []);
    assert.deepEqual(snapshot.retry.secondTries, { done: 0, retry: 1, other: 0 });
    assert.equal(snapshot.retry.total, 2);
    assert.equal(snapshot.retry.joined, 1);
  });

  it('waits there with the VMA lock held', () => {
    const w = writer().folioRetry(VMA_FLAGS, MAJOR).swap(SECOND);
    const life = w
      .add(VlKind.FLOR_ENTER, SECOND)
      .add(VlKind.FLOR_SLEEP)
      .add(VlKind.FLOR_EXIT)
      .add(VlKind.SWAP_EXIT)
      .hmf(SECOND, 0)
      .life('waits', { pte: PTE_DISK });
    const [fault] = run([life]).closed as [Lifecycle];
    assert.deepEqual(
      fault.waits.map(({ kind, held }) => [kind, held]),
      [
        ['folio', 'none'],
        ['folio', 'vma'],
      ],
    );
    assert.deepEqual(fault.lost, []);
  });

  it('verdict says what it looks at, and predicts nothing', () => {
    const { text } = run([done, again, done]);
    assert.match(
      text.replace(/\s+/g, ' '),
      /tries once more under the VMA lock by itself: 3 second tries, 2 done there, 1 given up again/,
    );
    assert.doesNotMatch(text, /would save/);
  });

  it('is told from every shape of kernels that have none', () => {
    for (const flavour of ['7.3', '6.12', '6.5'] as const) {
      const session = sessionOf(flavour);
      const pipeline = new Pipeline(session);
      pipeline.push(streamOf([shapesOf(flavour)], 1));
      assert.deepEqual(pipeline.snapshot().retry.secondTries, { done: 0, retry: 0, other: 0 }, flavour);
    }
  });
});

describe('a kernel that keeps the VMA lock over a wait for a folio', () => {
  it('is named, with how long it waited', () => {
    const w = writer().swap(VMA_FLAGS).add(VlKind.FLOR_ENTER, VMA_FLAGS).add(VlKind.FLOR_SLEEP);
    const life = w.add(VlKind.FLOR_EXIT).add(VlKind.SWAP_EXIT).hmf(VMA_FLAGS, 0).life('keeps', { pte: PTE_DISK });
    const { closed, text } = run([life, life]);
    for (const fault of closed) assert.equal(fault.how, 'ok-vma');
    assert.match(
      text.replace(/\s+/g, ' '),
      /keeps the VMA lock over waits for folios by itself: 2 waits with the lock held/,
    );
  });
});
