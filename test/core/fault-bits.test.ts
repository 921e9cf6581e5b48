// SPDX-License-Identifier: MIT
/** Bits of enum vm_fault_reason, over a recording of a kernel that tries once more under the VMA lock. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import type { Snapshot } from '../../src/core/aggregate/snapshot.js';
import { faultBits, retryBits } from '../../src/core/events/fault-bits.js';
import { openFile } from '../../src/recording/read/file.js';

const RECORDING = new URL('../../../test/golden/retry-vma-6.12.vmlt', import.meta.url).pathname;

/** What is seen of the recording where the kernel's names of the bits are others. */
async function seen(rename: (names: Readonly<Record<string, number>>) => Record<string, number>): Promise<Snapshot> {
  const source = await openFile(RECORDING);
  const { session } = source;
  const { enums } = session;
  const pipeline = new Pipeline({ ...session, enums: { ...enums, faultReasons: rename(enums.faultReasons) } });
  for await (const batch of source.batches()) pipeline.push(batch);
  return pipeline.snapshot();
}

test('a RETRY that a kernel says by a bit of its own is a RETRY', async () => {
  const one = await seen((names) => ({ ...names }));
  const split = await seen((names) => ({
    ...names,
    VM_FAULT_RETRY: 0x40000,
    VM_FAULT_RETRY_VMA: names.VM_FAULT_RETRY ?? 0,
  }));
  assert.ok(one.counts.vmaLock.retry > 100 && one.retry.total > 100);
  assert.deepEqual(split.retry, one.retry);
  assert.deepEqual(split.lifecycles, one.lifecycles);
});

test('bits whose names only look like it are none', async () => {
  const { session } = await openFile(RECORDING);
  const { faultReasons } = session.enums;
  assert.equal(retryBits(faultReasons), faultReasons.VM_FAULT_RETRY);
  assert.equal(faultBits(session).retry, faultReasons.VM_FAULT_RETRY);
  assert.equal(retryBits({ ...faultReasons, VM_FAULT_RETRYABLE: 1 << 20 }), faultReasons.VM_FAULT_RETRY);
});
