// SPDX-License-Identifier: MIT
/** Every program is taken by the verifier of every kernel, not only those the plan prefers there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kernels, matrixOnly, runInGuest } from './guest.js';

const skip = await matrixOnly();

interface Loaded {
  program: string;
  ok: boolean;
  absent?: boolean;
  why?: string;
}

for (const kernel of kernels) {
  test(`${kernel}: every program loads by itself, whichever way of attaching it is for`, { skip }, async (t) => {
    const { code, stdout, stderr } = await runInGuest({
      kernel,
      timeoutS: 1800,
      argv: ['node', 'dist/test/vm/guest/each-program.js'],
    });
    assert.equal(code, 0, stderr);
    const all = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Loaded);
    assert.ok(all.length > 60, `only ${all.length} programs`);
    const refused = all.filter(({ ok, absent }) => !ok && absent !== true);
    assert.deepEqual(
      refused.map(({ program, why }) => `${program}: ${why}`),
      [],
    );
    t.diagnostic(
      `${all.filter(({ ok }) => ok).length} load, ${all.filter(({ absent }) => absent).length} have no function here`,
    );
  });
}
