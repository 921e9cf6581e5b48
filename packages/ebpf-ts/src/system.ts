// SPDX-License-Identifier: MIT
/** System calls the binding and its users need besides libbpf. */
import { closeSync } from 'node:fs';
import { cpus } from 'node:os';
import { BpfError, errnoError } from './errors.js';
import { addressOf, lastErrno, libbpf, libc, viewOf } from './ffi.js';

const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;

export interface Pages {
  readonly view: ArrayBuffer;
  /** Unmaps. Views taken from `view` dangle from then on: replace them first. */
  close(): void;
}

/** Maps `length` bytes of a map's or file's memory, shared, without a copy. Throws `BpfError`. */
export function mapPages(fd: number, length: number, options: { writable: boolean; offset: number }): Pages {
  const prot = options.writable ? PROT_READ | PROT_WRITE : PROT_READ;
  const address = libc().mmap(null, length, prot, MAP_SHARED, fd, options.offset);
  if (address === null || address === MAP_FAILED) throw errnoError('map memory shared with the kernel', lastErrno());
  let open = true;
  return {
    view: viewOf(address, length),
    close(): void {
      if (open) libc().munmap(address, length);
      open = false;
    },
  };
}

const SYS_CAPSET = 126; // x86-64
const SYS_BPF = 321;
const BPF_PROG_LOAD = 5;
const BPF_PROG_TYPE_KPROBE = 2;
const LINUX_CAPABILITY_VERSION_3 = 0x20080522;
const PR_SET_NO_NEW_PRIVS = 38;
const PR_CAP_AMBIENT = 47;
const PR_CAP_AMBIENT_CLEAR_ALL = 4;

/** No program this process or a child of the calling thread executes gets a privilege by it (set-user-id, file capabilities). */
export function setNoNewPrivileges(): void {
  if (libc().prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) !== 0) throw errnoError('set no_new_privs', lastErrno());
}

/**
 * Gives up every capability of the calling thread, and the right to gain any (no_new_privs). Throws `BpfError`.
 *
 * Capabilities are per thread, and capset(2) reaches no other: threads of libuv's pool and of V8 that already run keep
 * theirs. That suits a command that reads names in the pool meanwhile and ends soon; a process that stays changes its
 * user instead, which glibc does in every thread (setuid(2), "C library/kernel differences").
 */
export function dropCapabilities(): void {
  const header = new Uint32Array([LINUX_CAPABILITY_VERSION_3, 0]);
  const none = new Uint32Array(6);
  setNoNewPrivileges();
  libc().prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  if (libc().syscall(SYS_CAPSET, addressOf(new Uint8Array(header.buffer)), new Uint8Array(none.buffer), 0) !== 0)
    throw errnoError('drop capabilities', lastErrno());
}

/**
 * The errno with which the kernel refuses the least privileged thing every tracer needs, 0 when it does not:
 * loading a two-instruction kprobe program (`r0 = 0; exit`). Nothing is attached.
 */
export function probeTracing(): number {
  const code = new Uint8Array([0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0]);
  const license = new TextEncoder().encode('GPL\0');
  // union bpf_attr of BPF_PROG_LOAD: type, insn_cnt, insns, license (include/uapi/linux/bpf.h)
  const attr = new DataView(new ArrayBuffer(128));
  attr.setUint32(0, BPF_PROG_TYPE_KPROBE, true);
  attr.setUint32(4, code.length / 8, true);
  attr.setBigUint64(8, addressOf(code), true);
  attr.setBigUint64(16, addressOf(license), true);
  const fd = libc().syscall(SYS_BPF, BPF_PROG_LOAD, new Uint8Array(attr.buffer), attr.byteLength);
  if (Number(fd) < 0) return lastErrno();
  closeSync(Number(fd));
  return 0;
}

const SYS_MEMBARRIER = process.arch === 'arm64' ? 283 : 324;
const MEMBARRIER_CMD_GLOBAL = 1;

/**
 * Waits until every run of a BPF program that has begun by now is over: programs run under rcu_read_lock, preempted or
 * not, and membarrier(2) waits for an RCU grace period, unprivileged. Some ten milliseconds. False where it could not
 * (CONFIG_NO_HZ_FULL, a seccomp filter). On one CPU the kernel does not wait.
 */
export function awaitRuns(): boolean {
  return cpus().length > 1 && Number(libc().syscall(SYS_MEMBARRIER, MEMBARRIER_CMD_GLOBAL, null, 0)) === 0;
}

const BPF_STATS_RUN_TIME = 0;

/** Has the kernel take run times of BPF programs until `close()`. Costs two clock reads a run. Throws `BpfError`. */
export function enableStats(): { close(): void } {
  const fd = libbpf().enableStats(BPF_STATS_RUN_TIME);
  if (fd < 0) throw errnoError('take run times of BPF programs', -fd);
  return { close: () => closeSync(fd) };
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
