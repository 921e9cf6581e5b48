// SPDX-License-Identifier: MIT
/** A map whose keys and values are read and written by its object's BTF; and records of a ring, read the same way. */

import { callable, integer, listOf, type OWN, onlyOurs, optionsOf, plainBytes } from './arguments.js';
import type { Codec } from './codec-scalar.js';
import { misuse } from './errors.js';
import type { BpfMap } from './map.js';
import { perCpuStride } from './map-types.js';
import { bytes } from './memory.js';

function sizeOf(codec: Codec<unknown>, what: string): number {
  const { size, decode, encode } = optionsOf(codec, `${what}: codec`);
  callable(decode, what);
  callable(encode, what);
  return integer(size, 0, 2 ** 32, `${what}: size`);
}

/** One value from bytes; throws `BpfError` when there are fewer than the type has. */
export function decodeWith<T>(codec: Codec<T>, memory: Uint8Array): T {
  const what = 'read a value';
  const { buffer, byteOffset, byteLength } = plainBytes(memory, what);
  const size = sizeOf(codec, what);
  if (byteLength < size) throw misuse('ERR_BPF_SIZE', what, `it has ${size} bytes and ${byteLength} are given`);
  return codec.decode(new DataView(buffer, byteOffset, byteLength), 0);
}

/** The bytes of one value. Throws `BpfError` when it does not fit its type. */
export function encodeWith<T>(codec: Codec<T>, value: T, path: string): Uint8Array {
  const memory = bytes(sizeOf(codec, 'write a value'));
  codec.encode(value, new DataView(memory.buffer, memory.byteOffset, memory.byteLength), 0, path);
  return memory;
}

/** For a per-CPU map a value is read and written for all possible CPUs: `getAll`, `setAll`. */
export class TypedMap<K, V> {
  readonly map: BpfMap;
  readonly #key: Codec<K>;
  readonly #value: Codec<V>;

  /** @internal */
  constructor(own: typeof OWN, map: BpfMap, key: Codec<K>, value: Codec<V>) {
    onlyOurs(own, 'TypedMap', 'use object.typed()');
    this.map = map;
    this.#key = key;
    this.#value = value;
  }

  #keyBytes(key: K): Uint8Array {
    return encodeWith(this.#key, key, `key of ${this.map.name}`);
  }

  /** Undefined when there is none; of a per-CPU map, CPU 0's. Throws `BpfError`. */
  get(key: K): V | undefined {
    const found = this.map.get(this.#keyBytes(key));
    return found && decodeWith(this.#value, found);
  }

  /** Every possible CPU's value. Throws `BpfError`; also when the map is no per-CPU map. */
  getAll(key: K): V[] | undefined {
    return this.map.getPerCpu(this.#keyBytes(key))?.map((memory) => decodeWith(this.#value, memory));
  }

  /** Throws `BpfError`. */
  set(key: K, value: V, mode: 'any' | 'create' | 'replace' = 'any'): void {
    this.map.set(this.#keyBytes(key), encodeWith(this.#value, value, `value of ${this.map.name}`), mode);
  }

  /** Of a per-CPU map: one value per possible CPU. Throws `BpfError`. */
  setAll(key: K, values: readonly V[]): void {
    const given = listOf(values, `write map ${this.map.name}: values`);
    const stride = perCpuStride(this.#value.size);
    const all = new Uint8Array(stride * given.length);
    given.forEach((value, cpu) => {
      all.set(encodeWith(this.#value, value, `value of ${this.map.name} on CPU ${cpu}`), cpu * stride);
    });
    this.map.set(this.#keyBytes(key), all);
  }

  /** Whether there was one. Throws `BpfError`. */
  delete(key: K): boolean {
    return this.map.delete(this.#keyBytes(key));
  }

  /** Of a queue or stack: adds a value. With `overwrite` a full one loses its oldest. Throws `BpfError`. */
  push(value: V, options: { readonly overwrite?: boolean } = {}): void {
    this.map.push(encodeWith(this.#value, value, `value of ${this.map.name}`), options);
  }
  /** Of a queue or stack: the next value, taken out; undefined when it is empty. Throws `BpfError`. */
  pop(): V | undefined {
    const found = this.map.pop();
    return found && decodeWith(this.#value, found);
  }
  /** Of a queue or stack: the next value, left in. Throws `BpfError`. */
  peek(): V | undefined {
    const found = this.map.peek();
    return found && decodeWith(this.#value, found);
  }

  /** Reads and deletes in one step; undefined when there is none. Throws `BpfError`. */
  take(key: K): V | undefined {
    const found = this.map.take(this.#keyBytes(key));
    return found && decodeWith(this.#value, found);
  }

  /** See `BpfMap.keys`. Throws `BpfError`. */
  *keys(): Generator<K> {
    for (const key of this.map.keys()) yield decodeWith(this.#key, key);
  }

  /** Keys with their values, one by one; of a per-CPU map, CPU 0's. Throws `BpfError`. */
  *entries(): Generator<[K, V]> {
    for (const [key, value] of this.map) yield [decodeWith(this.#key, key), decodeWith(this.#value, value)];
  }
  [Symbol.iterator](): Generator<[K, V]> {
    return this.entries();
  }

  /** Everything in few system calls (kernel 5.6); `take` empties the map by it. Throws `BpfError`. */
  *batches(options: { readonly size?: number; readonly take?: boolean } = {}): Generator<[K, V]> {
    for (const [key, value] of this.map.batches(options))
      yield [decodeWith(this.#key, key), decodeWith(this.#value, value)];
  }
}
