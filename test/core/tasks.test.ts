// SPDX-License-Identifier: MIT
/** Threads that come and go without end: the memory of them is bounded, and each costs the same. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BoundedSet } from '../../src/core/bounded/bounded-set.js';
import { FaultRecord } from '../../src/core/lifecycle/record.js';
import { RecordPool } from '../../src/core/lifecycle/record-pool.js';
import { Tasks } from '../../src/core/lifecycle/tasks.js';

test('idle tasks go, those with a fault open stay', () => {
  const tasks = new Tasks(new RecordPool());
  const open = new FaultRecord(0, 0, 7, 0, 0);
  tasks.of(7).top = open;
  for (let tid = 100; tid < 400_000; tid++) tasks.of(tid).last = tid;
  assert.ok(tasks.size <= 32_768, `${tasks.size} tasks`);
  assert.equal(tasks.of(7).top, open);
  assert.equal(tasks.of(399_999).last, 399_999, 'the newest are there');
  assert.equal(tasks.of(100).last, Number.NEGATIVE_INFINITY, 'the oldest are not');
});

test('tasks that all have a fault open are not looked through for each new one', () => {
  const tasks = new Tasks(new RecordPool());
  const began = process.cpuUsage();
  for (let tid = 1; tid <= 150_000; tid++) tasks.of(tid).top = new FaultRecord(tid, 0, tid, 0, 0);
  assert.equal(tasks.size, 150_000);
  // Looked through each time it is 117 000 times some thousand tasks: minutes.
  assert.ok(process.cpuUsage(began).user < 20e6);
  for (let tid = 1; tid <= 150_000; tid++) tasks.of(tid).top = null;
  for (let tid = 200_000; tid < 400_000; tid++) tasks.of(tid);
  assert.ok(tasks.size <= 40_000, `${tasks.size} tasks when they are idle`);
});

test('a set forgets its oldest numbers, and only when there are too many', () => {
  const set = new BoundedSet(64);
  for (let n = 0; n < 64; n++) set.add(n);
  assert.ok(set.has(0) && set.has(63));
  for (let n = 64; n < 10_000; n++) {
    set.add(n);
    assert.ok(set.size <= 64 && set.has(n) && set.has(n - 50) && !set.has(n - 65));
  }
});
