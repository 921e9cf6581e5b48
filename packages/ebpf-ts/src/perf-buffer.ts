// SPDX-License-Identifier: MIT
/** Records of bpf_perf_event_output(), a ring per CPU: for kernels and programs without a ring buffer. Copies every record. */

import { callable, integer, OWN, onlyOurs } from './arguments.js';
import { errnoError, misuse } from './errors.js';
import { callback, lastErrno, libbpf, type Pointer, pollReadable, viewOf } from './ffi.js';
import type { BpfMap } from './map.js';
import { type MeasuredMap, mapOf } from './map-measured.js';
import { MapType, mapTypeName } from './map-types.js';

export interface PerfRecord {
  readonly cpu: number;
  /** A copy; the kernel rounds a record up to 8 bytes (with its header of 4), so its end may be padding. */
  readonly bytes: Uint8Array;
}

export class PerfBuffer {
  readonly #name: string;
  #handle: Pointer = null;
  #records: PerfRecord[] = [];
  #lost = 0;
  readonly #release: () => void;
  #stop: (() => void) | null = null;

  private constructor(key: typeof OWN, map: MeasuredMap, pages: number) {
    onlyOurs(key, 'PerfBuffer', 'use PerfBuffer.open()');
    this.#name = map.name;
    const what = `open perf buffer ${map.name}`;
    // Nothing of the user's runs within libbpf's call: records are kept until it has returned.
    const sample = callback(
      'void ebpf_ts_sample_fn(void *context, int cpu, void *data, uint32_t size)',
      (_: unknown, cpu: number, data: bigint, size: number) => {
        this.#records.push({ cpu, bytes: size === 0 ? new Uint8Array(0) : new Uint8Array(viewOf(data, size)).slice() });
      },
    );
    const lost = callback(
      'void ebpf_ts_lost_fn(void *context, int cpu, uint64_t count)',
      (_: unknown, __: number, count: number | bigint) => {
        this.#lost += Number(count);
      },
    );
    this.#release = () => {
      sample.release();
      lost.release();
    };
    this.#handle = libbpf().perfBufferNew(map.fd, pages, sample.address, lost.address, null, null);
    if (this.#handle === null) {
      const errno = lastErrno();
      this.#release();
      throw errnoError(what, errno);
    }
  }

  /** `pages` of each CPU's ring, a power of two. Throws `BpfError`. */
  static open(map: BpfMap, pages: number = 8): PerfBuffer {
    const opened = mapOf(map, 'open perf buffer');
    const what = `open perf buffer ${opened.name}`;
    const { type } = opened.info;
    if (type !== MapType.PerfEventArray) throw misuse('ERR_BPF_TYPE', what, `it is a map of type ${mapTypeName(type)}`);
    if (!Number.isInteger(Math.log2(integer(pages, 1, 2 ** 16, `${what}: pages`))))
      throw misuse('ERR_BPF_SIZE', what, `${pages} pages are no power of two`);
    return new PerfBuffer(OWN, opened, pages);
  }

  /** Records that found no room, so far. */
  get lost(): number {
    return this.#lost;
  }

  /** What is there now, CPU by CPU. Throws `BpfError`. */
  read(): readonly PerfRecord[] {
    if (this.#handle === null) throw misuse('ERR_BPF_CLOSED', `read perf buffer ${this.#name}`, 'it is closed');
    const rc = libbpf().perfBufferConsume(this.#handle);
    if (rc < 0) throw errnoError(`read perf buffer ${this.#name}`, -rc);
    const records = this.#records;
    this.#records = [];
    return records;
  }

  /** Calls back when there is something to read. Does not hold the process open. Throws `BpfError`. */
  onReadable(call: (() => void) | null): void {
    if (this.#handle === null) throw misuse('ERR_BPF_CLOSED', `wait for perf buffer ${this.#name}`, 'it is closed');
    if (call !== null) callable(call, `wait for perf buffer ${this.#name}`);
    this.#stop?.();
    this.#stop = call === null ? null : pollReadable(libbpf().perfBufferEpollFd(this.#handle), call);
  }

  /** May be called again. */
  close(): void {
    if (this.#handle === null) return;
    this.#stop?.();
    this.#stop = null;
    libbpf().perfBufferFree(this.#handle);
    this.#handle = null;
    this.#release();
  }
  [Symbol.dispose](): void {
    this.close();
  }
}
