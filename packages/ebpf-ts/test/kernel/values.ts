// SPDX-License-Identifier: MIT
/** Values by the types of the object, maps of kinds that need a kernel with privileges. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { BpfObject, deleteStorage, readStorage, writeStorage } from '../../src/index.js';
import { file, loadedKinds } from './support.js';

describe('values', () => {
  let object: BpfObject;
  before(() => {
    object = loadedKinds();
  });
  after(() => object.close());

  it('globals, structs, bitfields and unions are what the C says', () => {
    assert.deepEqual(object.global('origin').get(), {
      x: 7,
      y: Int16Array.of(1, -2),
      name: 'origin',
      low: 5,
      high: 100,
      whole: 0x01020304,
      part: Uint8Array.of(4, 3, 2, 1),
    });
    assert.equal(object.global('knob').get(), -7);
    assert.throws(() => object.global('knob').set(1), { code: 'ERR_BPF_STATE' });
    const moved = object.global('moved');
    moved.set({ x: -5, y: [3, 4], name: 'gone', low: 7, high: 1, part: [9, 0, 0, 1] });
    assert.deepEqual(
      [moved.get().x, moved.get().whole, moved.get().name, moved.get().low, moved.get().high],
      [-5, 0x01000009, 'gone', 7, 1],
    );
    assert.throws(() => moved.set(moved.get()), { code: 'ERR_BPF_TYPE' }); // a union by two members
    assert.throws(() => moved.set({ x: 2 ** 31, y: [3, 4], name: 'gone', low: 7, high: 1, whole: 0 }), {
      code: 'ERR_BPF_RANGE',
    });
    assert.throws(() => moved.set({ x: 1, y: [3, 4], name: 'too long', low: 7, high: 1, whole: 0 }), {
      code: 'ERR_BPF_SIZE',
    });
    assert.throws(() => moved.set({ x: 1, y: [3, 4], name: '', low: 8, high: 1, whole: 0 }), { code: 'ERR_BPF_RANGE' });
    assert.equal(moved.get().x, -5);
    const points = object.typed('points');
    const point = { x: 1, y: [1, 2], name: 'p', low: 1, high: 2, whole: 5 };
    points.set(point, { ...point, x: 99 });
    assert.equal(points.get(point)?.x, 99);
    assert.equal(points.get({ ...point, low: 2 }), undefined);
    assert.deepEqual(
      [...points].map(([key, value]) => [key.name, value.x]),
      [['p', 99]],
    );
  });

  it('a queue of structs', () => {
    using stores = BpfObject.open(file('stores.bpf.o'));
    stores.load();
    const jobs = stores.typed('jobs');
    for (let id = 1; id <= 4; id++) jobs.push({ id, name: `job ${id}` });
    assert.throws(() => jobs.push({ id: 5, name: '' }), { code: 'E2BIG' });
    jobs.push({ id: 5, name: 'late' }, { overwrite: true });
    assert.deepEqual(jobs.peek(), { id: 2, name: 'job 2' });
    assert.deepEqual(
      [jobs.pop(), jobs.pop(), jobs.pop(), jobs.pop(), jobs.pop()].map((job) => job?.id),
      [2, 3, 4, 5, undefined],
    );
    assert.throws(() => jobs.push({ id: -1, name: '' }), { code: 'ERR_BPF_RANGE' });
    assert.throws(() => jobs.get(0 as never), { code: 'ERR_BPF_TYPE' });
  });

  it('iterates over a map', () => {
    const numbers = object.typed('numbers');
    for (let i = 0; i < 10; i++) numbers.set(i, BigInt(i * i));
    using link = object.program('on_elem').attachIter({ map: object.map('numbers') });
    const lines = link.text().trim().split('\n');
    assert.deepEqual(new Set(lines), new Set(Array.from({ length: 10 }, (_, i) => `${i}=${i * i}`)));
    assert.equal(link.text().length, link.text().length);
  });

  it('storage of a task', () => {
    const map = object.map('of_task');
    const value = new Uint8Array(BigUint64Array.of(123n).buffer);
    assert.equal(readStorage(map, { pid: process.pid }), undefined);
    writeStorage(map, { pid: process.pid }, value);
    assert.deepEqual(readStorage(map, { pid: process.pid }), value);
    assert.equal(deleteStorage(map, { pid: process.pid }), true);
    assert.throws(() => readStorage(map, { path: '/' }), { code: 'ERR_BPF_TYPE' });
  });

  it('storage of inodes and cgroups', () => {
    using stores = BpfObject.open(file('stores.bpf.o'));
    stores.load();
    const owners = [
      ['of_inode', '/etc/passwd', '/etc/group'],
      ['of_cgroup', '/sys/fs/cgroup', null],
    ] as const;
    for (const [name, path, other] of owners) {
      const map = stores.map(name);
      const value = new Uint8Array(BigUint64Array.of(77n).buffer);
      assert.equal(readStorage(map, { path }), undefined, name);
      writeStorage(map, { path }, value);
      assert.deepEqual(readStorage(map, { path }), value, name);
      if (other !== null) assert.equal(readStorage(map, { path: other }), undefined, name);
      assert.equal(deleteStorage(map, { path }), true);
      assert.equal(deleteStorage(map, { path }), false);
      assert.throws(() => readStorage(map, { pid: 1 }), { code: 'ERR_BPF_TYPE' });
      assert.throws(() => writeStorage(map, { path }, new Uint8Array(7)), { code: 'ERR_BPF_SIZE' });
    }
    assert.throws(() => readStorage(stores.map('of_inode'), { path: '/nowhere' }), { code: 'ENOENT' });
  });
});
