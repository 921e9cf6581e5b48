// SPDX-License-Identifier: MIT
/** What a recording asks of zstd, whichever library gives it. */

export interface Packer {
  /** One frame, level 1, with its content size in the frame header. `data` itself may come back where it does not shrink. */
  compress(data: Uint8Array): Uint8Array;
}

export interface ZstdCodec extends Packer {
  /**
   * `length`: bytes the caller knows must come out. What comes is valid until the codec is used again.
   * Throws when the frame is damaged or says otherwise.
   */
  decompress(frame: Uint8Array, length: number): Uint8Array;
}
