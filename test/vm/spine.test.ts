// SPDX-License-Identifier: MIT
/**
 * The tool against truths known beforehand, on real kernels: what `stat --json` says of a workload must be what the
 * workload made, to the event; what a ring loses is counted. Times are never asserted, only their order.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { guestImpossible, kernels, matrix } from './guest.js';
import { assertSums } from './session.js';
import { assertGate, DISK, runs, statOf } from './stat-runs.js';

const skip = (await guestImpossible()) ?? false;

/** Waiters on one folio, and on one userfault; in the matrix of all sizes; `VM_GATES='gate-500'` chooses. */
const CHOSEN = (process.env.VM_GATES ?? '').split(/\s+/).filter((name) => name !== '');
const GATES =
  CHOSEN.length > 0
    ? CHOSEN
    : matrix
      ? [8, 32, 128, 500].flatMap((n) => [`gate-${n}`, `uffd-gate-${n}`])
      : ['gate-128', 'uffd-gate-32'];

const configurations = kernels.flatMap((kernel) => [
  { kernel, name: kernel, append: '' },
  ...(matrix ? ['none', 'voluntary', 'full', 'lazy'] : []).map((preempt) => ({
    kernel,
    name: `${kernel} preempt=${preempt}`,
    append: `preempt=${preempt}`,
  })),
]);

for (const { kernel, name, append } of configurations) {
  test(`${name}: every waiter at a gate is one retry with its cause, its fallback and its end`, { skip }, async (t) => {
    const names = [...GATES, 'ring'];
    const all = await runs(names, {
      kernel,
      swap: 'gate',
      disks: DISK,
      ...(append === '' ? {} : { append }),
      ...(matrix ? { timeoutS: 1800 } : {}),
    });
    assert.deepEqual(
      all.map(({ run }) => run),
      names,
    );
    for (const run of all.slice(0, -1))
      t.diagnostic(assertGate(run, run.run.startsWith('uffd') ? 'userfault' : 'folio locked'));
    await t.test('a ring of one page loses events, and every one of them is counted', () => {
      const [ring] = all.slice(-1);
      assert.ok(ring);
      const stat = statOf(ring);
      assertSums(stat, ring.run);
      const { emitted, decoded, dropped, missed } = stat.events;
      assert.ok(dropped > 0, 'nothing was dropped: the ring is not small enough to show anything');
      t.diagnostic(`emitted ${emitted} = decoded ${decoded} + dropped ${dropped}, missed ${missed}`);
    });
  });
}
