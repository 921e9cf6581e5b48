// SPDX-License-Identifier: MIT
/** The structures libbpf takes options in (libbpf.h): a size, then fields at fixed offsets. */

import { cString, unsigned64 } from './arguments.js';
import { addressOf } from './ffi.js';
import { bytes } from './memory.js';

/** A structure of libbpf's, all zero but for its size and what is set. It keeps what it points to. */
export class Opts {
  readonly memory: Uint8Array;
  readonly #view: DataView;
  readonly #kept: Uint8Array[] = [];

  constructor(size: number) {
    this.memory = bytes(size);
    this.#view = new DataView(this.memory.buffer, this.memory.byteOffset, size);
    this.#view.setBigUint64(0, BigInt(size), true);
  }
  u8(at: number, value: boolean | undefined): this {
    this.#view.setUint8(at, value === true ? 1 : 0);
    return this;
  }
  u32(at: number, value: number): this {
    this.#view.setUint32(at, value, true);
    return this;
  }
  u64(at: number, value: bigint | number | undefined, what: string): this {
    this.#view.setBigUint64(at, unsigned64(value ?? 0, what), true);
    return this;
  }
  pointer(at: number, memory: Uint8Array): this {
    this.#kept.push(memory);
    this.#view.setBigUint64(at, addressOf(memory), true);
    return this;
  }
  string(at: number, value: string, what: string): this {
    return this.pointer(at, Buffer.from(`${cString(value, what)}\0`));
  }
}
