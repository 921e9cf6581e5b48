// SPDX-License-Identifier: MIT
/**
 * The tool against truths known beforehand, on real kernels: what `stat --json` says of a workload must be what the
 * workload made, to the event. Times are never asserted, only their order.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { guestImpossible, kernels } from './guest.js';
import { assertSums } from './session.js';
import { DISK, type Run, runs, statOf } from './stat-runs.js';

const skip = (await guestImpossible()) ?? false;

/** Retries of a cause and of its finer ones: `folio locked` is `folio locked: own read` as well. */
function ofCause(byCause: Record<string, number>, cause: string): number {
  return Object.entries(byCause)
    .filter(([name]) => name === cause || name.startsWith(`${cause}:`))
    .reduce((sum, [, n]) => sum + n, 0);
}

/** Exactly the waiters' retries, each whole; short of that by no more than the runs the kernel says it skipped. */
function assertGate(run: Run, cause: string): string {
  const stat = statOf(run);
  const { truth, address } = run.truth ?? {};
  assert.ok(truth !== undefined && address !== undefined, `${run.run}: the workload said no truth; ${run.words}`);
  const gate = stat.addresses.find((row) => row.address === address);
  assert.ok(gate, `${run.run}: ${address} is not among the addresses`);
  assertSums(stat, run.run);
  assert.equal(stat.events.dropped, 0, run.run);
  assert.equal(stat.ended, true, run.run);
  const { missed } = stat.events;
  const whole = gate.byEnd['ok-mmap'] ?? 0;
  if (missed === 0) {
    assert.equal(gate.retries, truth, `${run.run}: retries`);
    assert.equal(ofCause(gate.byCause, cause), truth, `${run.run}: ${cause}`);
    assert.equal(gate.joined, truth, `${run.run}: joined to their mmap_lock attempt`);
    assert.deepEqual(gate.byEnd, { 'ok-mmap': truth }, `${run.run}: ends`);
    assert.equal(stat.lifecycles.incomplete, 0, run.run);
  } else {
    for (const [what, n] of Object.entries({
      retries: gate.retries,
      cause: ofCause(gate.byCause, cause),
      joined: gate.joined,
      whole,
    })) {
      assert.ok(n <= truth, `${run.run}: ${what} ${n} exceeds the truth ${truth}`);
      assert.ok(truth - n <= missed, `${run.run}: ${what} ${n} is short of ${truth} by more than the ${missed} missed`);
    }
  }
  return `${run.run}: truth ${truth}, retries ${gate.retries}, ${cause} ${ofCause(gate.byCause, cause)}, joined ${gate.joined}, whole ${whole}, missed ${missed}`;
}

const configurations = kernels.flatMap((kernel) => [
  { kernel, name: kernel, append: '' },
  { kernel, name: `${kernel} preempt=full`, append: 'preempt=full' },
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
