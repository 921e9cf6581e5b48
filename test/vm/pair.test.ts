// SPDX-License-Identifier: MIT
/** An ordinary user with CAP_BPF and CAP_PERFMON alone sees what root sees of a gate; what is hidden from it, doctor says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matrixOnly, oneKernel } from './guest.js';
import { assertGate, runs } from './stat-runs.js';

const skip = await matrixOnly();

for (const kernel of oneKernel) {
  test(`${kernel}: stat, record and top with CAP_BPF and CAP_PERFMON alone`, { skip }, async (t) => {
    const all = await runs(['pair'], { kernel, timeoutS: 1800 });
    const of = new Map(all.map((run) => [run.run, run]));
    for (const name of ['pair-stat', 'pair-record']) {
      const run = of.get(name);
      assert.ok(run, name);
      t.diagnostic(assertGate(run, 'userfault'));
      const lost = run.stat?.hooks.filter(({ note }) => note.startsWith('refused')) ?? [];
      t.diagnostic(
        `${name}: ${lost.length} hooks refused: ${lost.map(({ target, note }) => `${target} (${note})`).join(', ')}`,
      );
    }
    const top = of.get('pair-top');
    assert.equal(top?.code, 0, top?.words);
    assert.match(top?.words ?? '', /missed/, 'the dashboard was drawn');
    const doctor = of.get('pair-doctor');
    assert.equal(doctor?.code, 0, doctor?.words);
    const { unseen } = (doctor?.truth ?? { unseen: [] }) as unknown as { unseen: string[] };
    for (const lack of [/^run times/, /^addresses of kernel functions/, /can be traced/])
      assert.ok(
        unseen.some((sentence) => lack.test(sentence)),
        `${lack} is not among ${JSON.stringify(unseen)}`,
      );
  });
}
