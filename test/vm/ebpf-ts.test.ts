// SPDX-License-Identifier: MIT
/** ebpf-ts on kernels that take programs: its six examples, every way of attaching, a thousand cycles. One boot a kernel. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { armKernels, kernels, matrixOnly, runInGuest } from './guest.js';

const skip = await matrixOnly();
const skipArm = await matrixOnly('qemu-system-aarch64');

describe('ebpf-ts', () => {
  for (const kernel of [...kernels, ...armKernels]) {
    it(`does what it says on ${kernel}`, { skip: armKernels.includes(kernel) ? skipArm : skip }, async () => {
      const { code, stdout, stderr } = await runInGuest({
        kernel,
        argv: ['node', '--test-reporter=tap', 'packages/ebpf-ts/dist/test/kernel.js'],
        timeoutS: 2400,
      });
      const failed = stdout.split('\n').filter((line) => /^\s*not ok/.test(line));
      assert.equal(code, 0, `${failed.join('\n')}\n${stdout.slice(-6000)}\n${stderr}`);
      assert.ok((stdout.match(/^\s+ok \d+/gm) ?? []).length >= 30, stdout);
    });
  }
});
