// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { clearBatch, createBatch, type EventBatch } from '../../src/core/events/batch.js';
import { UserKind } from '../../src/core/events/user-rows.js';
import { HandlerRows } from '../../src/live/names/handlers.js';
import { VlKind } from '../../src/schema/events.gen.js';
import { Symbols } from '../../src/symbols/symbols.js';
import { patience } from '../pace.js';

describe('HandlerRows', () => {
  const proc = mkdtempSync(join(tmpdir(), 'handlers-test-'));
  after(() => rmSync(proc, { recursive: true }));
  const strings = [''];
  const kernel = createBatch(8, strings);
  const user = createBatch(2, strings);
  const pointers = (...addresses: readonly bigint[]): EventBatch => {
    clearBatch(kernel);
    for (const address of addresses) {
      const i = kernel.length++;
      kernel.kind[i] = VlKind.VMA_OPS;
      kernel.a[i] = Number(address >> 32n);
      kernel.b[i] = Number(address & 0xffff_ffffn);
    }
    return kernel;
  };
  const rows = (handlers: HandlerRows): unknown[] => {
    clearBatch(user);
    handlers.emit(user, 4);
    return Array.from({ length: user.length }, (_, i) => {
      assert.equal(user.kind[i], UserKind.Handler);
      return [user.a[i], user.b[i], strings[user.comm[i] ?? 0]];
    });
  };

  it('names each function once, when kallsyms has been read and as far as there is room', async () => {
    writeFileSync(
      join(proc, 'kallsyms'),
      'ffffffff81000000 t ext4_filemap_fault\nffffffff81000100 t vm_fault_b\nffffffffc0000000 t gem_fault\t[drm]\n',
    );
    const symbols = new Symbols(proc);
    const handlers = new HandlerRows(symbols, strings);
    handlers.note(pointers(0xffffffff81000000n, 0xffffffffc0000000n, 0xffffffff81000000n, 0xffffffff81000100n));
    assert.deepEqual(rows(handlers), []);
    await symbols.settle(patience(5000));
    assert.deepEqual(rows(handlers), [
      [0xffffffff, 0x81000000, 'ext4_filemap_fault'],
      [0xffffffff, 0xc0000000, 'gem_fault [drm]'],
    ]);
    assert.deepEqual(rows(handlers), [[0xffffffff, 0x81000100, 'vm_fault_b']]);
    handlers.note(pointers(0xffffffff81000100n));
    assert.deepEqual(rows(handlers), []);
  });

  it('waits for nothing where names are hidden, and the reason is at hand', async () => {
    writeFileSync(join(proc, 'kallsyms'), '0000000000000000 t ext4_filemap_fault\n');
    const symbols = new Symbols(proc);
    const handlers = new HandlerRows(symbols, strings);
    handlers.note(pointers(0xffffffff81000000n));
    rows(handlers);
    await symbols.settle(patience(5000));
    assert.deepEqual(rows(handlers), []);
    assert.match(symbols.kernelWhy, /kptr_restrict/);
  });
});
