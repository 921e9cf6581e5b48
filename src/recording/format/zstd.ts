// SPDX-License-Identifier: MIT
/** zstd: Node's own where it has it (22.15 and newer), else WebAssembly, which installs anywhere without a compiler. */
import * as zlib from 'node:zlib';
import type { Packer, ZstdCodec } from './codec.js';

const LEVEL = 1;

/** What node:zlib has from 22.15 on; the types of Node 20 do not know it. */
interface ZlibWithZstd {
  zstdCompressSync(data: Uint8Array, options: { params: Record<number, number>; pledgedSrcSize: number }): Uint8Array;
  zstdDecompressSync(data: Uint8Array, options: { maxOutputLength: number }): Uint8Array;
}

/** `ZSTD_c_compressionLevel` of zstd.h */
const C_COMPRESSION_LEVEL = 100;

function fromZlib(native: ZlibWithZstd): ZstdCodec {
  return {
    compress: (data) =>
      native.zstdCompressSync(data, { params: { [C_COMPRESSION_LEVEL]: LEVEL }, pledgedSrcSize: data.length }),
    decompress: (frame, length) => native.zstdDecompressSync(frame, { maxOutputLength: length }),
  };
}

/**
 * Content size in a zstd frame header (RFC 8878, 3.1.1.1), `null` when the frame does not say.
 * Throws when this is no zstd frame.
 */
export function frameContentSize(frame: Uint8Array): number | null {
  if (frame.length < 6 || frame[0] !== 0x28 || frame[1] !== 0xb5 || frame[2] !== 0x2f || frame[3] !== 0xfd) {
    throw new Error('not a zstd frame');
  }
  const descriptor = frame[4] ?? 0;
  const single = (descriptor & 0x20) !== 0;
  const sizeCode = descriptor >> 6;
  const size = sizeCode === 0 ? (single ? 1 : 0) : 1 << sizeCode;
  if (size === 0) return null;
  const at = 5 + (single ? 0 : 1) + ([0, 1, 2, 4][descriptor & 3] ?? 0);
  if (at + size > frame.length) throw new Error('zstd frame header cut off');
  let value = 0;
  for (let i = size - 1; i >= 0; i--) value = value * 256 + (frame[at + i] ?? 0);
  return size === 2 ? value + 256 : value;
}

/** The allocation inside the codec follows the frame header, so that must be believable before the codec sees it. */
function checked(codec: ZstdCodec): ZstdCodec {
  return {
    compress: codec.compress,
    decompress(frame, length) {
      const size = frameContentSize(frame);
      if (size !== null && size !== length)
        throw new Error(`zstd frame of ${size} bytes where ${length} were announced`);
      const out = codec.decompress(frame, length);
      if (out.length !== length) throw new Error(`zstd gave ${out.length} bytes where ${length} were announced`);
      return out;
    },
  };
}

let codec: Promise<ZstdCodec> | undefined;

/** The codec of this process; the first call compiles the WebAssembly module where it is needed. */
export function loadZstd(): Promise<ZstdCodec> {
  const native = zlib as Partial<ZlibWithZstd>;
  codec ??= native.zstdCompressSync
    ? Promise.resolve(checked(fromZlib(native as ZlibWithZstd)))
    : import('./zstd-wasm.js').then(({ wasmCodec }) => wasmCodec(LEVEL)).then(checked);
  return codec;
}

let packer: Promise<Packer> | undefined;

/** What packs batches in this process: Node's own zstd, else the system's library, else that of `loadZstd`. */
export function loadPacker(): Promise<Packer> {
  packer ??= 'zstdCompressSync' in zlib ? loadZstd() : findPacker();
  return packer;
}

async function findPacker(): Promise<Packer> {
  const system = await import('./zstd-system.js').then(({ systemPacker }) => systemPacker(LEVEL)).catch(() => null);
  return system ?? loadZstd();
}
