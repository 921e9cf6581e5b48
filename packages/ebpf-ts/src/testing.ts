// SPDX-License-Identifier: MIT
/** For tests of whatever reads a ring: the kernel's side of a ring buffer over plain memory, after kernel/bpf/ringbuf.c: reserve, then submit or discard. */
import { RingBuffer } from './ring.js';
import { RING_BUSY, RING_DISCARD, RING_HEADER, ringStride } from './ring-record.js';

export class RingProducer {
  readonly ring: RingBuffer;
  readonly #size: number;
  readonly #consumer: BigUint64Array;
  readonly #producer: BigUint64Array;
  readonly #u8: Uint8Array;
  readonly #u32: Uint32Array;

  /** An empty ring of `size` bytes (a power of two) that has already carried `position` bytes (a multiple of 8). */
  constructor(size: number, position: bigint = 0n) {
    const consumer = new SharedArrayBuffer(8);
    const producer = new SharedArrayBuffer(8);
    const data = new SharedArrayBuffer(2 * size);
    this.#size = size;
    this.#consumer = new BigUint64Array(consumer).fill(position);
    this.#producer = new BigUint64Array(producer).fill(position);
    this.#u8 = new Uint8Array(data);
    this.#u32 = new Uint32Array(data);
    this.ring = RingBuffer.over(consumer, producer, data);
  }

  get consumerPosition(): bigint {
    return Atomics.load(this.#consumer, 0);
  }

  get producerPosition(): bigint {
    return Atomics.load(this.#producer, 0);
  }

  /** __bpf_ringbuf_reserve: writes a busy header; the record's byte offset, or -1 when there is no room. */
  reserve(length: number): number {
    const position = this.producerPosition;
    const next = position + BigInt(ringStride(length));
    if (next - this.consumerPosition > BigInt(this.#size - 1)) return -1;
    const at = Number(position & BigInt(this.#size - 1));
    this.#header(at, (length | RING_BUSY) >>> 0);
    Atomics.store(this.#producer, 0, next);
    return at + RING_HEADER;
  }

  /** bpf_ringbuf_commit of a record `reserve` gave. */
  submit(offset: number, bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++) this.#write(offset + i, bytes[i] as number);
    this.#header(offset - RING_HEADER, bytes.length);
  }

  discard(offset: number): void {
    const length = ((this.#u32[(offset - RING_HEADER) >>> 2] as number) & ~RING_BUSY) >>> 0;
    this.#header(offset - RING_HEADER, length | RING_DISCARD);
  }

  /** bpf_ringbuf_output; false when there is no room. */
  output(bytes: Uint8Array): boolean {
    const offset = this.reserve(bytes.length);
    if (offset < 0) return false;
    this.submit(offset, bytes);
    return true;
  }

  /** The two mappings are two copies here: what is written to one is written to the other. */
  #write(at: number, byte: number): void {
    const offset = at & (this.#size - 1);
    this.#u8[offset] = byte;
    this.#u8[offset + this.#size] = byte;
  }

  #header(at: number, header: number): void {
    Atomics.store(this.#u32, at >>> 2, header);
    Atomics.store(this.#u32, (at + this.#size) >>> 2, header);
  }
}
