// SPDX-License-Identifier: MIT
/** Rows per VMA and costs per cause, against sums taken over every lifecycle of a synthetic session. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import type { Lifecycle } from '../../src/core/lifecycle/lifecycle.js';
import { causeOf } from '../../src/core/present/lifecycle.js';
import { syntheticSession } from './session.js';
import { synthesize } from './synthetic.js';

function run(): { snapshot: ReturnType<Pipeline['snapshot']>; closed: Lifecycle[] } {
  const closed: Lifecycle[] = [];
  const pipeline = new Pipeline(syntheticSession(), { onClosed: (lifecycle) => void closed.push(lifecycle) });
  for (const batch of synthesize(4000, 11, { threads: 40 })) pipeline.push(batch);
  return { snapshot: pipeline.snapshot(), closed };
}

test('each VMA has the retries, aborts and waits of its faults', () => {
  const { snapshot, closed } = run();
  assert.ok(snapshot.vmas.length > 3);
  assert.equal(snapshot.totals.vmas, snapshot.vmas.length);
  for (const row of snapshot.vmas) {
    const own = closed.filter((fault) => fault.mm === row.mm && fault.vmaStart === row.start);
    const attempts = own.flatMap((fault) => fault.attempts.filter(({ lock }) => lock === 'vma'));
    assert.equal(row.lifecycles, own.length);
    assert.equal(row.retries, attempts.filter(({ outcome }) => outcome === 'retry').length);
    assert.equal(row.aborts, attempts.filter(({ outcome }) => outcome === 'abort').length);
    const waits = own.flatMap((fault) => fault.waits.filter(({ kind, end }) => kind === 'folio' && !Number.isNaN(end)));
    assert.equal(
      row.folioWaitNs,
      waits.reduce((all, { start, end }) => all + end - start, 0),
    );
  }
  const order = snapshot.vmas.map((row) => row.retries + row.aborts);
  assert.deepEqual(
    order,
    [...order].sort((a, b) => b - a),
  );
});

test('what a cause cost is what its faults took after they had lost the lock; the worst is one of them', () => {
  const { snapshot, closed } = run();
  const causes = Object.entries(snapshot.causeCosts);
  assert.ok(causes.length > 5);
  for (const [cause, cost] of causes) {
    const own = closed.filter((fault) => causeOf(fault) === cause);
    assert.equal(cost.faults, own.length, cause);
    assert.equal(causeOf(cost.worst), cause);
    assert.ok(cost.worstNs <= cost.worst.last - cost.worst.first);
    assert.ok(cost.lostNs >= cost.worstNs);
    assert.ok(cost.lostNs <= own.reduce((all, fault) => all + fault.last - fault.first, 0));
  }
});
