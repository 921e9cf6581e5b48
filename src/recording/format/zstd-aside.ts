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
/** Of the 64 that koffi allows at a time, some are left to others. */
const MAX_CALLS = 48;

type Compress = {
  async(
    to: Uint8Array,
    capacity: number,
    data: Uint8Array,
    size: number,
    level: number,
    done: (error: unknown, written: number | bigint) => void,
  ): void;
};

async function open(): Promise<Aside | null> {
  let call: Compress;
  try {
    const { default: koffi } = await import('koffi');
    call = koffi
      .load('libzstd.so.1')
      .func(
        'size_t ZSTD_compress(void *dst, size_t dstCapacity, const void *src, size_t srcSize, int level)',
      ) as Compress;
  } catch {
    return null; // not installed, as on a host without libbpf, which needs it
  }
  let under = 0;
  return {
    free: (calls) => under + calls <= MAX_CALLS,
    compress(data, to) {
      under++;
      return new Promise((resolve) => {
        call.async(to, to.length, data, data.length, LEVEL, (error, written) => {
          under--;
          // ZSTD_isError: a code is a size_t just below 2^64, which comes as a bigint.
          const fits = !error && typeof written === 'number' && written <= to.length;
          resolve(fits ? to.subarray(0, written) : data);
        });
      });
    },
  };
}

let aside: Promise<Aside | null> | undefined;

/** That of this process; null where there is no libzstd. */
export function loadAside(): Promise<Aside | null> {
  aside ??= open();
  return aside;
}
