// SPDX-License-Identifier: MIT
/**
 * zstd as WebAssembly, for a Node without its own: it installs anywhere without a compiler.
 *
 * The package's own functions allocate in the module for each call, and copy the result out of it. A recording has two
 * dozen buffers a batch, so here the module is used below them: two buffers that stay, and results read in place.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { ZstdCodec } from './codec.js';

type Coding = [
  context: number,
  to: number,
  capacity: number,
  from: number,
  size: number,
  dictionary: number,
  dictionarySize: number,
];

/** What the emscripten module has; the names are those of zstd.h. Addresses and sizes are numbers. */
interface Zstd {
  /** Another view after the memory has grown. */
  readonly HEAPU8: Uint8Array;
  _malloc(size: number): number;
  _free(address: number): void;
  _ZSTD_isError(code: number): number;
  _ZSTD_compressBound(size: number): number;
  _ZSTD_createCCtx(): number;
  _ZSTD_createDCtx(): number;
  /** Without a dictionary these are ZSTD_compressCCtx and ZSTD_decompressDCtx, which the module does not export. */
  _ZSTD_compress_usingDict(...coding: [...Coding, level: number]): number;
  _ZSTD_decompress_usingDict(...coding: Coding): number;
}

/** A buffer larger than that is given back after use: a column of a recording of our own is a tenth of it. */
const KEPT_BYTES = 1 << 20;

/** Memory in the module that grows with what is asked of it. */
class Room {
  readonly #zstd: Zstd;
  #address = 0;
  #size = 0;

  constructor(zstd: Zstd) {
    this.#zstd = zstd;
  }

  /** The address of at least `size` bytes; what was there before is lost. Throws when there is no memory. */
  of(size: number): number {
    if (size <= this.#size) return this.#address;
    this.free();
    const address = this.#zstd._malloc(size);
    if (address === 0) throw new Error(`no memory for ${size} bytes`);
    this.#address = address;
    this.#size = size;
    return address;
  }

  trim(): void {
    if (this.#size > KEPT_BYTES) this.free();
  }

  free(): void {
    this.#zstd._free(this.#address);
    this.#address = this.#size = 0;
  }
}

/** Compiles the module. */
export async function wasmCodec(level: number): Promise<ZstdCodec> {
  const require = createRequire(import.meta.url);
  const entry = require.resolve('@bokuweb/zstd-wasm');
  const wasm = require(entry) as { init(): Promise<void> };
  // Not among the package's exports: its version is pinned, and the tests of recordings run over this.
  const { Module: zstd } = require(join(dirname(entry), 'module.js')) as { readonly Module: Zstd };
  await wasm.init();
  // Contexts live as long as the process: making one clears hundreds of kB.
  const compressor = zstd._ZSTD_createCCtx();
  const decompressor = zstd._ZSTD_createDCtx();
  const [input, output] = [new Room(zstd), new Room(zstd)];

  function run(data: Uint8Array, capacity: number, call: (to: number, from: number) => number): Uint8Array {
    input.trim();
    output.trim();
    const [to, from] = [output.of(Math.max(1, capacity)), input.of(Math.max(1, data.length))];
    zstd.HEAPU8.set(data, from);
    const size = call(to, from);
    if (zstd._ZSTD_isError(size) !== 0) throw new Error(`zstd says no (code ${size | 0})`);
    return zstd.HEAPU8.subarray(to, to + size);
  }

  return {
    compress(data) {
      const bound = zstd._ZSTD_compressBound(data.length);
      return run(data, bound, (to, from) =>
        zstd._ZSTD_compress_usingDict(compressor, to, bound, from, data.length, 0, 0, level),
      ).slice();
    },
    decompress(frame, length) {
      return run(frame, length, (to, from) =>
        zstd._ZSTD_decompress_usingDict(decompressor, to, length, from, frame.length, 0, 0),
      );
    },
  };
}
