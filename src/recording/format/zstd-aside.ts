// SPDX-License-Identifier: MIT
/**
 * zstd in threads of Node's pool, by the system's libzstd: what a live session packs then costs the thread that drains the
 * ring next to nothing. libbpf comes with it (libelf needs it); where it is missing, the codec of this process does it all.
 */

/** One buffer, level 1, with its content size in the frame header. */
export interface Aside {
  /** Whether so many more calls may be under way. */
  free(calls: number): boolean;
  /**
   * The frame, in `to`, which is as long as `data`; `data` itself where it does not shrink, or the call failed. Neither may
   * be written until it settles; it never rejects.
   */
  compress(data: Uint8Array, to: Uint8Array): Promise<Uint8Array>;
}

const LEVEL = 1;
/** Those of two messages; koffi allows 256 at a time, whoever makes them. */
const MAX_CALLS = 48;

const SIGNATURE =
  'size_t ZSTD_compress(void *dst, size_t dstCapacity, const void *src, size_t srcSize, int compressionLevel)';

async function open(): Promise<Aside | null> {
  // Who reads recordings alone has no use for it; and writing one from another does not need what FFI needs.
  const call = await import('ebpf-ts')
    .then(({ asideFunction }) => asideFunction('libzstd.so.1', SIGNATURE))
    .catch(() => null);
  if (call === null) return null;
  let under = 0;
  return {
    free: (calls) => under + calls <= MAX_CALLS,
    async compress(data, to) {
      under++;
      // ZSTD_isError: a code is a size_t just below 2^64.
      const written = await call(to, to.length, data, data.length, LEVEL).catch(() => Number.POSITIVE_INFINITY);
      under--;
      return written <= to.length ? to.subarray(0, Number(written)) : data;
    },
  };
}

let aside: Promise<Aside | null> | undefined;

/** That of this process; null where there is no libzstd. */
export function loadAside(): Promise<Aside | null> {
  aside ??= open();
  return aside;
}
