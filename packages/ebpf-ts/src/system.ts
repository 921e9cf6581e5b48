// SPDX-License-Identifier: MIT
/** System calls the binding and its users need besides libbpf. */
import { closeSync } from 'node:fs';
import { cpus as online } from 'node:os';
import { SYSCALLS } from './arch.js';
import { BpfError, errnoError } from './errors.js';
import { addressOf, lastErrno, libbpf, libc } from './ffi.js';
import { bytes } from './memory.js';
import { withSignalsHeld } from './signals.js';

const BPF_PROG_LOAD = 5;
const BPF_PROG_TYPE_KPROBE = 2;

/**
 * The errno with which the kernel refuses the least privileged thing every tracer needs, 0 when it does not:
 * loading a two-instruction kprobe program (`r0 = 0; exit`). Nothing is attached.
 */
export function probeTracing(): number {
  const code = new Uint8Array([0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0]);
  const license = new TextEncoder().encode('GPL\0');
  // union bpf_attr of BPF_PROG_LOAD: type, insn_cnt, insns, license (include/uapi/linux/bpf.h)
  const attr = bytes(128);
  const view = new DataView(attr.buffer, attr.byteOffset);
  view.setUint32(0, BPF_PROG_TYPE_KPROBE, true);
  view.setUint32(4, code.length / 8, true);
  view.setBigUint64(8, addressOf(code), true);
  view.setBigUint64(16, addressOf(license), true);
  try {
    closeSync(bpf(BPF_PROG_LOAD, attr, 'load a program'));
    return 0;
  } catch (error) {
    if (error instanceof BpfError && error.errno !== 0) return error.errno;
    throw error;
  }
}

/** bpf(2) itself, for what libbpf of some version has no function for: what it returns. Throws `BpfError`. */
export function bpf(command: number, attr: Uint8Array, what: string): number {
  const rc = withSignalsHeld(() => Number(libc().syscall(SYSCALLS.bpf, BigInt(command), attr, attr.length, 0, 0)));
  if (rc < 0) throw errnoError(what, lastErrno());
  return rc;
}

let cpus = 0;
/** CPUs the host may ever have: a per-CPU map has a value for each. Throws `BpfError`. */
export function possibleCpus(): number {
  if (cpus > 0) return cpus;
  const rc = libbpf().possibleCpus();
  if (rc < 0) throw errnoError('count the possible CPUs', -rc);
  cpus = rc;
  return cpus;
}

const PR_SET_CHILD_SUBREAPER = 36;

/** From now on a descendant of this process that loses its parent becomes a child of this process. Throws `BpfError`. */
export function adoptOrphans(): void {
  if (libc().prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) !== 0) throw errnoError('adopt orphans', lastErrno());
}

const WNOHANG = 1;

/** Takes leave of a child that ended and that nobody else waits for. False while it runs, or when it is none of ours. */
export function reapChild(pid: number): boolean {
  return libc().waitpid(pid, null, WNOHANG) === pid;
}

const MEMBARRIER_CMD_GLOBAL = 1;

/**
 * Waits until every run of a BPF program that has begun by now is over: programs run under rcu_read_lock, preempted or
 * not, and membarrier(2) waits for an RCU grace period, unprivileged. Some ten milliseconds. False where it could not
 * (CONFIG_NO_HZ_FULL, a seccomp filter). On one CPU the kernel does not wait.
 */
export function awaitRuns(): boolean {
  return online().length > 1 && Number(libc().syscall(SYSCALLS.membarrier, MEMBARRIER_CMD_GLOBAL, null, 0, 0, 0)) === 0;
}

const MLOCK_ONFAULT = 1;

/**
 * Keeps the pages of this range of our own address space in memory: those that are there now, and each other one from when
 * it is first used (mlock2(2)). Throws `BpfError`: EPERM or ENOMEM where RLIMIT_MEMLOCK is too low for the whole range and
 * there is no CAP_IPC_LOCK; ENOMEM where part of it is not mapped.
 *
 * Not for memory of the JavaScript heap: V8 gives pages back by madvise(MADV_DONTNEED), which the kernel refuses on
 * locked ones, and V8 aborts over that. mlockall(2) is not here for the same reason.
 */
export function lockPages(start: bigint, length: bigint): void {
  if (libc().syscall(SYSCALLS.mlock2, start, length, MLOCK_ONFAULT, 0, 0) !== 0)
    throw errnoError('lock memory', lastErrno());
}

const BPF_STATS_RUN_TIME = 0;

/** Has the kernel take run times of BPF programs until `close()`. Costs two clock reads a run. Throws `BpfError`. */
export function enableStats(): { close(): void; [Symbol.dispose](): void } {
  const fd = libbpf().enableStats(BPF_STATS_RUN_TIME);
  if (fd < 0) throw errnoError('take run times of BPF programs', -fd);
  let open = true;
  const close = (): void => {
    if (open) closeSync(fd);
    open = false;
  };
  return { close, [Symbol.dispose]: close };
}

/** `1.1` of libbpf's `v1.1`. Throws `BpfError` when libbpf is missing or too old. */
export function libbpfVersion(): string {
  const version = libbpf().versionString().replace(/^v/, '');
  if (Number.parseInt(version, 10) < 1)
    throw new BpfError({
      what: 'load libbpf',
      why: `version ${version} is too old`,
      remedy: 'install libbpf 1.0 or later',
    });
  return version;
}
