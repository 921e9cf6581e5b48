// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import { clearBatch, createBatch, type EventBatch } from '../../src/core/events/batch.js';
import { UserKind } from '../../src/core/events/user-rows.js';
import { parseSwaps, type SwapArea, SwapDeviceReader } from '../../src/live/names/swap-devices.js';

const HEADING = 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n';
const SYNCHRONOUS_IO = 1 << 12;

/** `struct swap_device`, as seen. */
function device(disk: string, flags: number, synchronous: number, seen = 1n): Uint8Array {
  const value = Buffer.alloc(48);
  value.write(disk, 0);
  value.writeUInt32LE(flags, 32);
  value.writeUInt32LE(synchronous, 36);
  value.writeBigUInt64LE(seen, 40);
  return value;
}

describe('SwapDeviceReader', () => {
  const dir = mkdtempSync(join(tmpdir(), 'swaps-test-'));
  after(() => rmSync(dir, { recursive: true }));
  const swaps = join(dir, 'swaps');
  const on: Record<string, string> = {
    '/dev/zram0': 'zram0',
    '/dev/vda2': 'vda',
    '/swapfile': 'vda',
    '/dev/zram1': 'zram1',
  };
  const diskOf = ({ path }: SwapArea): string | null => on[path] ?? null;

  const devices = { set: (type: number, value: Uint8Array): void => values.set(value, 48 * type) };
  let values: Uint8Array<ArrayBuffer>;
  let strings: string[];
  let reader: SwapDeviceReader;
  let batch: EventBatch;
  beforeEach(() => {
    values = new Uint8Array(32 * 48);
    strings = [''];
    reader = new SwapDeviceReader(values.buffer, strings, { swaps, diskOf });
    batch = createBatch(32, strings);
  });
  const list = (...lines: readonly string[]): void =>
    writeFileSync(swaps, HEADING + lines.map((one) => `${one}\n`).join(''));
  const rows = (): unknown[] => {
    clearBatch(batch);
    reader.emit(batch, 3);
    return Array.from({ length: batch.length }, (_, i) => {
      assert.equal(batch.kind[i], UserKind.SwapDevice);
      return [batch.a[i], strings[batch.comm[i] ?? 0], batch.b[i], batch.value[i]];
    });
  };

  it('sends nothing before a fault came to a device', () => {
    list('/dev/zram0 partition 1048572 0 100');
    assert.deepEqual(rows(), []);
  });

  it('sends a device once, and again when it changed', () => {
    list('/dev/zram0 partition 1048572 0 100', '/dev/vda2 partition 1048572 0 -2');
    devices.set(0, device('zram0', SYNCHRONOUS_IO | 3, 1));
    assert.deepEqual(rows(), [[0, 'zram0', SYNCHRONOUS_IO | 3, 1]]);
    devices.set(0, device('zram0', SYNCHRONOUS_IO | 3, 1, 2n));
    assert.deepEqual(rows(), []);
    devices.set(1, device('vda', 3, 2));
    assert.deepEqual(rows(), [[1, 'vda2', 3, 0]]);
    devices.set(1, device('vda', 5, 2));
    assert.deepEqual(rows(), [[1, 'vda2', 5, 0]]);
  });

  it('tells areas of one disk apart by their order once all were seen, and not before', () => {
    list('/dev/vda2 partition 1 0 -2', '/dev/zram0 partition 1 0 100', '/swapfile file 1 0 -3');
    devices.set(4, device('vda', 3, 2));
    assert.deepEqual(rows(), [[4, 'vda', 3, 0]]);
    devices.set(0, device('vda', 3, 2));
    assert.deepEqual(rows(), [
      [0, 'vda2', 3, 0],
      [4, '/swapfile', 3, 0],
    ]);
  });

  it('keeps the name of the disk when the area is unknown or /proc/swaps cannot be read', () => {
    list();
    devices.set(0, device('nvme0n1', 3, 2));
    assert.deepEqual(rows(), [[0, 'nvme0n1', 3, 0]]);
    rmSync(swaps);
    devices.set(1, device('zram1', 3, 1));
    assert.deepEqual(rows(), [[1, 'zram1', 3, 1]]);
  });

  it('believes the queue over the flag, and the flag where the queue was not asked', () => {
    list();
    devices.set(0, device('one', SYNCHRONOUS_IO, 2));
    devices.set(1, device('two', SYNCHRONOUS_IO, 0));
    devices.set(2, device('three', 0, 0));
    assert.deepEqual(
      rows().map((row) => (row as number[])[3]),
      [0, 1, 0],
    );
  });
});

describe('parseSwaps', () => {
  it('reads names with blanks as the kernel writes them', () => {
    assert.deepEqual(parseSwaps(`${HEADING}/var/my\\040swap                      file\t\t8\t\t0\t\t-2\n`), [
      { path: '/var/my swap', file: true },
    ]);
    assert.deepEqual(parseSwaps(HEADING), []);
  });
});
