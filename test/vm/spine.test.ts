// SPDX-License-Identifier: MIT
/**
 * The tool against truths known beforehand, on real kernels: what `stat --json` says of a workload must be what the
 * workload made, to the event; what a ring loses is counted. Times are never asserted, only their order.
 */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { assertCounted, assertReleases } from './bounds.js';
import { firstKernel, guestImpossible, kernels, matrix, oneKernel } from './guest.js';
import { assertSums } from './session.js';
import { assertGate, DISK, type Run, runs, statOf } from './stat-runs.js';

const skip = (await guestImpossible()) ?? false;

/** `VM_GATES='gate-500'` chooses. */
const CHOSEN = (process.env.VM_GATES ?? '').split(/\s+/).filter((name) => name !== '');

/** Waiters on one folio, and on one userfault; in the matrix of all sizes. */
function gatesOf(kernel: string): readonly string[] {
  if (CHOSEN.length > 0) return CHOSEN;
  if (matrix) return [8, 32, 128, 500].flatMap((n) => [`gate-${n}`, `uffd-gate-${n}`]);
  return ['gate-128', ...(oneKernel.includes(kernel) ? ['uffd-gate-32'] : [])];
}

/**
 * Beside the gates: exact releases, and swap faults that are only counted, with a ring that holds them, with one of a page,
 * and where all are followed. Each has a kernel in the short form: to attach costs a guest more than any of them.
 */
function bounds(kernel: string, append: string): readonly string[] {
  if (append !== '') return [];
  if (kernel === '6.12') return ['release', ...(matrix ? ['counted', 'counted-ring', 'counted-swap'] : [])];
  if (kernel === '7.3') return ['counted-ring', ...(matrix ? ['counted', 'counted-swap'] : [])];
  return [];
}

const COUNTED = { what: 'of a swap storm each fault is followed or counted, to the unit', check: assertCounted };
const OTHERS: Readonly<Record<string, { what: string; check: (t: TestContext, run: Run) => void }>> = {
  ring: {
    what: 'a ring of one page loses events, and every one of them is counted',
    check(t, run) {
      const stat = statOf(run);
      assertSums(stat, run.run);
      const { emitted, decoded, dropped, missed } = stat.events;
      assert.ok(dropped > 0, 'nothing was dropped: the ring is not small enough to show anything');
      t.diagnostic(`emitted ${emitted} = decoded ${decoded} + dropped ${dropped}, missed ${missed}`);
    },
  },
  release: { what: 'the exact one lies inside the derived interval of every lifecycle', check: assertReleases },
  counted: COUNTED,
  'counted-ring': COUNTED,
  'counted-swap': COUNTED,
};

const configurations = kernels.flatMap((kernel) => [
  { kernel, name: kernel, append: '' },
  ...(matrix ? ['none', 'voluntary', 'full', 'lazy'] : []).map((preempt) => ({
    kernel,
    name: `${kernel} preempt=${preempt}`,
    append: `preempt=${preempt}`,
  })),
]);

/** Both at once, unless one by one is asked for: this file is the last to begin, and one guest takes one CPU. */
const concurrency = matrix || process.env.VM_JOBS === '1' ? 1 : configurations.length;

describe('gates', { concurrency }, () => {
  for (const { kernel, name, append } of configurations) {
    test(`${name}: every waiter at a gate is one retry with its cause, its fallback and its end`, {
      skip,
    }, async (t) => {
      const gates = gatesOf(kernel);
      const others = [...(firstKernel.includes(kernel) ? ['ring'] : []), ...bounds(kernel, append)];
      const names = [...gates, ...others];
      const all = await runs(names, {
        kernel,
        swap: 'gate',
        disks: DISK,
        ...(append === '' ? {} : { append }),
        ...(matrix ? { timeoutS: 3000 } : {}),
      });
      assert.deepEqual(
        all.map(({ run }) => run),
        names,
      );
      const of = (name: string): Run => {
        const run = all.find((it) => it.run === name);
        assert.ok(run, name);
        return run;
      };
      for (const name of gates)
        t.diagnostic(assertGate(of(name), name.startsWith('uffd') ? 'userfault' : 'folio locked'));
      for (const name of others)
        await t.test(`${name}: ${OTHERS[name]?.what}`, (sub) => OTHERS[name]?.check(sub, of(name)));
    });
  }
});
