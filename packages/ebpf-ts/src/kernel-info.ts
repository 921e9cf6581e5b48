// SPDX-License-Identifier: MIT
/** What the kernel says of a map, program or link behind a descriptor (BPF_OBJ_GET_INFO_BY_FD). */
import { errnoError } from './errors.js';
import { libbpf } from './ffi.js';
import { scratch } from './memory.js';

/** A program's account as the kernel keeps it. */
export interface ProgramAccount {
  readonly id: number;
  /** ns and runs while statistics were on (`enableStats`). */
  readonly runTimeNs: number;
  readonly runCount: number;
  /** Runs the kernel skipped, because the program already ran on that CPU. */
  readonly recursionMisses: number;
}

/**
 * The first `size` bytes of the kernel's answer, until the next call; a kernel that knows fewer leaves the rest zero. Throws
 * `BpfError`.
 */
export function infoOf(fd: number, size: number, what: string): DataView {
  const info = scratch(size);
  const length = scratch(4);
  new DataView(length.buffer, length.byteOffset).setUint32(0, size, true);
  const rc = libbpf().infoByFd(fd, info, length);
  if (rc < 0) throw errnoError(what, -rc);
  return new DataView(info.buffer, info.byteOffset, info.byteLength);
}

/** A NUL-terminated name within `view`. */
export function nameAt(view: DataView, offset: number, size: number): string {
  const text = Buffer.from(view.buffer, view.byteOffset + offset, size).toString('latin1');
  const end = text.indexOf('\0');
  return end < 0 ? text : text.slice(0, end);
}
