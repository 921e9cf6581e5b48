// SPDX-License-Identifier: MIT
/** What is not known exactly, on real kernels: releases lie within their intervals, and lost events are counted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { guestImpossible, kernels } from './guest.js';
import { assertSums } from './session.js';
import { DISK, runs, statOf } from './stat-runs.js';

const skip = (await guestImpossible()) ?? false;

test('6.12: the exact release lies inside the derived interval of every lifecycle', { skip }, async (t) => {
  const [run] = await runs('release', { kernel: '6.12', swap: 'disk', disks: DISK });
  assert.ok(run);
  const stat = statOf(run);
  assertSums(stat, run.run);
  assert.equal(stat.release, 'observed');
  assert.ok(stat.swap.faults >= 5000, `only ${stat.swap.faults} swap faults`);
  let checked = 0;
  for (const [rule, { count, unbounded, width, checked: both, outside }] of Object.entries(stat.releaseRules)) {
    t.diagnostic(
      `${rule}: ${count} releases, ${both} with both times, ${outside} outside, ${unbounded} without upper bound; ` +
        `hi - lo of ${width.count}: p50 ${width.p50Ns} ns, p99 ${width.p99Ns} ns, max ${width.maxNs} ns`,
    );
    checked += both;
    assert.equal(outside, 0, `${rule}: exact releases outside the derived interval`);
  }
  assert.ok(
    checked + stat.events.missed >= 5000,
    `only ${checked} releases had both times, missed ${stat.events.missed}`,
  );
});

for (const kernel of kernels) {
  test(`${kernel}: a ring of one page loses events, and every one of them is counted`, { skip }, async (t) => {
    const [run] = await runs('ring', { kernel, swap: 'disk', disks: DISK });
    assert.ok(run);
    const stat = statOf(run);
    assertSums(stat, run.run);
    assert.ok(stat.events.dropped > 0, 'nothing was dropped: the ring is not small enough to show anything');
    t.diagnostic(
      `emitted ${stat.events.emitted} = decoded ${stat.events.decoded} + dropped ${stat.events.dropped}, missed ${stat.events.missed}`,
    );
  });
}
