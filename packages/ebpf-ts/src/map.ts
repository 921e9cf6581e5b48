// SPDX-License-Identifier: MIT
/** One map: elements by key, in batches, per CPU; pinned, frozen, mapped into memory. */
import { unlinkSync } from 'node:fs';
import { errnoError, misuse } from './errors.js';
import { libbpf } from './ffi.js';
import { handleOf } from './lifetime.js';
import { lookupBatches, writeBatch } from './map-batch.js';
import { createMap, type MapOptions } from './map-create.js';
import { deleteElement, keyed, listKeys, readElement, readHead, writeElement } from './map-elements.js';
import { type Key, keyBytes } from './map-key.js';
import { descriptor, type MapInfo, type MapSource, ofDescriptor } from './map-source.js';
import { copiedSize, isKnown, isOfMaps, isPerCpu, mapTypeName, perCpuStride } from './map-types.js';
import { bytes, cString, exactly, integer, mapPages, type Pages, pageSize } from './memory.js';
import { possibleCpus } from './system.js';

const U32 = 2 ** 32 - 1;
/** BPF_ANY, BPF_NOEXIST, BPF_EXIST */
const WRITE = { any: 0, create: 1, replace: 2 } as const;

/**
 * Bytes in, bytes out; `TypedMap` gives values. Every argument is checked against what the kernel says of the map before
 * the kernel gets it: a key or value of another size throws, and results are as long as the kernel writes them.
 */
export class BpfMap {
  readonly #source: MapSource;
  #measured: MapInfo | null = null;
  #copied = 0;

  /** @internal */
  constructor(source: MapSource) {
    this.#source = source;
  }

  /** A new map, of no object. Throws `BpfError`. */
  static create(options: MapOptions): BpfMap {
    return new BpfMap(createMap(options));
  }

  /** A map that was pinned to a bpf file system. Throws `BpfError`. */
  static openPinned(path: string): BpfMap {
    const what = `open pinned map ${path}`;
    return new BpfMap(ofDescriptor(descriptor(libbpf().objGet(cString(path, what)), what), what));
  }

  /** A map of the running kernel by its id. Throws `BpfError`. */
  static openId(id: number): BpfMap {
    const what = `open map ${id}`;
    return new BpfMap(ofDescriptor(descriptor(libbpf().mapById(integer(id, 1, U32, what)), what), what));
  }

  get name(): string {
    return this.#source.name;
  }
  /** Type, sizes and flags: the kernel's once the map exists. Throws `BpfError` after close. */
  get info(): MapInfo {
    return this.#source.info(`look at map ${this.name}`);
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
    const { info } = this;
    if (info !== this.#measured) {
      const { type, valueSize } = info;
      if (!isKnown(type))
        throw misuse(
          'ERR_BPF_TYPE',
          `use map ${this.name}`,
          `how much the kernel copies of ${mapTypeName(type)} is not known here`,
        );
      this.#copied = copiedSize(type, valueSize, isPerCpu(type) ? possibleCpus() : 1);
      this.#measured = info;
    }
    return this.#copied;
  }
  /** The descriptor, which stays the map's: never close it. Throws `BpfError` before load and after close. */
  get fd(): number {
    return this.#source.fd(`use the descriptor of map ${this.name}`);
  }

  /** Before load. Throws `BpfError`. */
  setMaxEntries(n: number): void {
    const what = `size map ${this.name}`;
    integer(n, 1, U32, what);
    if (this.info.id !== 0) throw misuse('ERR_BPF_STATE', what, 'the map exists already');
    const rc = libbpf().mapSetMaxEntries(handleOf(this), n);
    if (rc < 0) throw errnoError(what, -rc);
  }

  /** Before load: load takes the map from this path of a bpf file system, or pins it there. Throws `BpfError`. */
  setPinPath(path: string): void {
    const what = `pin map ${this.name}`;
    if (this.info.id !== 0) throw misuse('ERR_BPF_STATE', what, 'the map exists already: use pin()');
    const rc = libbpf().mapSetPinPath(handleOf(this), cString(path, what));
    if (rc < 0) throw errnoError(what, -rc);
  }

  /** The element's bytes (`copiedSize` of them), a copy; undefined when there is none. Throws `BpfError`. */
  get(key: Key): Uint8Array | undefined {
    return readElement(this, 'read', libbpf().mapLookup, key);
  }

  /** One value per possible CPU, views of one copy; undefined when there is no such key. Throws `BpfError`. */
  getPerCpu(key: Key): readonly Uint8Array[] | undefined {
    if (!this.perCpu) throw misuse('ERR_BPF_TYPE', `read map ${this.name}`, 'it is no per-CPU map');
    const all = this.get(key);
    if (all === undefined) return undefined;
    const { valueSize } = this;
    const stride = perCpuStride(valueSize);
    return Array.from({ length: all.length / stride }, (_, cpu) =>
      all.subarray(cpu * stride, cpu * stride + valueSize),
    );
  }

  /** Writes an element: whether or not there is one, only where there is none, or only over one. Throws `BpfError`. */
  set(key: Key, value: Uint8Array, mode: keyof typeof WRITE = 'any'): void {
    const flags = WRITE[mode];
    if (flags === undefined) throw misuse('ERR_BPF_TYPE', `write map ${this.name}`, `no mode ${String(mode)}`);
    if (key === null) throw misuse('ERR_BPF_TYPE', `write map ${this.name}`, 'null is no key');
    writeElement(this, 'write', key, value, flags);
  }

  /** Whether there was one. Throws `BpfError`. */
  delete(key: Key): boolean {
    return deleteElement(this, key);
  }

  /** Reads and deletes in one step, so that no count is lost between. Hash maps from 5.14. Throws `BpfError`. */
  take(key: Key): Uint8Array | undefined {
    return readElement(this, 'take from', libbpf().mapLookupAndDelete, key);
  }

  /** Of a queue or stack: adds an element. With `overwrite` a full one loses its oldest. Throws `BpfError`. */
  push(value: Uint8Array, options: { readonly overwrite?: boolean } = {}): void {
    writeElement(this, 'push to', null, value, options.overwrite ? WRITE.replace : WRITE.any);
  }

  /** Of a queue or stack: the next element, taken out; undefined when it is empty. Throws `BpfError`. */
  pop(): Uint8Array | undefined {
    return readHead(this, 'pop from', libbpf().mapLookupAndDelete);
  }

  /** Of a queue or stack: the next element, left in. Throws `BpfError`. */
  peek(): Uint8Array | undefined {
    return readHead(this, 'peek into', libbpf().mapLookup);
  }

  /**
   * Keys as the kernel gives them, each a new array. A key that is deleted meanwhile makes the kernel begin again, so a
   * map that changes may give a key twice. Throws `BpfError`.
   */
  keys(): Generator<Uint8Array> {
    return listKeys(this);
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
    const size = integer(options.size ?? 1024, 1, 2 ** 20, what);
    return lookupBatches(() => keyed(this, what), what, this.keySize, this.copiedSize, size, options.take ?? false);
  }

  /** Writes many elements by one system call. Kernel 5.6. Throws `BpfError`; those before the failed one are written. */
  setAll(entries: Iterable<readonly [Key, Uint8Array]>): void {
    const what = `write map ${this.name}`;
    const { copiedSize, keySize } = this;
    const all = [...entries].map(
      ([key, value]) => [keyBytes(key, keySize, what), exactly(value, copiedSize, `${what}: value`)] as const,
    );
    writeBatch(keyed(this, what), what, all, keySize, copiedSize);
  }

  /** Of a map of maps: puts a map in. The kernel keeps it alive; ours may be closed. Throws `BpfError`. */
  setMap(key: Key, map: BpfMap): void {
    this.#ofMaps(`write map ${this.name}`);
    const fd = bytes(4);
    new DataView(fd.buffer, fd.byteOffset).setInt32(0, map.fd, true);
    this.set(key, fd);
  }

  /** Of a map of maps: one of its maps, to be closed by whoever asked; undefined when there is none. Throws `BpfError`. */
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
    const what = `pin map ${this.name} to ${path}`;
    const rc = libbpf().objPin(this.fd, cString(path, what));
    if (rc < 0) throw errnoError(what, -rc);
  }

  /** Removes a pin. */
  static unpin(path: string): void {
    unlinkSync(path);
  }

  /** The values of a BPF_F_MMAPABLE array (or of .bss, .data), shared with the kernel; element i is at i × round_up(valueSize, 8). Throws `BpfError`. */
  mmapArray(options: { readonly writable: boolean }): Pages {
    const what = `map ${this.name} into memory`;
    const { type, valueSize, maxEntries } = this.info;
    if (type !== 2) throw misuse('ERR_BPF_TYPE', what, `it is a map of type ${mapTypeName(type)}, not an array`);
    const length = Math.ceil((perCpuStride(valueSize) * maxEntries) / pageSize()) * pageSize();
    return mapPages(this.fd, length, { writable: options.writable, offset: 0 });
  }

  /** Lets go of a map that was created or opened by itself; one of an object ends with its object. */
  close(): void {
    this.#source.close();
  }
  [Symbol.dispose](): void {
    this.close();
  }

  #ofMaps(what: string): void {
    if (!isOfMaps(this.type))
      throw misuse('ERR_BPF_TYPE', what, `a map of type ${mapTypeName(this.type)} holds no maps`);
  }
}
