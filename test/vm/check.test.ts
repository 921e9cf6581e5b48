// SPDX-License-Identifier: MIT
/**
 * Faults of all sorts at once (test/workload/mixed.c), a hundred thousand in the matrix, every one followed: the invariants
 * hold, the causes are known, and their sum is what the kernel counted.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { firstKernel, guestImpossible, matrix } from './guest.js';
import { observe } from './observed.js';

const skip = (await guestImpossible()) ?? false;
const SECONDS = matrix ? '20' : '4';
const FAULTS = matrix ? 100_000 : 10_000;
/** What the workload is to make: of those some are of kernel mode, and a preemptible kernel skips runs of probes. */
const MADE = 1.4 * FAULTS;
/** Rules that thousands of these faults show: attempts and their flags, RETRYs, folio locks, swap-ins, VMAs. The rest may see none. */
const ALWAYS_HELD = [1, 4, 7, 13, 14, 26];

const sum = (counts: Record<string, number>): number => Object.values(counts).reduce((all, n) => all + n, 0);

for (const kernel of firstKernel) {
  test(`${kernel}: no invariant is violated over ${FAULTS} mixed faults, and every RETRY has its cause`, {
    skip,
  }, async (t) => {
    const argv = ['test/vm/guest/mixed', SECONDS, String(MADE)];
    const session = (await observe(argv, { kernel, swap: 'disk', mem: '3G' })).get('mixed');
    assert.ok(session);
    const { stat, rules } = session;
    const truth = session.truth('mixed');
    const { counts, retry, abort, events } = stat;
    const user = counts.faults - counts.kernelMode;
    t.diagnostic(
      `${user} user faults, ${truth.faults} counted by the kernel; ${retry.total} retries, ${abort.total} aborts, ` +
        `${events.decoded} events, ${events.missed} missed`,
    );
    t.diagnostic(
      `causes: ${JSON.stringify(Object.fromEntries(Object.entries(retry.byCause).filter(([, n]) => n > 0)))}`,
    );

    await t.test('the ring lost nothing, and the faults are those the kernel accounts for', () => {
      assert.equal(events.dropped, 0);
      assert.ok(user >= FAULTS, `only ${user} user faults`);
      // Each is counted by the kernel once, when it succeeded; what found no VMA is not, and is an ABORT.
      assert.ok(user <= truth.faults + abort.total, `${user} user faults, the kernel counted ${truth.faults}`);
    });

    await t.test("the sum over causes is the kernel's RETRY counter", () => {
      assert.equal(sum(retry.byCause), retry.total);
      const { missed } = events;
      const off = counts.vmaLock.retry - retry.total;
      // A missed return of handle_mm_fault is in neither; a missed opening of its record is in the counter alone.
      assert.ok(
        missed === 0 ? off === 0 : Math.abs(off) <= missed,
        `${retry.total} of ${counts.vmaLock.retry}, ${missed} missed`,
      );
    });

    await t.test('unknown causes are at most one in a hundred', () => {
      const unknown = retry.byCause.unknown ?? 0;
      assert.ok(unknown * 100 <= retry.total, `${unknown} of ${retry.total}: ${JSON.stringify(retry.unknownBy)}`);
    });

    await t.test('contended waits of faults have a holder: at most a tenth has none that was seen', () => {
      assert.equal(stat.blockers.known, true);
      const { count, named, why } = stat.blockers.faultWaits;
      t.diagnostic(`contended waits of faults: ${count}, ${named} with a holder, ${JSON.stringify(why)}`);
      assert.equal(named + sum(why), count);
      assert.ok((count - named) * 10 <= count, `${named} of ${count}`);
    });

    await t.test('rules hold, and those that are not observable say why', () => {
      for (const rule of rules)
        if (rule.result === 'not observable here') assert.notEqual(rule.why, '', `rule ${rule.rule}`);
      t.diagnostic(rules.map((rule) => `${rule.rule}: ${rule.result} (${rule.held})`).join(', '));
      for (const rule of rules)
        if (ALWAYS_HELD.includes(rule.rule)) assert.equal(rule.result, 'held', `rule ${rule.rule}: ${rule.why}`);
    });
  });
}
