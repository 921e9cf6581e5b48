// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { GUEST_TIMED_OUT, guestImpossible, kernels, matrixOnly, oneKernel, root, runInGuest } from './guest.js';

const skip = (await guestImpossible()) ?? false;

for (const kernel of oneKernel) {
  test(`${kernel}: output, exit status and arguments come back as they are`, { skip }, async () => {
    const argument = `it's "quoted" $HOME \\ *`;
    const script = 'uname -r; printf "%s\\n" "$1"; echo to stderr >&2; exit 7';
    const result = await runInGuest({ kernel, argv: ['bash', '-c', script, 'bash', argument] });
    assert.equal(result.code, 7, result.stderr);
    const [release, echoed] = result.stdout.split('\n');
    assert.ok(release?.startsWith(`${kernel}.`) || release === kernel, release);
    assert.equal(echoed, argument);
    assert.equal(result.stderr, 'to stderr\n');
  });

  test(`${kernel}: the gate holds all of its waiters, on real swap`, { skip: await matrixOnly() }, async () => {
    const result = await runInGuest({
      kernel,
      swap: 'gate',
      disks: ['512M'],
      argv: ['dist/test/workload/gate', '48', '3'],
    });
    assert.equal(result.code, 0, result.stderr);
    const { waiters, rounds, truth } = JSON.parse(result.stdout) as Record<string, unknown>;
    assert.deepEqual({ waiters, rounds, truth }, { waiters: 48, rounds: 3, truth: 144 });
  });
}

test('a guest that takes too long is ended, and says so', { skip }, async () => {
  const result = await runInGuest({ kernel: kernels[0] ?? '6.12', timeoutS: 3, argv: ['sleep', '60'] });
  assert.equal(result.code, GUEST_TIMED_OUT);
  assert.match(result.stderr, /timed out after \d+ s/);
});

test('scripts in guests say any text as JSON, without Node', () => {
  const text = `${String.fromCharCode(...Array.from({ length: 0x2ff }, (_, i) => i + 1))}…\u{1f6d1}\\n "\n\n`;
  const said = execFileSync('bash', ['-uc', '. test/vm/guest/lib; json <(cat)', 'json'], {
    cwd: root,
    input: text,
    env: { ...process.env, LANG: 'C.UTF-8', VMALOCKTOP_MAIN: '' },
  });
  assert.equal(JSON.parse(said.toString()), text);
});
