// SPDX-License-Identifier: MIT
/** What a user of a terminal sees on real kernels: the live dashboard, and the refusal where there are no per-VMA locks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { guestImpossible, matrix, matrixOnly, oneKernel, runInGuest } from './guest.js';

const skip = (await guestImpossible()) ?? false;
const SIZES = matrix ? ['80x24', '160x45'] : ['160x45'];

test('6.1 is refused with the reason: it has no per-VMA locks', { skip: await matrixOnly() }, async () => {
  const script = `for c in 'stat -d 1' doctor; do node "$VMALOCKTOP_MAIN" $c >/tmp/out 2>&1; echo "$c: $?"; grep -m2 -e 'per-VMA' /tmp/out; done`;
  const result = await runInGuest({ kernel: '6.1', argv: ['bash', '-c', script] });
  assert.equal(result.code, 0, result.stderr);
  assert.match(result.stdout, /stat -d 1: 3\n.*no per-VMA locks/);
  assert.match(result.stdout, /doctor: 3\n.*per-VMA/);
});

for (const kernel of oneKernel) {
  test(`${kernel}: the dashboard draws real faults in a terminal`, { skip }, async () => {
    const result = await runInGuest({
      kernel,
      swap: 'disk',
      disks: ['512M'],
      timeoutS: 1200,
      argv: ['test/vm/guest/dashboard', ...SIZES],
    });
    assert.equal(result.code, 0, `${result.stderr}\n${result.stdout}`);
    const screens = JSON.parse(result.stdout) as { size: string; screen: string; after: string }[];
    assert.deepEqual(
      screens.map(({ size }) => size),
      SIZES,
    );
    for (const { size, screen, after } of screens) {
      const columns = Number(size.split('x')[0]);
      assert.match(screen, /vmalocktop/, size);
      assert.match(screen, /swapload/, `${size}: the workload is not on the screen:\n${screen}`);
      assert.match(screen, /emitted/, size);
      for (const line of screen.split('\n'))
        assert.ok([...line].length <= columns, `${size}: a line is wider than the screen`);
      assert.match(after, /the shell is back/, `${size}: the terminal was not given back:\n${after}`);
    }
  });
}
