// SPDX-License-Identifier: MIT
/** All names that a source adds, for this very process on this very host. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it, type TestContext } from 'node:test';
import { clearBatch, createBatch } from '../../src/core/events/batch.js';
import { UserKind } from '../../src/core/events/user-rows.js';
import { NameRows } from '../../src/live/names/names.js';
import { VlKind, VlStepFlag } from '../../src/schema/events.gen.js';

async function followed(): Promise<void> {
  const strings = [''];
  const maps = readFileSync('/proc/self/maps', 'latin1');
  const code = BigInt(`0x${/^([0-9a-f]+)-[0-9a-f]+ r-xp .*\/node$/m.exec(maps)?.[1]}`);
  const stack = new BigUint64Array(127);
  stack[0] = code + 0x1000n;
  const swap = new Uint8Array(32 * 48);
  const third = Buffer.from(swap.buffer, 2 * 48, 48);
  third.write('no-such-disk');
  third.writeBigUInt64LE(1n, 40);
  const names = new NameRows(
    {
      stacks: { get: (key) => (key[0] === 6 ? new Uint8Array(stack.buffer) : undefined) },
      swapDevices: swap.buffer,
    },
    { kernel: false, user: true },
    strings,
  );
  const kernel = createBatch(8, strings);
  kernel.kind.set([VlKind.HMF_EXIT, VlKind.STACK]);
  kernel.flags[0] = VlStepFlag.INFO;
  kernel.tid.fill(process.pid, 0, 2);
  kernel.tgid[0] = process.pid;
  kernel.a[1] = 0xffff_ffff;
  kernel.b[1] = 6;
  kernel.length = 2;
  names.note(kernel);
  await names.finish(60_000);

  const batch = names.createBatch(strings);
  const found: unknown[] = [];
  while (names.emit(batch, 5, true) > 0) {
    for (let i = 0; i < batch.length; i++) found.push([batch.kind[i], batch.a[i], strings[batch.comm[i] ?? 0]]);
    clearBatch(batch);
  }
  assert.deepEqual(found[0], [UserKind.SwapDevice, 2, 'no-such-disk']);
  const [kind, id, frame] = found[1] as [number, number, string];
  assert.deepEqual([kind, id], [UserKind.Frame, 6]);
  assert.match(frame, /\[node\]$|^node\+0x/);
  assert.equal(found.length, 2);
  assert.deepEqual(names.failedStacks, { kernel: 0, user: 0 });
}

it('follows kernel rows with the names they need, then has nothing more to say', followed);

it('has names for a stack that was noted last, when there was no time left to look into it', (t: TestContext) => {
  let now = 1e6;
  // Every look at the clock finds that two milliseconds have gone by.
  t.mock.method(performance, 'now', () => (now += 2));
  return followed();
});
