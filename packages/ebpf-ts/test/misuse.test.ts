// SPDX-License-Identifier: MIT
/** Whatever is passed to whatever is public: an answer or a `BpfError`, no other error, no crash, no byte outside a buffer. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as api from '../src/index.js';
import { membersOf } from './misuse.js';

const RUN = fileURLToPath(new URL('misuse-run.js', import.meta.url));

describe('misuse', () => {
  for (const seed of [1, Math.floor(Math.random() * 2 ** 31), Math.floor(Math.random() * 2 ** 31)])
    it(`of everything, in any order, before and after close: seed ${seed}`, () => {
      const run = spawnSync(process.execPath, [RUN, String(seed), '8'], { encoding: 'utf8', maxBuffer: 2 ** 26 });
      assert.deepEqual([run.signal, run.status], [null, 0], run.stderr.slice(-2000));
      const { answered, refused, offences, called } = JSON.parse(run.stdout) as Record<string, number> & {
        offences: string[];
        called: string[];
      };
      assert.deepEqual(offences, []);
      assert.ok(Number(answered) > 1000 && Number(refused) > 1000, `${answered} answered, ${refused} refused`);
      const names = new Set(called.map((name) => name.slice(name.lastIndexOf('.') + 1)));
      const needed = [api.BpfObject, api.BpfProgram, api.BpfMap, api.TypedMap, api.RingBuffer, api.Btf].flatMap(
        (made) => membersOf(made.prototype).map(String),
      );
      assert.ok(needed.length > 80);
      // Loading is for guests: test/kernel.ts.
      assert.deepEqual(
        needed.filter((name) => !names.has(name) && !['load', 'pin'].includes(name) && !name.startsWith('Symbol')),
        [],
      );
    });

  it('nobody else makes a handle of an address that C would follow', () => {
    const made = [api.BpfObject, api.BpfProgram, api.BpfLink, api.BpfMap, api.UserRing, api.PerfBuffer, api.RingBuffer];
    for (const one of made)
      for (const args of [[], [1n, 'x', {}], [Symbol('ebpf-ts'), 1n, {}]])
        assert.throws(() => Reflect.construct(one as never, args), { code: 'ERR_BPF_TYPE' }, one.name);
  });

  it("sizes that are put in the place of a map's own are not believed", { skip: refusal() }, () => {
    const { BpfMap, MapType, RingBuffer, UserRing, PerfBuffer } = api;
    using map = BpfMap.create({ type: MapType.Hash, keySize: 4, valueSize: 512, maxEntries: 4 });
    map.set(1, new Uint8Array(512).fill(7));
    for (const key of ['copiedSize', 'keySize', 'valueSize']) Object.defineProperty(map, key, { value: 1 });
    Object.defineProperty(map, 'info', { value: { type: MapType.Hash, keySize: 1, valueSize: 1, maxEntries: 1 } });
    assert.equal(map.get(1)?.length, 512);
    assert.equal([...map.batches()][0]?.[1].length, 512);
    assert.throws(() => map.set(1, new Uint8Array(1)), { code: 'ERR_BPF_SIZE' });
    const fake = (type: number) => ({ name: 'x', type, fd: 0, maxEntries: 4096, info: { type, maxEntries: 4096 } });
    for (const open of [
      () => RingBuffer.open(fake(MapType.Ringbuf) as never),
      () => UserRing.open(fake(MapType.UserRingbuf) as never),
      () => PerfBuffer.open(fake(MapType.PerfEventArray) as never),
      () => api.readStorage(fake(MapType.TaskStorage) as never, { pid: 1 }),
    ])
      assert.throws(open, { code: 'ERR_BPF_TYPE' }, String(open));
  });

  it('only what lies in a bpf file system is unpinned', () => {
    assert.throws(() => api.BpfMap.unpin(RUN), { code: 'ERR_BPF_TYPE' });
    assert.throws(() => api.BpfMap.unpin('/nowhere/at/all'), { code: 'ENOENT' });
  });
});

function refusal(): string | false {
  try {
    api.BpfMap.create({ type: api.MapType.Array, keySize: 4, valueSize: 4, maxEntries: 1 }).close();
    return false;
  } catch (error) {
    return `no map can be made here: ${String(error)}`;
  }
}
