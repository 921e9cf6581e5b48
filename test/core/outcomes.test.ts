// SPDX-License-Identifier: MIT
/** Outcomes under the VMA lock, access errors among them, and the same faults as /proc/vmstat counts them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { statText } from '../../cli/commands/stat/text.js';
import { ACCESS_ERROR_HOOK, VMSTAT_LINES } from '../../src/core/aggregate/outcomes.js';
import type { SessionInfo } from '../../src/core/events/session.js';
import { CounterGroup, UserKind } from '../../src/core/events/user-rows.js';
import { VlCounter, VlFound, VlKind, VlStepFlag } from '../../src/schema/events.gen.js';
import { hooked, MM, PAGE, snapshotOf, TGID, type WireRow } from './wire.js';

const counter = (group: number, index: number, value: number): WireRow => ({
  kind: UserKind.Counter,
  time: 9000,
  tid: 0,
  a: group,
  b: index,
  value,
});
const kernel = (values: Readonly<Record<number, number>>): WireRow[] =>
  Object.entries(values).map(([index, value]) => counter(CounterGroup.Kernel, Number(index), value));
const vmstat = (...spans: readonly (readonly [least: number, most: number])[]): WireRow[] =>
  spans.flatMap(([least, most], i) => [
    counter(CounterGroup.Vmstat, 2 * i, least),
    counter(CounterGroup.Vmstat, 2 * i + 1, most),
  ]);

/** Steps of one fault, as [kind, a, b]. */
const fault = (...steps: readonly (readonly [kind: number, a: number, b: number])[]): WireRow[] =>
  steps.map(([kind, a, b], step) => ({
    kind,
    time: 1000 + step,
    tid: 300,
    fault: 7,
    step,
    a,
    b,
    ...(step === 0
      ? {
          flags: VlStepFlag.INFO,
          tgid: TGID,
          comm: 'guard',
          mm: MM,
          address: PAGE,
          vma: [PAGE, PAGE + 0x1000] as const,
          cgroup: 42,
        }
      : {}),
  }));

const SEES = hooked(ACCESS_ERROR_HOOK);
const COUNTED = kernel({
  [VlCounter.VMA_OK]: 1000,
  [VlCounter.VMA_COMPLETED]: 10,
  [VlCounter.VMA_ERROR]: 1,
  [VlCounter.VMA_RETRY]: 100,
  [VlCounter.ABORT]: 20,
  [VlCounter.ACCESS_ERROR]: 64,
  [VlCounter.SELF_OK]: 5,
  [VlCounter.SELF_RETRY]: 2,
  [VlCounter.SELF_ABORT]: 1,
});

describe('access errors', () => {
  it('are an outcome where they are seen, and not known elsewhere', () => {
    const { counts } = snapshotOf(COUNTED, SEES);
    assert.equal(counts.vmaLock.accessError, 64);
    assert.equal(counts.faults, 1000 + 10 + 1 + 100 + 20 + 64);
    assert.equal(snapshotOf(COUNTED, hooked()).counts.vmaLock.accessError, null);
  });

  it('under the VMA lock are a fault of one attempt that ended in error, and lacks nothing', () => {
    const { latest } = snapshotOf(fault([VlKind.ACCESS_ERROR, 1, 0]), SEES);
    const [life] = latest;
    assert.deepEqual([life?.how, life?.lost, life?.origin], ['error', [], 'user']);
    assert.deepEqual(
      life?.attempts.map(({ lock, outcome }) => [lock, outcome]),
      [['vma', 'error']],
    );
  });

  it('under mmap_lock end a fault that fell back: nothing of it was missed', () => {
    const { latest } = snapshotOf(
      fault([VlKind.MM_LOCK_ENTER, 1, 0], [VlKind.MM_LOCK_EXIT, VlFound.FOUND, 0], [VlKind.ACCESS_ERROR, 0, 0]),
      SEES,
    );
    const [life] = latest;
    assert.deepEqual([life?.how, life?.lost], ['error', []]);
    assert.deepEqual(
      life?.attempts.map(({ lock, outcome }) => [lock, outcome]),
      [
        ['vma', 'abort'],
        ['mmap', 'error'],
      ],
    );
  });
});

describe('/proc/vmstat', () => {
  const rows = (changes: Partial<SessionInfo>, ...more: readonly WireRow[]) =>
    snapshotOf([...COUNTED, ...more], { ...SEES, ...changes }).vmstat;

  it('is equal to the last one, our own faults and access errors included', () => {
    const all = rows({}, ...vmstat([1080, 1080], [21, 21], [102, 102]));
    assert.deepEqual(
      all?.map(({ line, counted, difference, why }) => [line, counted, difference, why]),
      [
        ['vma_lock_success', 1080, 0, ''],
        ['vma_lock_abort', 21, 0, ''],
        ['vma_lock_retry', 102, 0, ''],
      ],
    );
    assert.match(statText(snapshotOf([...COUNTED, ...vmstat([1080, 1080], [21, 21], [102, 102])], SEES)), /equal/);
  });

  it('is equal within what came while the session began or ended', () => {
    const [success] = rows({}, ...vmstat([1070, 1090], [21, 21], [102, 102])) ?? [];
    assert.deepEqual([success?.difference, success?.why], [0, '']);
  });

  it('differs with its reason: others in the same line, filters, access errors nobody saw; else it is not known', () => {
    const more = vmstat([1090, 1090], [30, 30], [101, 101]);
    const [success, abort, retry] = rows({}, ...more) ?? [];
    assert.deepEqual([success?.difference, success?.why], [-10, 'not known']);
    assert.equal(abort?.difference, -9);
    assert.match(abort?.why ?? '', /userfaultfd/);
    assert.deepEqual([retry?.difference, retry?.why], [1, 'not known']);
    const [unseen] = rows({ hooks: [] }, ...more) ?? [];
    assert.match(unseen?.why ?? '', /access errors/);
    for (const row of rows({ filters: { pid: '7' } }, ...more) ?? []) assert.match(row.why, /only some processes/);
  });

  it('is not known where the kernel keeps none, and while the session lasts', () => {
    assert.equal(rows({}), null);
    assert.equal(rows({}, ...vmstat([1080, 1080])), null, `${VMSTAT_LINES.length} lines make it`);
  });
});
