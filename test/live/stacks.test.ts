// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import { clearBatch, createBatch, type EventBatch } from '../../src/core/events/batch.js';
import { UserKind } from '../../src/core/events/user-rows.js';
import { StackReader, StackRows } from '../../src/live/names/stacks.js';
import { TextPool } from '../../src/live/names/strings.js';
import { VlKind, VlStepFlag } from '../../src/schema/events.gen.js';
import { Symbols } from '../../src/symbols/symbols.js';
import { patience } from '../pace.js';

const NONE = 0xffff_ffff;
const KALLSYMS = `ffffffff81000000 T do_swap_page
ffffffff81001000 T handle_mm_fault
ffffffffc0001000 t bpf_trampoline_6442\t[bpf]
ffffffffc0002000 t bpf_prog_aa_x_handle_mm_fault\t[bpf]
`;

describe('stacks', () => {
  const proc = mkdtempSync(join(tmpdir(), 'stacks-test-'));
  writeFileSync(join(proc, 'kallsyms'), KALLSYMS);
  for (const pid of ['100', '201']) {
    mkdirSync(join(proc, pid));
    writeFileSync(join(proc, pid, 'maps'), `7f0000000000-7f0000010000 r-xp 00000000 00:00 0 \n`);
  }
  after(() => rmSync(proc, { recursive: true }));

  const stacks = new Map<number, readonly bigint[]>();
  const map = {
    get(key: Uint8Array): Uint8Array | undefined {
      const addresses = stacks.get(new DataView(key.buffer).getUint32(0, true));
      if (addresses === undefined) return undefined;
      const value = new BigUint64Array(127);
      value.set(addresses);
      return new Uint8Array(value.buffer);
    },
  };
  let strings: string[];
  let rows: StackRows;
  let kernel: EventBatch;
  let user: EventBatch;
  beforeEach(() => {
    stacks.clear();
    strings = [''];
    const reader = new StackReader(map, new Symbols(proc));
    rows = new StackRows(reader, strings, { kernel: true, user: true });
    kernel = createBatch(64, strings);
    user = createBatch(256, strings);
  });

  const step = (kind: number, tid: number, a: number, b: number, flags = 0, tgid = 0): void => {
    const i = kernel.length++;
    kernel.kind[i] = kind;
    kernel.flags[i] = flags;
    kernel.tid[i] = tid;
    kernel.a[i] = a;
    kernel.b[i] = b;
    kernel.tgid[i] = tgid;
  };
  const frames = (): string[] =>
    Array.from({ length: user.length }, (_, i) => {
      assert.equal(user.kind[i], UserKind.Frame);
      return `${user.a[i]}.${user.b[i]} ${user.value[i] === 1 ? 'kernel' : 'user'} ${strings[user.comm[i] ?? 0]}`;
    });
  const finish = async (): Promise<string[]> => {
    rows.note(kernel);
    for (let i = 0; i < 5 && rows.pending > 0; i++) {
      await rows.settle(patience(1000));
      rows.emit(user, 7);
    }
    assert.equal(rows.pending, 0);
    return frames();
  };

  it('hands on the frames of a step, kernel and user, innermost first, at the time given', async () => {
    stacks.set(5, [0xffffffff81000010n, 0xffffffff81001020n]);
    stacks.set(9, [0x7f0000000123n, 0x10n]);
    step(VlKind.HMF_EXIT, 101, 0, 0, VlStepFlag.INFO, 100);
    step(VlKind.STACK, 101, 5, 9);
    assert.deepEqual((await finish()).toSorted(), [
      '5.0 kernel do_swap_page+0x10',
      '5.1 kernel handle_mm_fault+0x20',
      '9.0 user [anon]+0x123',
      '9.1 user 0x10',
    ]);
    assert.ok(user.time.subarray(0, user.length).every((time) => time === 7));
  });

  it('sends each stack once', async () => {
    stacks.set(5, [0xffffffff81000010n]);
    step(VlKind.STACK, 101, 5, NONE);
    step(VlKind.STACK, 102, 5, NONE);
    assert.equal((await finish()).length, 1);
    clearBatch(user);
    assert.deepEqual(await finish(), []);
  });

  it('reads the ids of a writer from the column they travel in', async () => {
    stacks.set(3, [0xffffffff81001000n]);
    stacks.set(4, [0x7f0000000001n]);
    step(VlKind.W_ACQUIRED, 101, 0, 0, VlStepFlag.INFO, 100);
    kernel.kernelStack[0] = 3;
    kernel.userStack[0] = 4;
    assert.deepEqual((await finish()).toSorted(), ['3.0 kernel handle_mm_fault', '4.0 user [anon]+0x1']);
  });

  it('finds the process of a thread whose first step was not seen by the thread itself', async () => {
    stacks.set(4, [0x7f0000000001n]);
    step(VlKind.STACK, 201, NONE, 4);
    assert.deepEqual(await finish(), ['4.0 user [anon]+0x1']);
  });

  it('counts what was asked for that could not be taken', async () => {
    step(VlKind.STACK, 101, NONE, 0xffff_ffef); // -EEXIST: another stack has the slot
    step(VlKind.STACK, 101, 77, NONE); // an id the map does not know
    assert.deepEqual(await finish(), []);
    assert.deepEqual(rows.failed, { kernel: 2, user: 2 });
  });

  it('asks for no stacks of a kind nobody wanted', async () => {
    const reader = new StackReader(map, new Symbols(proc));
    rows = new StackRows(reader, strings, { kernel: true, user: false });
    step(VlKind.STACK, 101, NONE, NONE);
    await finish();
    assert.deepEqual(rows.failed, { kernel: 1, user: 0 });
  });

  it('leaves our own program and its trampoline out of the fault', async () => {
    stacks.set(5, [0xffffffffc0002010n, 0xffffffffc0001010n, 0xffffffff81001020n]);
    stacks.set(6, [0xffffffffc0002010n]);
    step(VlKind.STACK, 101, 5, NONE);
    step(VlKind.STACK, 101, 6, NONE);
    assert.deepEqual((await finish()).toSorted(), [
      '5.0 kernel handle_mm_fault+0x20',
      '6.0 kernel bpf_prog_aa_x_handle_mm_fault+0x10 [bpf]',
    ]);
  });

  it('never splits a stack between batches', async () => {
    stacks.set(5, [0xffffffff81000010n, 0xffffffff81001020n]);
    stacks.set(6, [0xffffffff81000011n, 0xffffffff81001021n]);
    step(VlKind.STACK, 101, 5, NONE);
    step(VlKind.STACK, 101, 6, NONE);
    user = createBatch(3, strings);
    rows.note(kernel);
    rows.emit(user, 1);
    await rows.settle(patience(1000));
    assert.equal(rows.emit(user, 1), 2);
    assert.equal(rows.pending, 1);
    clearBatch(user);
    assert.equal(rows.emit(user, 2), 2);
    assert.equal(rows.pending, 0);
  });

  it('waits for the names of the kernel however long they take, and not for those of a process', async (t) => {
    stacks.set(5, [0xffffffff81000010n]);
    stacks.set(4, [0x7f0000000001n]);
    step(VlKind.STACK, 101, 5, NONE);
    rows.note(kernel);
    const late = performance.now() + 60_000;
    t.mock.method(performance, 'now', () => late);
    assert.equal(rows.emit(user, 1), 0);
    assert.equal(rows.pending, 1);
    await rows.settle(patience(5000));
    rows.emit(user, 2);
    assert.deepEqual(frames(), ['5.0 kernel do_swap_page+0x10']);
  });

  it('takes what is known when no other call comes', () => {
    stacks.set(5, [0xffffffff81000010n]);
    step(VlKind.STACK, 101, 5, NONE);
    rows.note(kernel);
    assert.equal(rows.emit(user, 1, true), 1);
    assert.deepEqual(frames(), ['5.0 kernel 0xffffffff81000010']);
  });
});

describe('TextPool', () => {
  it('keeps a text once and calls all beyond its bound the same', () => {
    const strings = ['', 'comm'];
    const pool = new TextPool(strings, 2);
    assert.deepEqual(
      ['a', 'b', 'a', ''].map((text) => pool.id(text)),
      [2, 3, 2, 0],
    );
    strings.push('another task');
    assert.deepEqual([pool.id('c'), pool.id('d'), pool.id('b')], [5, 5, 3]);
    assert.deepEqual(strings, ['', 'comm', 'a', 'b', 'another task', '(other)']);
  });
});
