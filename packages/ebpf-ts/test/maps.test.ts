// SPDX-License-Identifier: MIT
/** Maps of the running kernel, where it lets them be made: right answers for right calls. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BpfMap } from '../src/map.js';
import { MapType } from '../src/map-types.js';
import { RingBuffer } from '../src/ring.js';
import { possibleCpus } from '../src/system.js';
import { noMaps } from './no-maps.js';

const u32 = (n: number): Uint8Array => new Uint8Array(Uint32Array.of(n).buffer);

describe('maps', { skip: noMaps }, () => {
  it('a per-CPU value is as long as the kernel writes it', () => {
    using map = BpfMap.create({ type: MapType.PercpuArray, keySize: 4, valueSize: 12, maxEntries: 2 });
    assert.equal(map.copiedSize, 16 * possibleCpus());
    const all = new Uint8Array(map.copiedSize).map((_, i) => (i % 16 < 12 ? i + 1 : 0));
    map.set(1, all);
    assert.deepEqual(map.get(1), all);
    const per = map.getPerCpu(1) ?? [];
    assert.equal(per.length, possibleCpus());
    per.forEach((value, cpu) => {
      assert.deepEqual(value, all.subarray(16 * cpu, 16 * cpu + 12));
    });
  });

  it('sets, gets, deletes, lists, takes', () => {
    using map = BpfMap.create({ type: MapType.Hash, keySize: 4, valueSize: 8, maxEntries: 100, name: 'some' });
    assert.equal(map.name, 'some');
    const value = (n: number): Uint8Array => new Uint8Array(BigUint64Array.of(BigInt(n)).buffer);
    map.setAll(Array.from({ length: 50 }, (_, i) => [i, value(i * i)] as const));
    assert.equal(map.get(7)?.[0], 49);
    assert.equal(map.get(u32(7))?.[0], 49);
    assert.equal(map.get(99), undefined);
    assert.throws(() => map.set(7, value(1), 'create'), { code: 'EEXIST' });
    assert.throws(() => map.set(99, value(1), 'replace'), { code: 'ENOENT' });
    assert.deepEqual(
      [...map.keys()].map((key) => key[0] ?? -1).sort((a, b) => a - b),
      [...Array(50).keys()],
    );
    const seen = [...map.batches({ size: 8 })].map(([key, v]) => `${key[0]}:${(v[0] ?? 0) + 256 * (v[1] ?? 0)}`);
    assert.deepEqual(new Set(seen), new Set(Array.from({ length: 50 }, (_, i) => `${i}:${i * i}`)));
    assert.equal(map.take(7)?.[0], 49);
    assert.equal(map.take(7), undefined);
    assert.equal(map.delete(8), true);
    assert.equal(map.delete(8), false);
    // What is not there is passed over, whatever stands behind it.
    map.deleteAll([8, 9, 77, 10, 8, u32(11)]);
    assert.deepEqual(
      [8, 9, 10, 11].map((key) => map.get(key)),
      [undefined, undefined, undefined, undefined],
    );
    map.deleteAll([]);
    assert.throws(() => map.deleteAll([12, new Uint8Array(3)]), { code: 'ERR_BPF_SIZE' });
    assert.equal([...map.batches({ size: 64, take: true })].length, 45);
    assert.equal([...map].length, 0);
  });

  it('a key given away by keys() may be written to', () => {
    using map = BpfMap.create({ type: MapType.Array, keySize: 4, valueSize: 4, maxEntries: 5 });
    let n = 0;
    for (const key of map.keys()) {
      key.fill(0xff);
      n++;
    }
    assert.equal(n, 5);
  });

  it('queues and stacks', () => {
    using queue = BpfMap.create({ type: MapType.Queue, keySize: 0, valueSize: 4, maxEntries: 2 });
    using stack = BpfMap.create({ type: MapType.Stack, keySize: 0, valueSize: 4, maxEntries: 2 });
    for (const map of [queue, stack]) {
      map.push(u32(1));
      map.push(u32(2));
      assert.throws(() => map.push(u32(3)), { code: 'E2BIG' });
      map.push(u32(3), { overwrite: true });
    }
    assert.deepEqual(queue.peek(), u32(2));
    assert.deepEqual([queue.pop(), queue.pop(), queue.pop()], [u32(2), u32(3), undefined]);
    assert.deepEqual(stack.pop(), u32(3));
    assert.throws(() => queue.get(new Uint8Array(0)), { code: 'ERR_BPF_TYPE' });
  });

  it('longest prefixes', () => {
    using map = BpfMap.create({ type: MapType.LpmTrie, keySize: 8, valueSize: 4, maxEntries: 9, flags: 1 });
    const prefix = (bits: number, ...ip: number[]): Uint8Array => Uint8Array.of(bits, 0, 0, 0, ...ip);
    map.set(prefix(8, 10, 0, 0, 0), u32(1));
    map.set(prefix(24, 10, 1, 2, 0), u32(2));
    assert.deepEqual(map.get(prefix(32, 10, 1, 2, 3)), u32(2));
    assert.deepEqual(map.get(prefix(32, 10, 9, 9, 9)), u32(1));
    assert.equal(map.get(prefix(32, 11, 0, 0, 0)), undefined);
  });

  it('maps of maps', () => {
    const inner = (): BpfMap => BpfMap.create({ type: MapType.Array, keySize: 4, valueSize: 4, maxEntries: 1 });
    using like = inner();
    using outer = BpfMap.create({ type: MapType.HashOfMaps, keySize: 4, valueSize: 4, maxEntries: 4, inner: like });
    using first = inner();
    first.set(0, u32(77));
    outer.setMap(5, first);
    using again = outer.getMap(5);
    assert.deepEqual(again?.get(0), u32(77));
    assert.equal(outer.getMap(6), undefined);
    assert.throws(() => like.getMap(0), { code: 'ERR_BPF_TYPE' });
  });

  it('memory shared with an array outlives every close', () => {
    const map = BpfMap.create({ type: MapType.Array, keySize: 4, valueSize: 4, maxEntries: 1024, flags: 1024 });
    const pages = map.mmapArray({ writable: true });
    const values = new Uint32Array(pages.view);
    values[2 * 3] = 42;
    assert.deepEqual(map.get(3), u32(42));
    map.close();
    assert.equal(values[6], 42);
    pages.close();
    pages.close();
    assert.equal(values[6], 0);
    values[6] = 1;
  });

  it('a frozen map is written by nobody', () => {
    using map = BpfMap.create({ type: MapType.Array, keySize: 4, valueSize: 4, maxEntries: 1 });
    map.freeze();
    assert.throws(() => map.set(0, u32(1)), { code: 'EPERM' });
  });

  it('everything of a closed map throws', () => {
    const map = BpfMap.create({ type: MapType.Hash, keySize: 4, valueSize: 4, maxEntries: 1 });
    map.set(1, u32(1));
    const keys = map.keys();
    map.close();
    map.close();
    const calls: readonly (() => unknown)[] = [
      () => map.get(1),
      () => map.set(1, u32(1)),
      () => map.delete(1),
      () => map.take(1),
      () => map.fd,
      () => map.info,
      () => keys.next(),
      () => [...map],
      () => [...map.batches()],
      () => map.setAll([]),
      () => map.freeze(),
      () => map.pin('/sys/fs/bpf/x'),
      () => map.mmapArray({ writable: false }),
      () => map.push(u32(1)),
      () => map.pop(),
      () => RingBuffer.open(map),
    ];
    for (const call of calls) assert.throws(call, { code: 'ERR_BPF_CLOSED' }, String(call));
  });

  it('only a ring buffer is opened as one', () => {
    using map = BpfMap.create({ type: MapType.Array, keySize: 4, valueSize: 4, maxEntries: 4096 });
    assert.throws(() => RingBuffer.open(map), { code: 'ERR_BPF_TYPE' });
    using ring = BpfMap.create({ type: MapType.Ringbuf, keySize: 0, valueSize: 0, maxEntries: 65536 });
    assert.throws(() => ring.get(0), { code: 'ERR_BPF_TYPE' });
    using open = RingBuffer.open(ring);
    assert.equal(open.used(), 0);
    assert.equal(open.sizeBytes, 65536);
    ring.close();
    open.close();
    assert.equal(
      open.drain(() => assert.fail()),
      0,
    );
  });
});
