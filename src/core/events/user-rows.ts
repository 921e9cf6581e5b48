// SPDX-License-Identifier: MIT
/** Rows that the user side writes: counters as they were read, names, clocks, the end. They never count as events of the kernel. */
import type { EventBatch } from './batch.js';

export const UserKind = {
  /** A counter as it stood at `time`; cumulative over the session. */
  Counter: 128,
  /** The last row of a session that ended in order: a recording without it was cut off. */
  End: 129,
  /** A frame of a stack, innermost first; comm = its symbol. */
  Frame: 130,
  /** A swap device; comm = its name. */
  SwapDevice: 131,
  /** A cgroup; comm = its path below the cgroup2 mount, and behind a tab the name of its container or unit where known. */
  Cgroup: 132,
  /** The kernel function a `VL_VMA_OPS` step points to; comm = its name (`ext4_filemap_fault`, `drm_gem_fault [drm]`). */
  Handler: 133,
  /** A process; comm = its name, which is that of its leader. Before rows of its other threads, whose names are their own. */
  Process: 134,
  /** What has no names here: `Unnamed` says of what; comm = what and why. */
  Unnamed: 135,
  /** CLOCK_REALTIME at `time`. Every minute, and when the pair before no longer predicts it. */
  Clock: 136,
  /**
   * What a task held or awaited of an mmap_lock that others queue for at `time`: tid, tgid, mm, comm (of the process), flags
   * (`enum vl_lock_flag`), `file`, acquired = since when.
   */
  Lock: 137,
  /**
   * Ordinary swap faults of a process that were counted and not followed, since the row before: tgid, cgroup, comm (of one
   * of its threads).
   */
  Counted: 138,
  /**
   * What a VMA maps: tgid, mm, vmaStart, vmaEnd; comm = the path of its file or the name of an anonymous mapping. Sent by
   * the kernel side (`struct vl_vma`) when a fault that was followed came by it, and again when it maps something else.
   */
  Vma: 139,
} as const;

/** Which column has what, by kind, as `VlArgs` has it of the kernel's: `batch[UserArgs.Counter.group][i]`. */
export const UserArgs = {
  /** `CounterGroup`, the index in that group, the cumulative value. */
  Counter: { group: 'a', index: 'b', value: 'value' },
  End: {},
  /** The id (`VL_STACK`), the number of the frame, 1 for a kernel stack. */
  Frame: { stack: 'a', index: 'b', isKernel: 'value' },
  /** Index and flags of its entry of swap_info[]; 1 when its block device says it is synchronous. */
  SwapDevice: { type: 'a', flags: 'b', isSynchronous: 'value' },
  Cgroup: { id: 'value' },
  /** The address, as in that step. */
  Handler: { high: 'a', low: 'b' },
  Process: { tgid: 'a' },
  /** `Unnamed`; of stacks: how many were asked for and could not be taken so far. */
  Unnamed: { what: 'a', count: 'value' },
  /** Seconds since the epoch, and the ns beyond. */
  Clock: { seconds: 'a', nanoseconds: 'value' },
  /** Its system call or ~0; 1: it waits for the lock, 0: it holds it. */
  Lock: { syscall: 'a', isWaiting: 'b' },
  /** Index of swap_info[], ~0 none; bucket of the log2 histogram of ns in do_swap_page, and faults, or `CountedField` and its value. */
  Counted: { device: 'a', field: 'b', value: 'value' },
  /** `enum vl_mapping`; s_dev of the file's file system; the file's inode number, 0 none. */
  Vma: { what: 'a', device: 'b', inode: 'value' },
} as const;

/** `device` of a row of kind Counted that came to none: a migration entry, a marker. */
export const NO_DEVICE = 0xffff_ffff;

/** `field` of a row of kind Counted that is no bucket, and its value. */
export const CountedField = {
  /** ns in do_swap_page, summed. */
  Ns: 64,
  /** Of the faults, those that read the page themselves (VM_FAULT_MAJOR). */
  Reads: 65,
} as const;

/** What a row of kind Unnamed is about. */
export const Unnamed = { Reason: 0, KernelStacks: 1, UserStacks: 2 } as const;

/** Groups of counters that travel in `UserKind.Counter` rows. All values are cumulative over the session. */
export const CounterGroup = {
  /** b = `enum vl_counter`, summed over CPUs. */
  Kernel: 0,
  /** b = `enum vl_kind`: records meant for the ring. */
  Emitted: 1,
  /** b = `enum vl_kind`: records the ring had no room for. */
  Dropped: 2,
  /** b = hist * 64 + bucket (`enum vl_hist`). */
  Hist: 3,
  /** b = index into `SessionInfo.programs`: runs the kernel skipped (`recursion_misses`, and `missed` of its link). */
  Missed: 4,
  /** b = program index: runs counted while run-time statistics were on. */
  RunCount: 5,
  /** b = program index: ns spent in those runs. */
  RunTime: 6,
  /** b = 0: ns during which run-time statistics were on. 1: our own CPU time (ns, user+system). 2: our RSS (bytes). 3: ring bytes in use at the time. */
  Self: 7,
  /** b = 2 * line (`VMSTAT_LINES`): what that line of /proc/vmstat grew by over the session, at least; and the next one, at most. Once, at the end. */
  Vmstat: 8,
} as const;

/** Appends a row as its columns stand: for rows of whatever kind that are handed on. */
export function pushRow(batch: EventBatch, kind: number, time: number, a: number, b: number, value: number): void {
  const i = batch.length++;
  batch.kind[i] = kind;
  batch.flags[i] = 0;
  batch.cpu[i] = 0;
  batch.tid[i] = 0;
  batch.fault[i] = 0;
  batch.faultCpu[i] = 0;
  batch.step[i] = 0;
  batch.time[i] = time;
  batch.a[i] = a;
  batch.b[i] = b;
  batch.value[i] = value;
}

type Args<K extends keyof typeof UserArgs> = { readonly [Word in keyof (typeof UserArgs)[K]]: number };

/** Appends a row of the user side; its text, where it has one, is set beforehand. */
export function pushUserRow<K extends keyof typeof UserArgs>(
  batch: EventBatch,
  kind: K,
  time: number,
  args: Args<K>,
): void {
  const i = batch.length;
  pushRow(batch, UserKind[kind], time, 0, 0, 0);
  const columns: Readonly<Record<string, 'a' | 'b' | 'value'>> = UserArgs[kind];
  for (const [word, value] of Object.entries<number>(args)) batch[columns[word] as 'a' | 'b' | 'value'][i] = value;
}

/** Appends a row of kind Counter: some hundred a second, so not by way of an object. */
export function pushCounter(batch: EventBatch, time: number, group: number, index: number, value: number): void {
  pushRow(batch, UserKind.Counter, time, group, index, value);
}

/** Appends the row that says the session ended in order. */
export function pushEnd(batch: EventBatch, time: number): void {
  pushRow(batch, UserKind.End, time, 0, 0, 0);
}
