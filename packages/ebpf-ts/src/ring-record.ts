// SPDX-License-Identifier: MIT
/** How records lie in a ring buffer: include/uapi/linux/bpf.h, kernel/bpf/ringbuf.c. */

/** BPF_RINGBUF_BUSY_BIT: reserved and not yet submitted. As int32 it is the sign, so `header < 0` tests it. */
export const RING_BUSY = 0x8000_0000;
/** BPF_RINGBUF_DISCARD_BIT: to be skipped. */
export const RING_DISCARD = 0x4000_0000;
/** The header's other bits: bytes of the record without its header. */
export const RING_LENGTH = 0x3fff_ffff;
/** BPF_RINGBUF_HDR_SZ: u32 length and bits, u32 page offset (the kernel's own). */
export const RING_HEADER = 8;

/** Bytes from one header to the next, for a record of `length` bytes: headers are 8-byte aligned. */
export function ringStride(length: number): number {
  return (length + RING_HEADER + 7) & ~7;
}
