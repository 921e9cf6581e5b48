// SPDX-License-Identifier: MIT
/** Memory that C reads and writes: what is lent to it is as large as it will take it for, and what is mapped never dangles. */
import { BpfError, errnoError } from './errors.js';
import { lastErrno, libc, viewOf } from './ffi.js';

let make = (size: number): Uint8Array => new Uint8Array(size);

/** Zeroed memory for C to write to. Everything C writes to comes from here. */
export function bytes(size: number): Uint8Array {
  return make(size);
}

const scratches: Map<number, Uint8Array> = new Map();

/** Zeroed memory for C to write to in one call, and for the caller until the next one: what is asked for often makes no garbage. */
export function scratch(size: number): Uint8Array {
  const kept = scratches.get(size);
  if (kept !== undefined) return kept.fill(0);
  const made = bytes(size);
  scratches.set(size, made);
  return made;
}

/** For tests: has `bytes` take memory from elsewhere, such as right before a guard page. */
export function setAllocator(allocate: ((size: number) => Uint8Array) | null): void {
  make = allocate ?? ((size) => new Uint8Array(size));
  scratches.clear();
}

/** mmap(2) */
export const PROT_READ = 1;
export const PROT_WRITE = 2;
const MAP_SHARED = 1;
export const MAP_PRIVATE = 2;
const MAP_FIXED = 0x10;
export const MAP_ANONYMOUS = 0x20;
const MAP_NORESERVE = 0x4000;
export const MAP_FAILED = 0xffff_ffff_ffff_ffffn;

let page = 0;
/** PAGE_SIZE of the running kernel: 4 KiB on x86-64, 4, 16 or 64 KiB on arm64. */
export function pageSize(): number {
  page ||= libc().getpagesize();
  return page;
}

export interface Pages {
  /** The memory itself. After `close()` it reads as zero, and what is written to it goes nowhere. */
  readonly view: ArrayBuffer;
  close(): void;
  [Symbol.dispose](): void;
}

const unreachable = new FinalizationRegistry<{ address: bigint; length: number }>(({ address, length }) => {
  libc().munmap(address, length);
});

/**
 * Maps `length` bytes of a map's memory, shared, without a copy. Throws `BpfError`.
 *
 * Views of the memory may be kept by anybody, and reading one after munmap would end the process. So `close()` puts empty
 * pages in the place of the shared ones, which lets go of the map, and the address range is given back when the last view
 * of it has been collected.
 */
export function mapPages(fd: number, length: number, options: { writable: boolean; offset: number }): Pages {
  const prot = options.writable ? PROT_READ | PROT_WRITE : PROT_READ;
  const address = libc().mmap(null, length, prot, MAP_SHARED, fd, options.offset);
  if (address === null || address === MAP_FAILED) throw errnoError('map memory shared with the kernel', lastErrno());
  const view = viewOf(address, length);
  unreachable.register(view, { address, length });
  // The view is held until then: collected before, its addresses would be somebody else's by the time they are given up.
  let held: ArrayBuffer | null = view;
  const close = (): void => {
    if (held === null) return;
    held = null;
    const flags = MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_NORESERVE;
    const empty = libc().mmap(address, length, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (empty === MAP_FAILED)
      throw new BpfError({
        what: 'let go of memory shared with the kernel',
        why: `mmap failed (errno ${lastErrno()})`,
        remedy: 'raise vm.max_map_count',
      });
  };
  return { view, close, [Symbol.dispose]: close };
}
