// SPDX-License-Identifier: MIT
/** Memory right before a page that may not be touched: what is read or written beyond its end ends the process, or the system call with EFAULT. */
import { libc, viewOf } from '../src/ffi.js';
import { pageSize, setAllocator } from '../src/memory.js';

const PROT_RW = 3;
const MAP_PRIVATE_ANONYMOUS = 0x22;
const PAGES = 32;
const SLOTS = 64;

/** `size` bytes that end where a page without access begins. */
export class Guarded {
  readonly #slots: Uint8Array[] = [];
  /** Bytes lent of each slot. */
  readonly #lent: number[] = new Array(SLOTS).fill(0);
  #next = 0;

  constructor() {
    const page = pageSize();
    for (let i = 0; i < SLOTS; i++) {
      const address = libc().mmap(null, (PAGES + 1) * page, PROT_RW, MAP_PRIVATE_ANONYMOUS, -1, 0);
      if (address === null) throw new Error('mmap failed');
      libc().mmap(address + BigInt(PAGES * page), page, 0, MAP_PRIVATE_ANONYMOUS | 0x10, -1, 0);
      this.#slots.push(new Uint8Array(viewOf(address, PAGES * page)).fill(0xa5));
    }
  }

  /** Good until 63 more have been taken. The bytes before it are 0xa5. */
  take(size: number): Uint8Array {
    const index = this.#next++ % SLOTS;
    const slot = this.#slots[index] as Uint8Array;
    if (size > slot.length) throw new Error(`${size} bytes are more than a slot has`);
    slot.fill(0xa5, 0, slot.length - size);
    this.#lent[index] = size;
    return slot.subarray(slot.length - size).fill(0);
  }

  /** Everything the binding gives to C is taken from here while `body` runs. */
  during<T>(body: () => T): T {
    setAllocator((size) => this.take(size));
    try {
      return body();
    } finally {
      setAllocator(null);
    }
  }

  /** Whether nothing within 4 KiB before the memory taken was written. */
  intact(): boolean {
    return this.#slots.every((slot, index) => {
      const end = slot.length - (this.#lent[index] ?? 0);
      return slot.subarray(Math.max(0, end - 4096), end).every((byte) => byte === 0xa5);
    });
  }
}
