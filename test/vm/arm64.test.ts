// SPDX-License-Identifier: MIT
/**
 * The other architecture: a kernel for arm64, on which doctor promises what the sessions after it keep. ebpf-ts has its own
 * tests there (ebpf-ts.test.ts).
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { armKernels, matrixOnly, runInGuest } from './guest.js';
import { CAUSES, observe } from './observed.js';
import { assertOneCause } from './one-cause.js';
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

for (const kernel of armKernels) {
  // At its entry the unwinder goes from the caller's frame to the caller's caller: only the link register has the caller.
  test(`${kernel}: a trylock of mmap_lock that fails in __vmf_anon_prepare is the cause`, { skip }, async () => {
    const session = (await observe([CAUSES, 'retry', '^busy'], { kernel })).get('retry');
    assert.ok(session);
    for (const run of ['busy-anon-8', 'busy-hugetlb-8']) assertOneCause(session, run, kernel);
  });
}

const PACKAGER = fileURLToPath(new URL('../../scripts/package/main.js', import.meta.url));
const noPackage = skip ?? (existsSync('/usr/bin/dpkg-deb') ? undefined : 'dpkg-deb is not installed');

test('the Debian package for arm64, made on this machine, observes and replays there', {
  skip: noPackage,
}, async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'vmalocktop-arm64-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const env = { ...process.env, DEB_FAST: 'yes' };
  const deb = execFileSync(process.execPath, [PACKAGER, 'deb-arm64'], { encoding: 'utf8', env }).trim();
  assert.equal(execFileSync('dpkg-deb', ['-f', deb, 'Architecture'], { encoding: 'utf8' }), 'arm64\n');
  execFileSync('dpkg-deb', ['-x', deb, dir]);
  const script = '"$0/usr/bin/vmalocktop" demo && "$0/usr/bin/vmalocktop" doctor && "$0/usr/bin/vmalocktop" stat -d 2';
  const { code, stdout, stderr } = await runInGuest({
    kernel: armKernels[0] as string,
    argv: ['bash', '-euc', script, dir],
    share: dir,
    timeoutS: 1200,
  });
  assert.equal(code, 0, `${stdout.slice(-2000)}\n${stderr}`);
  assert.match(stdout, /27,240 {2}page faults/);
  assert.match(stdout, /✓ libbpf +1\.\d/);
  assert.match(stdout, /^live observation works here: .*-arm64,/m);
  assert.match(stdout, /^ +[\d.]+ s {2}observed/m);
});
