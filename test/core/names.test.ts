// SPDX-License-Identifier: MIT
/** Names that travel in user-side rows, and figures that exist only where their hook is attached. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { statJson } from '../../cli/commands/stat/json.js';
import { statText } from '../../cli/commands/stat/text.js';
import { MMAP_LOCK_HOOK, OTHER_USERS } from '../../src/core/aggregate/mmap-lock.js';
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import { CounterGroup, UserKind } from '../../src/core/events/user-rows.js';
import { CAUSES, factsOf } from '../../src/core/vocabulary/causes.js';
import { syscallName } from '../../src/core/vocabulary/syscalls.js';
import { WAIT_FACTS, WAIT_NAMES } from '../../src/core/vocabulary/waits.js';
import { HOOKS } from '../../src/live/hooks.js';
import { snapshotFamilies } from '../../src/metrics/families.js';
import { metricsText } from '../../src/metrics/text.js';
import { VlCounter } from '../../src/schema/events.gen.js';
import { syntheticSession } from './session.js';
import {
  AVOIDABLE,
  batchesOf,
  hooked,
  inOrder,
  retry,
  snapshotOf,
  TGID,
  type WireRow,
  WRITER_HOOKS,
  writer,
} from './wire.js';

const named = (kind: number, a: number, b: number, comm: string, value: number): WireRow => ({
  kind,
  time: 1,
  tid: 0,
  a,
  b,
  comm,
  value,
});

const counters = (values: Readonly<Record<number, number>>): WireRow[] =>
  Object.entries(values).map(([b, value]) => ({
    kind: UserKind.Counter,
    time: 5000,
    tid: 0,
    a: CounterGroup.Kernel,
    b: Number(b),
    value,
  }));

describe('names', () => {
  it('of a cgroup stand in the rows of its processes, before its path', () => {
    const fault = retry({ fault: 1, tid: 200, from: 1000, to: 2000, found: AVOIDABLE });
    const of = (name: string): string | undefined =>
      snapshotOf([named(UserKind.Cgroup, 0, 0, name, 42), ...fault]).processes[0]?.cgroupName;
    assert.equal(of('/system.slice/x.service\tx.service'), 'x.service /system.slice/x.service');
    assert.equal(of('/user.slice'), '/user.slice');
    assert.equal(snapshotOf(fault).processes[0]?.cgroupName, '');
  });

  const by = (rows: readonly WireRow[], tid: number, comm: string): WireRow[] =>
    rows.map((row) => ({ ...row, tid, comm }));
  const swapIn = (fault: number, tid: number, comm: string): WireRow[] =>
    by(retry({ fault, tid, from: 1000 * fault, to: 1000 * fault + 500, found: AVOIDABLE }), tid, comm);

  it("of a process are its leader's in every table, those of threads their own", () => {
    const rows = [
      named(UserKind.Process, TGID, 0, 'redis-server', 0),
      ...swapIn(1, 201, 'io_thd_1'),
      ...swapIn(2, 202, 'bio_lazy_free'),
      ...by(writer({ tid: 203, syscall: 10, asked: 5000, had: 5900 }), 203, 'jemalloc_bg_thd'),
    ];
    const { processes, addresses, vmas, writers, counterfactual, latest } = snapshotOf(rows, hooked(...WRITER_HOOKS));
    for (const table of [processes, addresses, vmas, writers])
      assert.deepEqual([...new Set(table.map(({ comm }) => comm))], ['redis-server']);
    assert.deepEqual(
      counterfactual.byProcess.map(({ key }) => key),
      [`${TGID} redis-server`],
    );
    assert.deepEqual(
      latest.map(({ comm, processName }) => [comm, processName]),
      [
        ['bio_lazy_free', 'redis-server'],
        ['io_thd_1', 'redis-server'],
      ],
    );
  });

  it('of a process whose leader is not heard of are those of the thread seen first, and stay', () => {
    const name = (...rows: readonly (readonly WireRow[])[]): string | undefined =>
      snapshotOf(rows.flat()).processes[0]?.comm;
    assert.equal(name(swapIn(1, 201, 'G1 Main'), swapIn(2, 202, 'Finalizer')), 'G1 Main');
    assert.equal(name(swapIn(1, 201, 'G1 Main'), swapIn(2, TGID, 'java'), swapIn(3, 202, 'Finalizer')), 'java');
  });

  it('make no other series of one counter, whichever threads fault between two scrapes', () => {
    const pipeline = new Pipeline(syntheticSession());
    const leader = [named(UserKind.Process, TGID, 0, 'java', 0)];
    const found = [named(UserKind.Cgroup, 0, 0, '/app', 42)];
    const series = [leader, swapIn(1, 201, 'G1 Main'), found, swapIn(2, 202, 'Finalizer'), swapIn(3, 203, 'C2')].map(
      (rows) => {
        for (const batch of batchesOf(rows)) pipeline.push(batch);
        return metricsText(snapshotFamilies(pipeline.snapshot(), 10), 'prometheus')
          .split('\n')
          .filter((line) => /^vmalocktop_(process|cgroup)_(?!info)/.test(line))
          .map((line) => line.slice(0, line.lastIndexOf(' ')));
      },
    );
    const all = new Set(series.flat());
    assert.deepEqual([...all].sort(), [...(series.at(-1) ?? [])].sort());
    assert.ok(all.has(`vmalocktop_process_retries_total{pid="${TGID}",comm="java"}`));
    assert.ok(all.has('vmalocktop_cgroup_retries_total{cgroup="/app",id="42"}'));
  });

  it('that are not available are reported as missing, and why, with the stacks that could not be taken', () => {
    const why = '/proc/kallsyms: the kernel hides its addresses (kernel.kptr_restrict, or CAP_SYSLOG is missing)';
    const snapshot = snapshotOf([
      named(UserKind.Unnamed, 0, 0, why, 0),
      named(UserKind.Unnamed, 1, 0, '', 3),
      named(UserKind.Unnamed, 2, 0, '', 1),
      named(UserKind.Unnamed, 1, 0, '', 4),
    ]);
    assert.deepEqual(snapshot.names, { missing: [why], failedStacks: { kernel: 4, user: 1 } });
    const text = statText(snapshot);
    assert.ok(text.includes(`no names: ${why}`), text);
    assert.match(text, /^ +5 {2}stacks asked for that could not be taken$/m);
    const json = statJson(snapshot) as Record<string, unknown>;
    assert.deepEqual(json.names, { missing: [why], failedStacks: { kernel: 4, user: 1 } });
  });

  it('of swap devices stand in their rows, also of devices no fault came to', () => {
    const rows = [
      named(UserKind.SwapDevice, 0, 3, 'vdb', 0),
      named(UserKind.SwapDevice, 1, 0x1003, 'zram0', 1),
      ...retry({ fault: 1, tid: 200, from: 1000, to: 2000, found: AVOIDABLE }),
    ];
    const { devices } = snapshotOf(rows).swap;
    assert.deepEqual(
      devices.map((d) => [d.type, d.name, d.synchronous, d.faults, d.reads, d.retries, d.folioWait.sumNs]),
      [
        [0, 'vdb', false, 1, 1, 1, 1000],
        [1, 'zram0', true, 0, 0, 0, 0],
      ],
    );
  });

  it('of frames make the stacks that rows refer to, innermost first, and no others', () => {
    const frames = [
      named(UserKind.Frame, 5, 1, 'handle_mm_fault+0x1', 1),
      named(UserKind.Frame, 5, 0, 'do_swap_page+0x2', 1),
      named(UserKind.Frame, 6, 0, 'main+0x3 [load]', 0),
      named(UserKind.Frame, 77, 0, 'nobody asked', 0),
    ];
    const holds = writer({ tid: 300, syscall: 10, asked: 100, had: 900, stacks: [5, 6] });
    const { stacks } = snapshotOf([...frames, ...holds], hooked(...WRITER_HOOKS));
    assert.deepEqual(stacks, { 5: ['do_swap_page+0x2', 'handle_mm_fault+0x1'], 6: ['main+0x3 [load]'] });
  });

  it('of handlers stand beside the retries they returned, and so does an address without a name', () => {
    const ops = (fault: number, low: number): WireRow[] =>
      retry({ fault, tid: 200 + fault, from: 1000, to: 2000, found: AVOIDABLE, handler: [0xffff_ffff, low] });
    const name = named(UserKind.Handler, 0xffff_ffff, 0x8100_1000, 'drm_gem_fault [drm]', 0);
    const { handlers } = snapshotOf([...ops(1, 0x8100_1000), name, ...ops(2, 0x8100_2000), ...ops(3, 0x8100_1000)]);
    assert.deepEqual(handlers, [
      { address: 0xffff_ffff_8100_1000n, name: 'drm_gem_fault [drm]', retries: 2 },
      { address: 0xffff_ffff_8100_2000n, name: '', retries: 1 },
    ]);
  });

  it('of system calls are those of x86-64 and arm64, and of the common numbers elsewhere', () => {
    assert.deepEqual(
      [10, 435, 350, -1].map((number) => syscallName(number, 'x64')),
      ['mprotect', 'clone3', 'syscall 350', 'no system call'],
    );
    // include/uapi/asm-generic/unistd.h
    assert.deepEqual(
      [0, 29, 79, 222, 243, 250, 260, 294, 435].map((number) => syscallName(number, 'arm64')),
      ['io_setup', 'ioctl', 'newfstatat', 'mmap', 'recvmmsg', 'syscall 250', 'wait4', 'kexec_file_load', 'clone3'],
    );
    assert.deepEqual([syscallName(10, 'riscv64'), syscallName(435, 'riscv64')], ['syscall 10', 'clone3']);
  });
});

describe('mmap_lock table', () => {
  const values = {
    [VlCounter.MM_READ]: 12,
    [VlCounter.MM_READ_NS]: 3456,
    [VlCounter.MM_READ_1US]: 10,
    [VlCounter.MM_READ_LONGER]: 2,
    [VlCounter.MM_WRITE]: 7,
    [VlCounter.MM_WRITE_NS]: 89,
    [VlCounter.MM_WRITE_10MS]: 7,
    [VlCounter.MM_TRY_FAILED]: 3,
  };

  it('is what the kernel counted', () => {
    const { mmapLock } = snapshotOf(counters(values), hooked(...WRITER_HOOKS));
    assert.deepEqual(mmapLock, {
      read: { acquired: 12, waitNs: 3456, decades: [10, 0, 0, 0, 0, 0, 0, 2] },
      write: { acquired: 7, waitNs: 89, decades: [0, 0, 0, 0, 7, 0, 0, 0] },
      tryFailed: 3,
      known: true,
    });
  });

  it('without its tracepoints is not known, and the document says why', () => {
    const snapshot = snapshotOf([], {
      hooks: [{ target: 'mmap_lock_acquire_returned', attached: false, note: 'left out: --no-writers' }],
    });
    assert.equal(snapshot.mmapLock.known, false);
    const { mmapLock } = statJson(snapshot) as { mmapLock: { known: boolean; why: string } };
    assert.deepEqual(mmapLock, {
      known: false,
      why: 'mmap_lock_acquire_returned is not hooked: left out: --no-writers',
    });
  });
});

describe('what a figure stands on', () => {
  it('is a hook the tool knows', () => {
    const known = new Set(HOOKS.map((hook) => hook.target));
    const asked = [
      MMAP_LOCK_HOOK,
      ...WRITER_HOOKS,
      ...CAUSES.flatMap((cause) => factsOf(cause).hooks),
      ...WAIT_NAMES.flatMap((name) => WAIT_FACTS[name].hooks),
    ];
    for (const [, , hook] of OTHER_USERS) if (hook !== null) asked.push(hook);
    assert.deepEqual(
      asked.filter((target) => !known.has(target)),
      [],
    );
  });
});

describe('other users of VMA locks', () => {
  it('are counted where a hook shows them, and not known elsewhere', () => {
    const rows = counters({ [VlCounter.USER_UFFD]: 5, [VlCounter.USER_PROCFS]: 6, [VlCounter.USER_MADVISE]: 7 });
    assert.deepEqual(snapshotOf(inOrder(rows), hooked('uffd_lock_vma', 'madvise_vma_behavior')).otherUsers, {
      userfaultfd: 5,
      procfs: null,
      madvise: 7,
      damon: null,
      other: null,
    });
  });
});
