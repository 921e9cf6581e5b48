// SPDX-License-Identifier: MIT
/** Records for BPF programs: BPF_MAP_TYPE_USER_RINGBUF (kernel 6.1), which programs drain by bpf_user_ringbuf_drain(). */
import { constants } from 'node:os';
import { copyOf, OWN, onlyOurs } from './arguments.js';
import { errnoError, misuse } from './errors.js';
import { lastErrno, libbpf, type Pointer, viewOf } from './ffi.js';
import type { BpfMap } from './map.js';
import { type MeasuredMap, mapOf } from './map-measured.js';
import { MapType, mapTypeName } from './map-types.js';

/** One writer only. */
export class UserRing {
  readonly #name: string;
  readonly #max: number;
  #handle: Pointer;

  private constructor(key: typeof OWN, map: MeasuredMap, handle: bigint) {
    onlyOurs(key, 'UserRing', 'use UserRing.open()');
    this.#name = map.name;
    this.#max = map.info.maxEntries - 8;
    this.#handle = handle;
  }

  /** Throws `BpfError`. */
  static open(map: BpfMap): UserRing {
    const opened = mapOf(map, 'open user ring buffer');
    const what = `open user ring buffer ${opened.name}`;
    const { type } = opened.info;
    if (type !== MapType.UserRingbuf) throw misuse('ERR_BPF_TYPE', what, `it is a map of type ${mapTypeName(type)}`);
    const handle = libbpf().userRingNew(opened.fd, null);
    if (handle === null) throw errnoError(what, lastErrno());
    return new UserRing(OWN, opened, handle);
  }

  /** Sends a copy of `record`; false when there is no room now. Throws `BpfError`. */
  send(record: Uint8Array): boolean {
    const what = `send to ${this.#name}`;
    if (this.#handle === null) throw misuse('ERR_BPF_CLOSED', what, 'the ring is closed');
    const copy = copyOf(record, what);
    if (copy.length > this.#max)
      throw misuse('ERR_BPF_SIZE', what, `${copy.length} bytes are more than its ${this.#max}`);
    const sample = libbpf().userRingReserve(this.#handle, copy.length);
    if (sample === null) {
      if (lastErrno() === constants.errno.ENOSPC) return false;
      throw errnoError(what, lastErrno());
    }
    if (copy.length > 0) new Uint8Array(viewOf(sample, copy.length)).set(copy);
    libbpf().userRingSubmit(this.#handle, sample);
    return true;
  }

  /** May be called again. */
  close(): void {
    if (this.#handle !== null) libbpf().userRingFree(this.#handle);
    this.#handle = null;
  }
  [Symbol.dispose](): void {
    this.close();
  }
}
