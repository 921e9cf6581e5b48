// SPDX-License-Identifier: MIT
/** Rows of kind COUNTER by name, on sessions of real recordings: each says what it counts, and never what another one does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VMSTAT_LINES } from '../../src/core/aggregate/outcomes.js';
import { CounterGroup } from '../../src/core/events/user-rows.js';
import { counterName } from '../../src/export/tables/counter-names.js';
import { openFile } from '../../src/recording/read/file.js';
import { VlCounter, VlKind } from '../../src/schema/events.gen.js';
import { GUEST_RECORDING } from './support.js';

const source = await openFile(GUEST_RECORDING);
const { programs } = source.session;
await source.close();

test('each group names what it counts', () => {
  const { Kernel, Dropped, Hist, Missed, RunTime, Self, Vmstat } = CounterGroup;
  assert.equal(counterName(Kernel, VlCounter.VMA_RETRY, programs), 'kernel/VMA_RETRY');
  assert.equal(counterName(Dropped, VlKind.HMF_EXIT, programs), 'dropped/HMF_EXIT');
  assert.equal(counterName(Hist, 64 + 12, programs), 'hist/MMAP_LOCK/12');
  assert.equal(counterName(Missed, 0, programs), `missed/${programs[0]?.name}`);
  assert.equal(counterName(RunTime, 1, programs), `runtime/${programs[1]?.name}`);
  assert.equal(counterName(Self, 1, programs), 'self/cpu ns');
  VMSTAT_LINES.forEach((line, i) => {
    assert.equal(counterName(Vmstat, 2 * i, programs), `vmstat/${line}/least`);
    assert.equal(counterName(Vmstat, 2 * i + 1, programs), `vmstat/${line}/most`);
  });
});

test('no two rows have one name, and what is not known stays a number', () => {
  const names = Object.values(CounterGroup).flatMap((group) =>
    Array.from({ length: 200 }, (_, index) => counterName(group, index, programs)),
  );
  assert.equal(new Set(names).size, names.length);
  assert.equal(counterName(99, 3, programs), '99/3');
  assert.equal(counterName(CounterGroup.Missed, 10_000, programs), 'missed/10000');
});
