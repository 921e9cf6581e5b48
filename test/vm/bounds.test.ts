// SPDX-License-Identifier: MIT
/** What is not known exactly, on a real kernel: releases lie within their intervals. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { guestImpossible } from './guest.js';
import { assertSums } from './session.js';
import { DISK, runs, statOf } from './stat-runs.js';

const skip = (await guestImpossible()) ?? false;

test('6.12: the exact release lies inside the derived interval of every lifecycle', { skip }, async (t) => {
  const [run] = await runs(['release'], { kernel: '6.12', swap: 'disk', disks: DISK });
  assert.ok(run);
  const stat = statOf(run);
  assertSums(stat, run.run);
  assert.equal(stat.release, 'observed');
  assert.ok(stat.swap.faults >= 4000, `only ${stat.swap.faults} swap faults`);
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
    checked + stat.events.missed >= 4000,
    `only ${checked} releases had both times, missed ${stat.events.missed}`,
  );
});
