// SPDX-License-Identifier: MIT
/** What is not known exactly, on a real kernel: releases lie within their intervals, faults that are not followed are counted. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { assertSums } from './session.js';
import { type Run, statOf } from './stat-runs.js';

/** The exact release lies inside the derived interval of every lifecycle. */
export function assertReleases(t: TestContext, run: Run): void {
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
}

const sum = (values: readonly number[]): number => values.reduce((total, n) => total + n, 0);

/** Of a swap storm each fault is followed or counted, to the unit, whatever the ring loses. */
export function assertCounted(t: TestContext, run: Run): void {
  const stat = statOf(run);
  const { swap, events, ended } = stat;
  assertSums(stat, run.run);
  t.diagnostic(
    `${run.run}: ${swap.calls} calls of do_swap_page: ${swap.followed} followed (${swap.sampled} sampled), ` +
      `${swap.counted.total} counted, ${swap.lost} lost; ${events.missed} missed, ${events.dropped} of ${events.emitted} dropped`,
  );
  assert.equal(ended, true, run.run);
  assert.ok(swap.calls >= 1000, `${run.run}: only ${swap.calls} calls of do_swap_page`);
  // The workload is over, and it alone was observed: none is under way.
  assert.equal(swap.followed + swap.counted.total + swap.lost, swap.calls, run.run);
  assert.ok(swap.lost <= events.missed + events.stateLost, `${run.run}: ${swap.lost} lost, ${events.missed} missed`);
  // What was counted is in the rows of its process, its cgroup and its device, as often as it was.
  assert.equal(swap.counted.byProcess, swap.counted.total, `${run.run}: the table holds what was counted`);
  assert.equal(sum(swap.counted.rows.map(({ faults }) => faults)), swap.counted.total, run.run);
  for (const { tgid, faults, hist } of swap.counted.rows)
    assert.equal(sum(hist), faults, `${run.run}: the histogram of process ${tgid} holds its faults`);
  assert.equal(sum(stat.processes.map(({ swap: faults }) => faults)), swap.faults, `${run.run}: by process`);
  assert.equal(sum(stat.cgroups.map(({ swap: faults }) => faults)), swap.faults, `${run.run}: by cgroup`);
  // Where the ring lost the step that names it, a followed fault has no device.
  const onDevices = sum(swap.devices.map(({ faults }) => faults));
  if (events.dropped === 0) assert.equal(onDevices, swap.faults, `${run.run}: by device`);
  else assert.ok(onDevices <= swap.faults, `${run.run}: ${onDevices} faults on devices of ${swap.faults}`);
  assert.ok(sum(stat.kernelHist.SWAP ?? []) >= swap.counted.total, `${run.run}: the kernel's histogram`);
  const [own] = stat.processes;
  assert.equal(own?.comm, 'swapload', run.run);
  if (run.run === 'counted-swap') assert.equal(swap.counted.total, 0, 'scope swap follows all of them');
  else assert.ok(swap.counted.total > swap.followed, `${run.run}: ${swap.followed} followed`);
}
