// SPDX-License-Identifier: MIT
/** One map of an object. */
import { errnoError } from './errors.js';
import { libbpf } from './ffi.js';
import { mapPages, type Pages } from './system.js';

const PAGE = 4096;
const ENOENT = 2;

export class BpfMap {
  readonly handle: bigint;
  readonly name: string;

  constructor(handle: bigint) {
    this.handle = handle;
    this.name = libbpf().mapName(handle);
  }

  /** After load. */
  get fd(): number {
    return libbpf().mapFd(this.handle);
  }
  get maxEntries(): number {
    return libbpf().mapMaxEntries(this.handle);
  }
  get valueSize(): number {
    return libbpf().mapValueSize(this.handle);
  }

  /** Before load. Throws `BpfError`. */
  setMaxEntries(n: number): void {
    const rc = libbpf().mapSetMaxEntries(this.handle, n);
    if (rc < 0) throw errnoError(`size map ${this.name}`, -rc);
  }

  /** Throws `BpfError`. */
  set(key: Uint8Array, value: Uint8Array): void {
    const rc = libbpf().mapUpdate(this.fd, key, value, 0);
    if (rc < 0) throw errnoError(`write map ${this.name}`, -rc);
  }

  /** undefined when there is no such key. Per-CPU maps: pass the size of all CPUs' values together. */
  get(key: Uint8Array, size: number = this.valueSize): Uint8Array | undefined {
    const value = new Uint8Array(size);
    const rc = libbpf().mapLookup(this.fd, key, value);
    if (rc === -ENOENT) return undefined;
    if (rc < 0) throw errnoError(`read map ${this.name}`, -rc);
    return value;
  }

  delete(key: Uint8Array): boolean {
    const rc = libbpf().mapDelete(this.fd, key);
    if (rc === -ENOENT) return false;
    if (rc < 0) throw errnoError(`delete from map ${this.name}`, -rc);
    return true;
  }

  *keys(keySize: number): Generator<Uint8Array> {
    let key: Uint8Array | null = null;
    for (;;) {
      const next = new Uint8Array(keySize);
      if (libbpf().mapNextKey(this.fd, key, next) < 0) return;
      yield next;
      key = next;
    }
  }

  /** The values of a BPF_F_MMAPABLE array (or of .bss, .data), shared with the kernel. Throws `BpfError`. */
  mmapArray(options: { writable: boolean }): Pages {
    const stride = (this.valueSize + 7) & ~7;
    const length = Math.ceil((stride * this.maxEntries) / PAGE) * PAGE;
    return mapPages(this.fd, length, { writable: options.writable, offset: 0 });
  }
}
