// SPDX-License-Identifier: MIT
/** A session that begins and ends while a storm rages: what it counts, it follows, and it is as long as was asked. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kernels, matrixOnly } from './guest.js';
import { assertConserved } from './session.js';
import { DISK, runs, statOf } from './stat-runs.js';

const skip = await matrixOnly();
const ASKED_NS = 6e9;
/** CPUs of the guest. Eight, all on one host thread, take a quarter of an hour: `make test-matrix` asks for them. */
const CPUS = Number(process.env.VM_CPUS ?? 2);

/** `followed` is `counted`, but for runs of programs that the kernel says it skipped. */
function assertFollowed(what: string, counted: number, followed: number, missed: number): void {
  assert.ok(
    Math.abs(counted - followed) <= missed,
    `${what}: ${counted} counted, ${followed} followed, ${missed} missed`,
  );
}

for (const kernel of kernels) {
  test(`${kernel}: counting and following begin and end at one instant`, { skip }, async (t) => {
    for (const run of await runs(['ends'], { kernel, swap: 'disk', disks: DISK, smp: CPUS, timeoutS: 1800 })) {
      const stat = statOf(run);
      const { missed } = stat.events;
      const { retry, abort } = stat.counts.vmaLock;
      t.diagnostic(
        `${run.run}: ${stat.durationNs / 1e9} s; retries ${retry} / ${stat.retry.total}, aborts ${abort} / ${stat.abort.total}, ` +
          `in flight ${stat.lifecycles.byEnd['in-flight']}, incomplete ${stat.lifecycles.incomplete}, missed ${missed}`,
      );
      assert.equal(stat.ended, true, run.run);
      assertConserved(stat);
      assert.ok(
        run.run === 'ends-storm' ? abort > 0 : retry > 100,
        `${run.run}: no storm: ${retry} retries, ${abort} aborts`,
      );
      assertFollowed(`${run.run}: retries`, retry, stat.retry.total, missed);
      assertFollowed(`${run.run}: aborts`, abort, stat.abort.total, missed);
      // What was under way when it ended is in flight, and nothing of it was lost.
      assert.ok(stat.lifecycles.incomplete <= missed, `${run.run}: ${stat.lifecycles.incomplete} incomplete`);
      // Detaching is no part of it, and the programs end it themselves, whenever the user side's timer comes.
      assert.ok(Math.abs(stat.durationNs - ASKED_NS) < 1e9, `${run.run}: ${stat.durationNs} ns observed`);
    }
  });
}
