// SPDX-License-Identifier: MIT
/** Attaching to cgroups and network interfaces. */
import { closeSync } from 'node:fs';
import { cString, integer } from './arguments.js';
import { type Attach, linked } from './attach.js';
import { errnoError, misuse } from './errors.js';
import { lastErrno, libbpf, libc, takeLog } from './ffi.js';
import { holdPath } from './hold-path.js';
import { shown } from './words.js';

export const byCgroup =
  (path: string): Attach =>
  (program, what) => {
    const fd = holdPath(path, what);
    try {
      return linked(what, () => libbpf().attachCgroup(program, fd));
    } finally {
      closeSync(fd);
    }
  };

function interfaceIndex(device: string | number, what: string): number {
  if (typeof device === 'number') return integer(device, 1, 2 ** 31 - 1, `${what}: interface`);
  const name = cString(device, what);
  const index = libc().ifNametoindex(name);
  if (index === 0) throw errnoError(`${what}: find interface ${name}`, lastErrno());
  return index;
}

export const byXdp =
  (device: string | number): Attach =>
  (program, what) => {
    const index = interfaceIndex(device, what);
    return linked(what, () => libbpf().attachXdp(program, index));
  };

/** BPF_TCX_INGRESS, BPF_TCX_EGRESS of `enum bpf_attach_type` (kernel 6.6) */
const TCX = { ingress: 46, egress: 47 } as const;

/** By the system call itself: libbpf's own function for it came with 1.3, the kernel's link does not need it. */
export const byTcx =
  (device: string | number, direction: keyof typeof TCX): Attach =>
  (program, what) => {
    const type = typeof direction === 'string' && Object.hasOwn(TCX, direction) ? TCX[direction] : undefined;
    if (type === undefined) throw misuse('ERR_BPF_TYPE', what, `no direction ${shown(direction)}`);
    const index = interfaceIndex(device, what);
    takeLog();
    const fd = libbpf().linkCreate(libbpf().programFd(program), index, type, null);
    if (fd < 0) throw errnoError(what, -fd, { log: takeLog() });
    return { fd };
  };
