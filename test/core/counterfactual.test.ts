// SPDX-License-Identifier: MIT
/** Verdicts summed, and writers beside them: a gate with a controllable writer, in rows. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { VlStepFlag } from '../../src/schema/events.gen.js';
import {
  AVOIDABLE,
  hooked,
  inOrder,
  PAGE,
  retry,
  snapshotOf,
  TGID,
  type WireRow,
  WRITE_LOCKED,
  WRITER_HOOKS,
  writer,
} from './wire.js';

const MPROTECT = 10;
const MUNMAP = 11;
const N = 8;
const VMA: readonly [number, number] = [PAGE, PAGE + 0x10_0000];
const ALL = hooked(...WRITER_HOOKS);
const NO_VMA_WRITE = hooked(...WRITER_HOOKS.filter((target) => target !== '__vma_start_write'));

/** N threads wait at the gate from 1000 on; it opens at 9000. */
function gate(found: number | undefined, more: Partial<Parameters<typeof retry>[0]> = {}): WireRow[][] {
  return Array.from({ length: N }, (_, i) =>
    retry({
      fault: i,
      tid: 200 + i,
      from: 1000 + i,
      to: 9000,
      folio: 7,
      ...(found !== undefined && { found }),
      ...more,
    }),
  );
}

describe('gate with a writer', () => {
  it('idle: all avoidable, quiet, no stall', () => {
    const { retry: sums, counterfactual, writers } = snapshotOf(inOrder(...gate(AVOIDABLE, { mmWait: 50 })), ALL);
    assert.deepEqual([sums.total, sums.avoidable, sums.notAvoidable, sums.unknown], [N, N, 0, 0]);
    const { all } = counterfactual;
    assert.deepEqual([all.avoidableQuiet, all.avoidableBusy, all.savedNs, all.lookupNs], [N, 0, 0, 50 * N]);
    assert.deepEqual(all.stall, { exactNs: 0, boundNs: 0, writers: 0, basis: 'exact', unknown: 0 });
    assert.deepEqual(writers, []);
  });

  it('changes another VMA: all avoidable, though busy; the writer would have stalled at most, not exactly', () => {
    const other = writer({
      tid: 300,
      syscall: MPROTECT,
      asked: 4000,
      had: 4000,
      released: 4100,
      vmas: [[4010, 0x1000, 0x9000, 5]],
    });
    const { counterfactual, writers } = snapshotOf(inOrder(...gate(AVOIDABLE, { mmWriters: 1 }), other), ALL);
    const { all } = counterfactual;
    assert.deepEqual([all.verdicts.avoidable, all.avoidableQuiet, all.avoidableBusy], [N, 0, N]);
    assert.deepEqual(all.stall, { exactNs: 0, boundNs: 5000, writers: 0, basis: 'exact', unknown: 0 });
    assert.deepEqual(
      writers.map((row) => [row.name, row.acquired, row.vmas, row.hold.sumNs, row.vmaWait.sumNs, row.retriesLocked]),
      [['mprotect', 1, 1, 100, 5, 0]],
    );
  });

  it('changes the gated VMA: none avoidable, the writer named, its stall exact', () => {
    const who = { tid: 300, syscall: MPROTECT, exact: true };
    const it = writer({
      tid: 300,
      syscall: MPROTECT,
      asked: 4000,
      had: 4000,
      released: 4100,
      vmas: [
        [4010, ...VMA, 3],
        [4020, PAGE, PAGE + 0x1000, 0],
      ],
    });
    const rows = inOrder(...gate(WRITE_LOCKED, { mmWriters: 1, writer: who }), it);
    const snapshot = snapshotOf(rows, ALL);
    const { all, byCause, byProcess } = snapshot.counterfactual;
    assert.deepEqual([snapshot.retry.avoidable, snapshot.retry.notAvoidable], [0, N]);
    assert.deepEqual([all.verdicts['write-locked'], all.savedNs], [N, 0]);
    assert.deepEqual(all.stall, { exactNs: 9000 - 4010, boundNs: 5000, writers: 1, basis: 'exact', unknown: 0 });
    assert.deepEqual(
      byCause.map((row) => row.stall),
      [all.stall],
    );
    assert.deepEqual(
      byProcess.map((row) => [row.key, row.stall]),
      [[`${TGID} load`, all.stall]],
    );
    assert.deepEqual(
      snapshot.writers.map((row) => [row.tgid, row.comm, row.syscall, row.retriesLocked, row.retriesDelayed]),
      [[TGID, 'writer', MPROTECT, N, 0]],
    );
    assert.deepEqual(snapshotOf(rows, ALL, 1), snapshot);
  });

  it('where __vma_start_write cannot be hooked, the bound stands and is called one', () => {
    const it = writer({ tid: 300, syscall: MPROTECT, asked: 4000, had: 4000, released: 4100 });
    const { all } = snapshotOf(inOrder(...gate(WRITE_LOCKED), it), NO_VMA_WRITE).counterfactual;
    assert.deepEqual(all.stall, { exactNs: 0, boundNs: 5000, writers: 1, basis: 'bound', unknown: 0 });
  });

  it('where no writer can be seen, nothing is claimed', () => {
    const { all } = snapshotOf(inOrder(...gate(WRITE_LOCKED))).counterfactual;
    assert.equal(all.stall.basis, 'none');
  });

  it('still closed: the stall so far, and retries without a fallback are not judged', () => {
    const it = writer({
      tid: 300,
      syscall: MPROTECT,
      asked: 4000,
      had: 4000,
      released: 4100,
      vmas: [[4010, ...VMA, 3]],
    });
    const clock: WireRow = { kind: 128, time: 6000, tid: 0, value: 0 };
    const snapshot = snapshotOf(inOrder(...gate(undefined), it, [clock]), ALL);
    assert.equal(snapshot.inFlightTotal, N);
    const { all, byProcess } = snapshot.counterfactual;
    assert.deepEqual(all.stall, { exactNs: 1990, boundNs: 2000, writers: 1, basis: 'exact', unknown: 0 });
    assert.deepEqual([all.retries, byProcess], [0, []]);
  });

  it('counts the retries that queued behind a writer, and those only that did', () => {
    const it = writer({ tid: 300, syscall: MUNMAP, asked: 8900, had: 8950, released: 9200 });
    const rows = inOrder(
      retry({ fault: 1, tid: 201, from: 1000, to: 9000, found: AVOIDABLE, mmWait: 300, behind: 300 }),
      retry({ fault: 2, tid: 202, from: 1000, to: 9000, found: AVOIDABLE, mmWait: 300, behind: 999 }),
      retry({ fault: 3, tid: 203, from: 1000, to: 9400, found: AVOIDABLE, mmWait: 10, behind: 300 }),
      it,
    );
    const snapshot = snapshotOf(rows, ALL);
    assert.deepEqual(
      snapshot.writers.map((row) => [row.name, row.retriesDelayed]),
      [['munmap', 1]],
    );
    assert.deepEqual([snapshot.waits.mmapLockQueued.count, snapshot.waits.mmapLock.count], [3, 3]);
    assert.equal(snapshot.waits.mmapLockQueued.sumNs, 299 + 299 + 9);
    const { all } = snapshot.counterfactual;
    assert.deepEqual([all.savedNs, all.lookupNs], [299 + 299 + 9, 3]);
    const blind = snapshotOf(rows, hooked('mmap_lock_acquire_returned')).counterfactual.all;
    assert.deepEqual([blind.savedNs, blind.lookupNs], [null, 3 + 299 + 299 + 9]);
    assert.deepEqual(snapshotOf(rows, ALL, 2), snapshot);
  });

  it('knows a writer that was not sent by what the fallback says of it', () => {
    const latest = { tid: 300, syscall: 0xffff_ffff, exact: false };
    const row = {
      fault: 1,
      tid: 201,
      from: 1000,
      to: 9000,
      found: AVOIDABLE,
      behind: 300,
      mmWriters: 2,
      writer: latest,
    };
    const { writers } = snapshotOf(retry(row), ALL);
    assert.deepEqual(
      writers.map((w) => [w.tgid, w.syscall, w.name, w.acquired, w.retriesLocked, w.retriesDelayed]),
      [[TGID, -1, 'no system call', 0, 0, 1]],
    );
  });
});

describe('writers', () => {
  const HOLDER = VlStepFlag.HOLDER_WRITER | VlStepFlag.INVERTED;

  it('are summed by process and system call, with whom they waited for', () => {
    const rows = inOrder(
      writer({ tid: 300, syscall: MPROTECT, asked: 1000, had: 1500, released: 1600, behind: 7, flags: HOLDER }),
      writer({
        tid: 301,
        syscall: MPROTECT,
        asked: 2000,
        had: 2900,
        behind: 8,
        flags: VlStepFlag.HOLDER_READER,
        stacks: [5, 6],
      }),
      writer({ tid: 300, syscall: 9999, asked: 3000, had: 3100, released: 3110 }),
    );
    const { writers, waits, session } = snapshotOf(rows, { ...ALL, arch: 'x64' });
    assert.equal(session.arch, 'x64');
    const [mprotect, other] = writers;
    assert.deepEqual([waits.writer.count, waits.writer.sumNs], [3, 1500]);
    assert.deepEqual(
      [mprotect?.acquired, mprotect?.wait.sumNs, mprotect?.hold.count, mprotect?.behindReader, mprotect?.behindWriter],
      [2, 1400, 1, 1, 1],
    );
    assert.deepEqual([mprotect?.inverted, mprotect?.worstHolder, mprotect?.worstWaitNs], [1, 8, 900]);
    assert.deepEqual([mprotect?.kernelStack, mprotect?.userStack], [5, 6]);
    assert.deepEqual([other?.name, other?.wait.sumNs, other?.kernelStack], ['syscall 9999', 100, -1]);
  });

  it('stay within their bound, the lightest go, and that is counted', () => {
    const rows = Array.from({ length: 3000 }, (_, i) =>
      writer({
        tid: 300,
        syscall: i,
        asked: i * 10,
        had: i * 10 + (i === 5 ? 9 : 1),
        released: i * 10 + (i === 5 ? 10 : 2),
      }),
    );
    const { writers, forgotten } = snapshotOf(inOrder(...rows), ALL);
    assert.ok(writers.length <= 256);
    assert.ok((forgotten?.writers ?? 0) >= 3000 - 1024);
    assert.equal(writers[0]?.syscall, 5);
  });
});
