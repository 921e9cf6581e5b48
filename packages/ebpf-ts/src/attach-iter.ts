// SPDX-License-Identifier: MIT
/** Attaching an iterator: over everything of its kind, or over a part of it. */
import { closeSync } from 'node:fs';
import { integer, optionsOf } from './arguments.js';
import { type Attach, linked, MAX_PID } from './attach.js';
import { misuse } from './errors.js';
import { libbpf } from './ffi.js';
import { holdPath } from './hold-path.js';
import type { BpfMap } from './map.js';
import { mapOf } from './map-measured.js';
import { bytes } from './memory.js';
import { Opts } from './opts.js';
import { shown } from './words.js';

/** `enum bpf_cgroup_iter_order` of include/uapi/linux/bpf.h. */
const CGROUP_ORDER = { self: 1, descendants: 2, 'descendants-post': 3, ancestors: 4 } as const;

/** What is iterated over; nothing of these: everything. */
export interface IterTarget {
  /** Elements of this map (`iter/bpf_map_elem`). */
  readonly map?: BpfMap;
  /** Only the threads of this process (`iter/task` and its like; kernel 6.1). */
  readonly pid?: number;
  /** Only this task. */
  readonly tid?: number;
  /** From this cgroup v2 directory on (`iter/cgroup`; kernel 6.1). */
  readonly cgroup?: string;
  /** Which of its cgroups: itself alone, those below it (parents first, or last), those above it. */
  readonly order?: keyof typeof CGROUP_ORDER;
}

export const byIter =
  (given: IterTarget): Attach =>
  (program, what) => {
    const { map, pid, tid, cgroup, order = 'descendants' } = optionsOf(given, what);
    // union bpf_iter_link_info, 16 bytes: map_fd | cgroup { order, fd, id } | task { tid, pid, pid_fd }
    const info = bytes(16);
    const view = new DataView(info.buffer, info.byteOffset);
    const chosen = [map, pid ?? tid, cgroup].filter((it) => it !== undefined).length;
    if (chosen > 1)
      throw misuse('ERR_BPF_TYPE', what, 'a map, a task or a cgroup is iterated over, not several of them');
    if (map !== undefined) view.setUint32(0, mapOf(map, what).fd, true);
    if (tid !== undefined) view.setUint32(0, integer(tid, 1, MAX_PID, `${what}: tid`), true);
    if (pid !== undefined) view.setUint32(4, integer(pid, 1, MAX_PID, `${what}: pid`), true);
    const number = typeof order === 'string' && Object.hasOwn(CGROUP_ORDER, order) ? CGROUP_ORDER[order] : undefined;
    if (number === undefined) throw misuse('ERR_BPF_TYPE', what, `no order ${shown(order)}`);
    const fd = cgroup === undefined ? null : holdPath(cgroup, what);
    try {
      if (fd !== null) {
        view.setUint32(0, number, true);
        view.setUint32(4, fd, true);
      }
      // struct bpf_iter_attach_opts: sz, link_info, link_info_len
      const opts = new Opts(24);
      if (chosen > 0) opts.pointer(8, info).u32(16, 16);
      return linked(what, () => libbpf().attachIter(program, opts.memory), opts);
    } finally {
      if (fd !== null) closeSync(fd);
    }
  };
