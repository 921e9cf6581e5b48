// SPDX-License-Identifier: MIT
/** Maps of the running kernel, where it lets them be made: no memory is touched that was not lent. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { BpfError } from '../src/errors.js';
import { BpfMap } from '../src/map.js';
import { MapType } from '../src/map-types.js';
import { Guarded } from './guarded.js';
import { noMaps } from './no-maps.js';

const KINDS: readonly (readonly [MapType, number])[] = [
  [MapType.Hash, 0],
  [MapType.Array, 0],
  [MapType.LruHash, 0],
  [MapType.PercpuHash, 0],
  [MapType.PercpuArray, 0],
  [MapType.LruPercpuHash, 0],
  [MapType.Queue, 0],
  [MapType.Stack, 0],
];

describe('no memory is touched that was not lent', { skip: noMaps }, () => {
  const guarded = noMaps === false ? new Guarded() : null;
  const size = fc.integer({ min: 1, max: 300 });

  it('right calls, whatever the sizes, with every buffer before a guard page', () => {
    fc.assert(
      fc.property(fc.constantFrom(...KINDS), size, size, fc.integer({ min: 1, max: 5 }), ([type, flags], k, v, n) => {
        const keySize = type === MapType.Queue || type === MapType.Stack ? 0 : type === 2 || type === 6 ? 4 : k;
        guarded?.during(() => {
          using map = BpfMap.create({ type, keySize, valueSize: v, maxEntries: n, flags });
          const value = guarded.take(map.copiedSize).fill(0x5a);
          if (keySize === 0) {
            map.push(value);
            assert.equal(map.peek()?.length, map.copiedSize);
            assert.deepEqual(map.pop()?.subarray(0, v), value.subarray(0, v));
          } else {
            const key = guarded.take(keySize);
            map.set(key, value);
            assert.deepEqual(map.get(key)?.subarray(0, v), value.subarray(0, v));
            for (const [, got] of map) assert.equal(got.length, map.copiedSize);
            for (const [, got] of map.batches({ size: n })) assert.equal(got.length, map.copiedSize);
            map.setAll([[key, value]]);
            if (type === MapType.Hash || type === MapType.LruHash) map.deleteAll([key, guarded.take(keySize).fill(9)]);
          }
        });
        assert.ok(guarded?.intact());
      }),
      { numRuns: 300 },
    );
  });

  it('wrong calls are refused before the kernel sees them', () => {
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 600 }),
      fc.integer(),
      fc.double(),
      fc.bigInt(),
      fc.constantFrom(null, undefined, '', 'key', {}, [], true, new Uint16Array(4), new DataView(new ArrayBuffer(8))),
      fc.uint8Array({ maxLength: 16 }).map((bytes) => bytes.buffer),
    );
    fc.assert(
      fc.property(fc.constantFrom(...KINDS), anything, anything, ([type, flags], key, value) => {
        const keySize = type === MapType.Queue || type === MapType.Stack ? 0 : 4;
        using map = BpfMap.create({ type, keySize, valueSize: 12, maxEntries: 4, flags });
        const calls: readonly ((k: never, v: never) => unknown)[] = [
          (k, v) => map.set(k, v),
          (k) => map.get(k),
          (k) => map.delete(k),
          (k) => map.take(k),
          (_, v) => map.push(v),
          (k, v) => map.setAll([[k, v]]),
          (k) => map.deleteAll([k]),
          (k) => map.batches({ size: k }).next(),
          () => map.pop(),
        ];
        for (const call of calls) {
          try {
            guarded?.during(() => call(key as never, value as never));
          } catch (error) {
            assert.ok(error instanceof BpfError, `${call}: ${error}`);
          }
        }
        assert.ok(guarded?.intact());
      }),
      { numRuns: 300 },
    );
  });

  it('a length that a subclass invents is not believed', () => {
    class Longer extends Uint8Array {
      override get byteLength(): number {
        return 4;
      }
    }
    using map = BpfMap.create({ type: MapType.Hash, keySize: 4, valueSize: 4, maxEntries: 1 });
    assert.throws(() => map.get(new Longer(1)), { code: 'ERR_BPF_SIZE' });
  });

  it('the guard pages guard', () => {
    const script = `const { Guarded } = await import('${import.meta.resolve('./guarded.js')}');
      const { libc, viewOf, addressOf } = await import('${import.meta.resolve('../src/ffi.js')}');
      const end = new Guarded().take(8);
      process.stdout.write('before');
      new Uint8Array(viewOf(addressOf(end), 9))[8] = 1;
      process.stdout.write('after');`;
    const run = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    assert.deepEqual([run.stdout, run.signal], ['before', 'SIGSEGV']);
  });
});
