// SPDX-License-Identifier: MIT
/** The structures libbpf takes options in (libbpf.h): a size, then fields at fixed offsets. */
import { misuse } from './errors.js';
import { addressOf } from './ffi.js';
import { bytes, cString } from './memory.js';

const U64 = 2n ** 64n;

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
    const wide = BigInt(value ?? 0);
    if (wide < 0n || wide >= U64) throw misuse('ERR_BPF_RANGE', what, `${wide} is no unsigned 64-bit integer`);
    this.#view.setBigUint64(at, wide, true);
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
