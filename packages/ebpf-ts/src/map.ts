// SPDX-License-Identifier: MIT
/** One map: elements by key, in batches, per CPU; pinned, frozen, mapped into memory. */
import { cString, exactly, integer, listOf, OWN, onlyOurs, optionsOf } from './arguments.js';
import { errnoError, misuse } from './errors.js';
import { libbpf } from './ffi.js';
import { deleteBatch, lookupBatches, writeBatch } from './map-batch.js';
import { createMap, type MapOptions } from './map-create.js';
import { deleteElement, keyed, listKeys, readElement, readHead, writeElement } from './map-elements.js';
import { type Key, keyBytes } from './map-key.js';
import { MeasuredMap, mapOf, reachBy } from './map-measured.js';
import { mapValues, pinTo, setMaxEntries, setPinPath, unpin } from './map-setup.js';
import { descriptor, type MapInfo, type MapSource, ofDescriptor } from './map-source.js';
import { isOfMaps, isPerCpu, mapTypeName, perCpuStride } from './map-types.js';
import { bytes, type Pages } from './memory.js';
import { say, shown } from './words.js';

const U32 = 2 ** 32 - 1;
/** BPF_ANY, BPF_NOEXIST, BPF_EXIST */
const WRITE = { any: 0, create: 1, replace: 2 } as const;

/**
 * Bytes in, bytes out; `TypedMap` gives values. Every argument is checked against what the kernel says of the map before
 * the kernel gets it: a key or value of another size throws, and results are as long as the kernel writes them.
 */
export class BpfMap {
  static {
    reachBy((map) => (#map in map ? map.#map : undefined));
  }
  readonly #map: MeasuredMap;

  /** @internal */
  constructor(key: typeof OWN, source: MapSource) {
    onlyOurs(key, 'BpfMap', 'use BpfMap.create(), openPinned() or object.map()');
    this.#map = new MeasuredMap(source);
  }

  /** A new map, of no object. Throws `BpfError`. */
  static create(options: MapOptions): BpfMap {
    return new BpfMap(OWN, createMap(options));
  }

  /** A map that was pinned to a bpf file system. Throws `BpfError`. */
  static openPinned(path: string): BpfMap {
    const what = say`open pinned map ${path}`;
    return new BpfMap(OWN, ofDescriptor(descriptor(libbpf().objGet(cString(path, what)), what), what));
  }

  /** A map of the running kernel by its id. Throws `BpfError`. */
  static openId(id: number): BpfMap {
    const what = say`open map ${id}`;
    return new BpfMap(OWN, ofDescriptor(descriptor(libbpf().mapById(integer(id, 1, U32, what)), what), what));
  }

  get name(): string {
    return this.#map.name;
  }
  /** Type, sizes and flags: the kernel's once the map exists. Throws `BpfError` after close. */
  get info(): MapInfo {
    return this.#map.info;
  }
  get type(): number {
    return this.info.type;
  }
  get keySize(): number {
    return this.info.keySize;
  }
  get valueSize(): number {
    return this.info.valueSize;
  }
  get maxEntries(): number {
    return this.info.maxEntries;
  }
  get perCpu(): boolean {
    return isPerCpu(this.info.type);
  }
  /**
   * Bytes of what `get` gives: those of a value, or those of all possible CPUs' values, each rounded up to 8.
   * Throws `BpfError` for a type newer than this library: what the kernel would write is not known.
   */
  get copiedSize(): number {
    return this.#map.copiedSize;
  }
  /** The descriptor, which stays the map's: never close it. Throws `BpfError` before load and after close. */
  get fd(): number {
    return this.#map.fd;
  }

  /** Before load. Throws `BpfError`; also for a section of globals, which is one element. */
  setMaxEntries(n: number): void {
    setMaxEntries(this, this.#map, n);
  }

  /** Before load: load takes the map from this path of a bpf file system, or pins it there. Throws `BpfError`. */
  setPinPath(path: string): void {
    setPinPath(this, this.#map, path);
  }

  /** The element's bytes (`copiedSize` of them), a copy; undefined when there is none. Throws `BpfError`. */
  get(key: Key): Uint8Array | undefined {
    return readElement(this.#map, 'read', libbpf().mapLookup, key);
  }

  /** One value per possible CPU, views of one copy; undefined when there is no such key. Throws `BpfError`. */
  getPerCpu(key: Key): readonly Uint8Array[] | undefined {
    if (!this.perCpu) throw misuse('ERR_BPF_TYPE', `read map ${this.name}`, 'it is no per-CPU map');
    const all = this.get(key);
    if (all === undefined) return undefined;
    const { valueSize } = this.#map.info;
    const stride = perCpuStride(valueSize);
    return Array.from({ length: all.length / stride }, (_, cpu) =>
      all.subarray(cpu * stride, cpu * stride + valueSize),
    );
  }

  /** Writes an element: whether or not there is one, only where there is none, or only over one. Throws `BpfError`. */
  set(key: Key, value: Uint8Array, mode: keyof typeof WRITE = 'any'): void {
    const flags = typeof mode === 'string' && Object.hasOwn(WRITE, mode) ? WRITE[mode] : undefined;
    if (flags === undefined) throw misuse('ERR_BPF_TYPE', `write map ${this.name}`, `no mode ${shown(mode)}`);
    if (key === null) throw misuse('ERR_BPF_TYPE', `write map ${this.name}`, 'null is no key');
    writeElement(this.#map, 'write', key, value, flags);
  }

  /** Whether there was one. Throws `BpfError`. */
  delete(key: Key): boolean {
    return deleteElement(this.#map, key);
  }

  /** Reads and deletes in one step, so that no count is lost between. Hash maps from 5.14. Throws `BpfError`. */
  take(key: Key): Uint8Array | undefined {
    return readElement(this.#map, 'take from', libbpf().mapLookupAndDelete, key);
  }

  /** Of a queue or stack: adds an element. With `overwrite` a full one loses its oldest. Throws `BpfError`. */
  push(value: Uint8Array, options: { readonly overwrite?: boolean } = {}): void {
    const { overwrite } = optionsOf(options, `push to map ${this.name}`);
    writeElement(this.#map, 'push to', null, value, overwrite ? WRITE.replace : WRITE.any);
  }

  /** Of a queue or stack: the next element, taken out; undefined when it is empty. Throws `BpfError`. */
  pop(): Uint8Array | undefined {
    return readHead(this.#map, 'pop from', libbpf().mapLookupAndDelete);
  }

  /** Of a queue or stack: the next element, left in. Throws `BpfError`. */
  peek(): Uint8Array | undefined {
    return readHead(this.#map, 'peek into', libbpf().mapLookup);
  }

  /**
   * Keys as the kernel gives them, each a new array. A key that is deleted meanwhile makes the kernel begin again, so a
   * map that changes may give a key twice. Throws `BpfError`.
   */
  keys(): Generator<Uint8Array> {
    return listKeys(this.#map);
  }

  /** Keys with their values; without those deleted meanwhile. Throws `BpfError`. */
  *entries(): Generator<[key: Uint8Array, value: Uint8Array]> {
    for (const key of this.keys()) {
      const value = this.get(key);
      if (value !== undefined) yield [key, value];
    }
  }
  [Symbol.iterator](): Generator<[key: Uint8Array, value: Uint8Array]> {
    return this.entries();
  }

  /** Everything in one pass, `size` elements to a system call; `take` empties the map by it. Kernel 5.6. Throws `BpfError`. */
  batches(options: { readonly size?: number; readonly take?: boolean } = {}): Generator<[Uint8Array, Uint8Array]> {
    const what = `read map ${this.name} in batches`;
    const { size = 1024, take = false } = optionsOf(options, what);
    integer(size, 1, 2 ** 20, what);
    const { info, copiedSize } = this.#map;
    return lookupBatches(() => keyed(this.#map, what), what, info.keySize, copiedSize, size, Boolean(take));
  }

  /** Writes many elements by one system call. Kernel 5.6. Throws `BpfError`; those before the failed one are written. */
  setAll(entries: Iterable<readonly [Key, Uint8Array]>): void {
    const what = `write map ${this.name}`;
    const {
      copiedSize,
      info: { keySize },
    } = this.#map;
    const all = listOf(entries, what).map((entry) => {
      const [key, value] = listOf(entry, `${what}: entry`) as [Key, Uint8Array];
      return [keyBytes(key, keySize, what), exactly(value, copiedSize, `${what}: value`)] as const;
    });
    writeBatch(keyed(this.#map, what), what, all, keySize, copiedSize);
  }

  /** Deletes many elements by one system call; those that were not there are passed over. Kernel 5.6. Throws `BpfError`. */
  deleteAll(keys: Iterable<Key>): void {
    const what = `delete from map ${this.name}`;
    const { keySize } = this.#map.info;
    const all = listOf(keys, what).map((key) => keyBytes(key, keySize, what));
    deleteBatch(keyed(this.#map, what), what, all, keySize);
  }

  /** Of a map of maps: puts a map in. The kernel keeps it alive; ours may be closed. Throws `BpfError`. */
  setMap(key: Key, map: BpfMap): void {
    this.#ofMaps(`write map ${this.name}`);
    const fd = bytes(4);
    new DataView(fd.buffer, fd.byteOffset).setInt32(0, mapOf(map, `write map ${this.name}`).fd, true);
    this.set(key, fd);
  }

  /** Of a map of maps: one of its maps, which the caller closes; undefined when there is none. Throws `BpfError`. */
  getMap(key: Key): BpfMap | undefined {
    this.#ofMaps(`read map ${this.name}`);
    const id = this.get(key);
    return id && BpfMap.openId(new DataView(id.buffer, id.byteOffset).getUint32(0, true));
  }

  /** No system call writes this map any more; programs still do. Throws `BpfError`. */
  freeze(): void {
    const rc = libbpf().mapFreeze(this.fd);
    if (rc < 0) throw errnoError(`freeze map ${this.name}`, -rc);
  }

  /** Keeps the map alive under a path of a bpf file system. Throws `BpfError`. */
  pin(path: string): void {
    pinTo(this.#map, path);
  }

  /** Removes a pin, of a map, program or link. Throws `BpfError`. */
  static unpin(path: string): void {
    unpin(path);
  }

  /** The values of a BPF_F_MMAPABLE array (or of .bss, .data), shared with the kernel; element i is at i × round_up(valueSize, 8). Throws `BpfError`. */
  mmapArray(options: { readonly writable: boolean }): Pages {
    return mapValues(this.#map, options);
  }

  /** Lets go of a map that was created or opened by itself; one of an object ends with its object. */
  close(): void {
    this.#map.close();
  }
  [Symbol.dispose](): void {
    this.close();
  }

  #ofMaps(what: string): void {
    if (!isOfMaps(this.type))
      throw misuse('ERR_BPF_TYPE', what, `a map of type ${mapTypeName(this.type)} holds no maps`);
  }
}
