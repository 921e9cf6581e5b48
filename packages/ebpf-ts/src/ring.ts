// SPDX-License-Identifier: MIT
/**
 * Consumer of a BPF_MAP_TYPE_RINGBUF (kernel/bpf/ringbuf.c; Documentation/bpf/ringbuf.rst) without libbpf's ring_buffer:
 * records are read where the kernel wrote them. A callback through FFI per record would cost ten times the reading.
 *
 * The kernel maps the data pages twice in a row, so a record that wraps around is contiguous in memory.
 * Positions count bytes for ever and are 64 bits wide. Differences of their low 32 bits are exact, since a ring is smaller than 4 GiB.
 */
import { types } from 'node:util';
import { callable, integer, OWN, onlyOurs, optionsOf } from './arguments.js';
import { misuse } from './errors.js';
import { pollReadable } from './ffi.js';
import type { BpfMap } from './map.js';
import { mapOf } from './map-measured.js';
import { MapType, mapTypeName } from './map-types.js';
import { mapPages, pageSize } from './memory.js';
import { RING_DISCARD, RING_HEADER, RING_LENGTH, ringStride } from './ring-record.js';
import { shown } from './words.js';

/** Largest ring this consumer takes: beyond it, byte offsets into the double mapping would not be small integers. */
const MAX_SIZE = 2 ** 29;

interface Pages {
  readonly consumer: ArrayBufferLike;
  readonly producer: ArrayBufferLike;
  readonly data: ArrayBufferLike;
  /** For waiting; null for plain memory. */
  readonly fd: (() => number) | null;
  /** Where the data begins in `data`. */
  readonly offset: number;
  close(): void;
}

/**
 * Two ways to read. `drain` calls back per record. The raw way is for loops that must not call anything:
 *
 *     const { start, end } = ring.begin();
 *     // for each record: Atomics.load of the header word at (position & mask) of `u32`; stop at BUSY, skip DISCARD
 *     ring.commit(positionAfterTheLastRecordRead);
 *
 * One reader only: each commit moves the consumer position.
 */
export class RingBuffer {
  /** The data pages, twice. Views are replaced by empty ones on `close()`: take them again for each pass, never keep them. */
  u32: Uint32Array;
  u8: Uint8Array;
  u64: BigUint64Array;
  /** `position & mask` is the byte offset of a header. */
  readonly mask: number;
  readonly sizeBytes: number;
  #consumer: BigUint64Array;
  #producer: Uint32Array;
  #position: bigint;
  #unmap: (() => void) | null;
  readonly #fd: (() => number) | null;
  /** Whoever waits for records. */
  readonly #wakers: Set<() => void> = new Set();

  private constructor(key: typeof OWN, pages: Pages, sizeBytes: number) {
    onlyOurs(key, 'RingBuffer', 'use RingBuffer.open()');
    this.sizeBytes = sizeBytes;
    this.mask = sizeBytes - 1;
    this.u32 = new Uint32Array(pages.data, pages.offset, sizeBytes / 2);
    this.u8 = new Uint8Array(pages.data, pages.offset, sizeBytes * 2);
    this.u64 = new BigUint64Array(pages.data, pages.offset, sizeBytes / 4);
    this.#consumer = new BigUint64Array(pages.consumer, 0, 1);
    this.#producer = new Uint32Array(pages.producer, 0, 1);
    this.#position = Atomics.load(this.#consumer, 0);
    this.#fd = pages.fd;
    this.#unmap = () => pages.close();
  }

  /**
   * The ring of a map, at most 512 MiB. Only the consumer page is mapped for writing; the kernel refuses it for the others:
   * writing to `u8` and its like ends the process. Throws `BpfError`.
   */
  static open(map: BpfMap): RingBuffer {
    const opened = mapOf(map, 'open ring buffer');
    const { type, maxEntries: sizeBytes } = opened.info;
    if (type !== MapType.Ringbuf)
      throw misuse('ERR_BPF_TYPE', `open ring buffer ${opened.name}`, `it is a map of type ${mapTypeName(type)}`);
    checkSize(sizeBytes);
    const { fd } = opened;
    const page = pageSize();
    const consumer = mapPages(fd, page, { writable: true, offset: 0 });
    try {
      const rest = mapPages(fd, page + 2 * sizeBytes, { writable: false, offset: page });
      const close = (): void => {
        consumer.close();
        rest.close();
      };
      return new RingBuffer(
        OWN,
        { consumer: consumer.view, producer: rest.view, data: rest.view, fd: () => opened.fd, offset: page, close },
        sizeBytes,
      );
    } catch (error) {
      consumer.close();
      throw error;
    }
  }

  /** A ring over plain memory. `data` has twice the ring's size, and its writer keeps both halves equal. */
  static over(consumer: ArrayBufferLike, producer: ArrayBufferLike, data: ArrayBufferLike): RingBuffer {
    for (const memory of [consumer, producer, data])
      if (!types.isAnyArrayBuffer(memory))
        throw misuse('ERR_BPF_TYPE', 'open ring buffer', `expected an ArrayBuffer, got ${shown(memory)}`);
    if (consumer.byteLength < 8 || producer.byteLength < 4)
      throw misuse('ERR_BPF_SIZE', 'open ring buffer', 'a position does not fit its memory');
    checkSize(data.byteLength / 2);
    return new RingBuffer(OWN, { consumer, producer, data, fd: null, offset: 0, close: () => {} }, data.byteLength / 2);
  }

  /**
   * Low 32 bits of the positions: where to read from and how far the producer has reserved.
   * They are equal when the ring is empty. `(end - start) >>> 0` bytes lie between them; never compare them with `<`.
   */
  begin(): { start: number; end: number } {
    // Atomics.load pairs with smp_store_release(&rb->producer_pos) in __bpf_ringbuf_reserve: headers before `end` are written.
    const end = this.#unmap === null ? 0 : Atomics.load(this.#producer, 0);
    return { start: this.#unmap === null ? 0 : Number(this.#position & 0xffff_ffffn), end };
  }

  /** Gives everything before `position` (low 32 bits, between `start` and `end`) back to the kernel. Throws `BpfError` for any other. */
  commit(position: number): void {
    if (this.#unmap === null) return;
    integer(position, 0, 2 ** 32 - 1, 'give ring records back');
    const start = Number(this.#position & 0xffff_ffffn);
    const bytes = (position - start) >>> 0;
    if (bytes === 0) return;
    // A consumer ahead of its producer would let the kernel believe in room that is not there.
    if (bytes > (Atomics.load(this.#producer, 0) - start) >>> 0)
      throw misuse('ERR_BPF_RANGE', 'give ring records back', `position ${position} is not between start and end`);
    this.#position += BigInt(bytes);
    // Pairs with smp_load_acquire(&rb->consumer_pos): the kernel may overwrite the records from here on.
    Atomics.store(this.#consumer, 0, this.#position);
  }

  /** Bytes written and not yet read, headers included. */
  used(): number {
    const { start, end } = this.begin();
    return (end - start) >>> 0;
  }

  /**
   * Calls `visit(offset, length)` for at most `max` records; the record's bytes are `u8[offset] … u8[offset + length - 1]`
   * and are the kernel's again when `drain` returns. Returns how many were visited.
   * Stops at a record that is still being written. When `visit` throws, the record it was given counts as read.
   */
  drain(visit: (offset: number, length: number) => void, max: number = Number.POSITIVE_INFINITY): number {
    callable(visit, 'drain ring buffer');
    const { start, end } = this.begin();
    const bytes = (end - start) >>> 0;
    let read = 0;
    let visited = 0;
    try {
      while (read < bytes && visited < max && this.#unmap !== null) {
        const at = (start + read) & this.mask;
        // Pairs with the xchg of the header in bpf_ringbuf_commit: without BUSY the record's bytes are all there.
        const header = Atomics.load(this.u32, at >>> 2) | 0;
        if (header < 0) break;
        const length = header & RING_LENGTH;
        read += ringStride(length);
        if ((header & RING_DISCARD) !== 0) continue;
        visited++;
        visit(at + RING_HEADER, length);
      }
    } finally {
      this.commit((start + read) >>> 0);
    }
    return visited;
  }

  /** Copies of the records, as many as are there. */
  *records(): Generator<Uint8Array> {
    for (;;) {
      let record: Uint8Array | undefined;
      this.drain((offset, length) => {
        record = this.u8.slice(offset, offset + length);
      }, 1);
      if (record === undefined) return;
      yield record;
    }
  }

  /**
   * Copies of the records, for ever or until `close()` or the signal; between two it waits for the kernel's wakeup (records
   * sent with BPF_RB_NO_WAKEUP give none). It neither spins nor holds the process open. Throws `BpfError`.
   */
  async *watch(options: { readonly signal?: AbortSignal } = {}): AsyncGenerator<Uint8Array> {
    const { signal } = optionsOf(options, 'wait for ring records');
    if (signal !== undefined && !(signal instanceof AbortSignal))
      throw misuse('ERR_BPF_TYPE', 'wait for ring records', `expected an AbortSignal, got ${shown(signal)}`);
    if (this.#fd === null) throw misuse('ERR_BPF_TYPE', 'wait for ring records', 'the ring is plain memory');
    let wake = (): void => {};
    const awake = (): void => wake();
    const stop = pollReadable(this.#fd(), awake);
    this.#wakers.add(awake);
    signal?.addEventListener('abort', awake);
    try {
      while (this.#unmap !== null && !signal?.aborted) {
        const woken = new Promise<void>((resolve) => {
          wake = resolve;
        });
        yield* this.records();
        if (this.#unmap !== null && !signal?.aborted) await woken;
      }
    } finally {
      stop();
      this.#wakers.delete(awake);
      signal?.removeEventListener('abort', awake);
    }
  }
  [Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    return this.watch();
  }

  /** Unmaps. Afterwards the ring is empty and its views have no elements. May be called again. */
  close(): void {
    const unmap = this.#unmap;
    if (unmap === null) return;
    this.#unmap = null;
    this.u32 = new Uint32Array(0);
    this.u8 = new Uint8Array(0);
    this.u64 = new BigUint64Array(0);
    this.#consumer = new BigUint64Array(0);
    this.#producer = new Uint32Array(0);
    unmap();
    for (const wake of this.#wakers) wake();
  }
  [Symbol.dispose](): void {
    this.close();
  }
}

/** The kernel takes powers of two that are multiples of the page; plain memory for tests may be smaller. */
function checkSize(sizeBytes: number): void {
  if (sizeBytes >= 8 && sizeBytes <= MAX_SIZE && Number.isInteger(Math.log2(sizeBytes))) return;
  throw misuse(
    'ERR_BPF_SIZE',
    'open ring buffer',
    `its size of ${sizeBytes} bytes is not a power of two up to ${MAX_SIZE / 2 ** 20} MiB`,
    'choose a power of two',
  );
}
