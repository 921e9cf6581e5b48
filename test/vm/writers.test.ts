// SPDX-License-Identifier: MIT
/** Verdicts, writers and their stall on preemptible kernels; on kernels as they come, causes.test.ts has them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matrixOnly, oneKernel } from './guest.js';
import { CAUSES, observe } from './observed.js';
import { assertWriterGates, WRITER_GATES } from './writer-gate.js';

const skip = await matrixOnly();

for (const kernel of oneKernel) {
  test(`${kernel} preempt=full: a gate with a writer: verdicts, writers, waits and stall`, { skip }, async (t) => {
    const session = (await observe([CAUSES, 'retry', WRITER_GATES], { kernel, append: 'preempt=full' })).get('retry');
    assert.ok(session);
    t.diagnostic(`missed ${session.missed}`);
    await assertWriterGates(t, session);
  });
}
