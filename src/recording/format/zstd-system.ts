// SPDX-License-Identifier: MIT
/** The system's libzstd, for what a live session packs: half the time of the codec in WebAssembly. */
import type { Packer } from './codec.js';

const LIBRARY = 'libzstd.so.1';
const COMPRESS =
  'size_t ZSTD_compressCCtx(void *cctx, void *dst, size_t dstCapacity, const void *src, size_t srcSize, int compressionLevel)';

/** null where there is none. A host with libbpf has one: libelf or the package manager needs it. */
export async function systemPacker(level: number): Promise<Packer | null> {
  // Who only reads recordings does not load what FFI needs.
  const { foreignFunction } = await import('ebpf-ts');
  const create = foreignFunction(LIBRARY, 'uintptr_t ZSTD_createCCtx()');
  const compress = foreignFunction(LIBRARY, COMPRESS);
  // It lives as long as the process.
  const context = create?.();
  if (compress === null || context === undefined || Number(context) === 0) return null;
  let to = new Uint8Array(1 << 16);
  return {
    compress(data) {
      if (to.length < data.length) to = new Uint8Array(data.length);
      const written = compress(context, to, data.length, data, data.length, level);
      // ZSTD_isError: a code is a size_t just below 2^64. What does not shrink does not fit, and stays as it is.
      return written < data.length ? to.slice(0, Number(written)) : data;
    },
  };
}
