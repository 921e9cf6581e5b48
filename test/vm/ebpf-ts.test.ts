// SPDX-License-Identifier: MIT
/**
 * ebpf-ts on kernels that take programs, x86-64 and arm64: its six examples, every way of attaching, misuse, ten thousand cycles.
 * One boot a kernel. The short form opens, loads, attaches and closes a hundred times.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { armKernels, guestImpossible, kernels, matrix, matrixOnly, oneKernel, runInGuest } from './guest.js';

const skip = await matrixOnly();
const skipArm = await matrixOnly('qemu-system-aarch64');
const skipShort = (await guestImpossible()) ?? (matrix && 'it is part of the whole, which is run below');
const KERNEL = ['node', '--test-reporter=tap', 'packages/ebpf-ts/dist/test/kernel.js'];

describe('ebpf-ts', () => {
  for (const kernel of oneKernel)
    it(`leaves nothing behind on ${kernel}`, { skip: skipShort }, async () => {
      const { code, stdout, stderr } = await runInGuest({
        kernel,
        argv: ['env', 'EBPF_TS_CYCLES=100', 'node', '--test-name-pattern=10 000 times', ...KERNEL.slice(1)],
        timeoutS: 900,
      });
      assert.equal(code, 0, `${stdout.slice(-3000)}\n${stderr}`);
      assert.match(stdout, /^ *# 100 cycles: .*"descriptors":(\d+).*→.*"descriptors":\1,/m);
    });

  for (const kernel of [...kernels, ...armKernels]) {
    it(`does what it says on ${kernel}`, { skip: armKernels.includes(kernel) ? skipArm : skip }, async (t) => {
      const { code, stdout, stderr } = await runInGuest({ kernel, argv: KERNEL, timeoutS: 3600 });
      const failed = stdout.split('\n').filter((line) => /^\s*not ok/.test(line));
      assert.equal(code, 0, `${failed.join('\n')}\n${stdout.slice(-6000)}\n${stderr}`);
      for (const line of stdout.match(/^ *# (\d+ cycles|kprobe|seed).*$/gm) ?? []) t.diagnostic(line.trim());
      assert.match(stdout, /^ *# 10000 cycles: /m);
      assert.ok((stdout.match(/^\s+ok \d+(?!.*# SKIP)/gm) ?? []).length >= 55, stdout);
    });
  }
});
