// SPDX-License-Identifier: MIT
/**
 * The other architecture: a kernel for arm64, on which doctor promises what the sessions after it keep. ebpf-ts has its own
 * tests there (ebpf-ts.test.ts).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { armKernels, matrixOnly } from './guest.js';
import { assertGate, DISK, runs } from './stat-runs.js';

const skip = await matrixOnly('qemu-system-aarch64');

for (const kernel of armKernels) {
  test(`${kernel}: doctor says that it works here, and every waiter at a gate is one retry`, { skip }, async (t) => {
    const names = ['doctor', 'all-gate-8', 'all-gate-128', 'uffd-gate-32'];
    const all = await runs(names, { kernel, swap: 'gate', disks: DISK, timeoutS: 2400 });
    assert.deepEqual(
      all.map(({ run }) => run),
      names,
    );
    const [doctor, ...gates] = all;
    assert.ok(doctor);
    assert.equal(doctor.code, 0, doctor.words);
    assert.match(doctor.words, /✓ kernel\s+\S+-arm64(-16k)? aarch64/);
    assert.match(doctor.words, /✓ programs\s+all \d+ that a session may load are taken/);
    assert.match(doctor.words, /✗ bad_area_access_error\s+optional .*no such function/);
    assert.match(doctor.words, /^live observation works here: .*arm64(-16k)?, without bad_area_access_error/m);
    for (const run of gates) t.diagnostic(assertGate(run, run.run.startsWith('uffd') ? 'userfault' : 'folio locked'));
  });
}
