// SPDX-License-Identifier: MIT
/**
 * The tool against truths known beforehand, on real kernels: what `stat --json` says of a workload must be what the
 * workload made, to the event. Times are never asserted, only their order.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { guestImpossible, kernels, matrix } from './guest.js';
import { assertGate, DISK, runs } from './stat-runs.js';

const skip = (await guestImpossible()) ?? false;

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
    const all = await runs('gates', { kernel, swap: 'gate', disks: DISK, ...(append === '' ? {} : { append }) });
    assert.deepEqual(
      all.map(({ run }) => run),
      [8, 32, 128].flatMap((n) => [`gate-${n}`, `uffd-gate-${n}`]),
    );
    for (const run of all) t.diagnostic(assertGate(run, run.run.startsWith('uffd') ? 'userfault' : 'folio locked'));
  });
}
