// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { UserError } from '../../src/errors.js';
import { refuseAbsent } from '../../src/live/followed.js';
import { namespaces, parseNsPid, parseTimeOffsets, pidNamespace } from '../../src/live/namespaces.js';

test('how far a process is below the PID namespace that /proc shows', () => {
  assert.equal(parseNsPid('Name:\tnode\nNSpid:\t4711\nNSpgid:\t4711\n'), 0);
  assert.equal(parseNsPid('NSpid:\t4711\t12\t1\n'), 2);
  assert.equal(parseNsPid('Name:\tnode\nPid:\t1\n'), null);
});

test('how far the monotonic clock of a time namespace is ahead', () => {
  assert.equal(parseTimeOffsets('monotonic           0         0\nboottime            0         0\n'), 0n);
  assert.equal(
    parseTimeOffsets('monotonic      864000         5\nboottime       864001         0\n'),
    864_000_000_000_005n,
  );
  // time_namespaces(7): seconds may be negative, nanoseconds never are.
  assert.equal(parseTimeOffsets('monotonic          -1 500000000\nboottime            0         0\n'), -500_000_000n);
  assert.equal(parseTimeOffsets(''), 0n);
});

test('this process knows its own', () => {
  assert.notEqual(namespaces().pid.initial, null);
});

test('a pid nobody has is refused, and a thread is no process', () => {
  refuseAbsent({ pids: [process.pid], tids: [process.pid] });
  // PID_MAX_LIMIT - 1: the kernel gives the highest pids last.
  for (const wish of [
    { pids: [2 ** 22 - 1], tids: [] },
    { pids: [], tids: [2 ** 22 - 1] },
  ])
    assert.throws(
      () => refuseAbsent(wish),
      (error) => error instanceof UserError && error.exitCode === 2 && /there is none/.test(error.why),
    );
});

test('a kernel without PID namespaces has one; a /proc that hides them says nothing', () => {
  const self = mkdtempSync(join(tmpdir(), 'vlt-self-'));
  try {
    assert.equal(pidNamespace(join(self, 'absent')).initial, null);
    writeFileSync(join(self, 'status'), 'Name:\tnode\nPid:\t7\n');
    assert.deepEqual(pidNamespace(self), { initial: true });
    writeFileSync(join(self, 'status'), 'Name:\tnode\nPid:\t7\nNSpid:\t7\n');
    assert.equal(pidNamespace(self).initial, null);
    mkdirSync(join(self, 'ns'));
    writeFileSync(join(self, 'ns/pid'), '');
    assert.deepEqual(pidNamespace(self), { initial: false, below: 0 });
  } finally {
    rmSync(self, { recursive: true });
  }
});
