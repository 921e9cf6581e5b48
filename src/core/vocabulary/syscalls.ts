// SPDX-License-Identifier: MIT
/**
 * Names of the system calls that take mmap_lock or write-lock a VMA, themselves or by what they call.
 * Numbers of arch/x86/entry/syscalls/syscall_64.tbl; below 424 other architectures number them otherwise.
 */
import { archOf } from './arch.js';

const X86_64: Readonly<Record<number, string>> = {
  0: 'read',
  1: 'write',
  9: 'mmap',
  10: 'mprotect',
  11: 'munmap',
  12: 'brk',
  16: 'ioctl',
  17: 'pread64',
  18: 'pwrite64',
  19: 'readv',
  20: 'writev',
  25: 'mremap',
  27: 'mincore',
  28: 'madvise',
  30: 'shmat',
  56: 'clone',
  57: 'fork',
  58: 'vfork',
  59: 'execve',
  60: 'exit',
  67: 'shmdt',
  101: 'ptrace',
  149: 'mlock',
  150: 'munlock',
  151: 'mlockall',
  152: 'munlockall',
  157: 'prctl',
  202: 'futex',
  206: 'io_setup',
  207: 'io_destroy',
  216: 'remap_file_pages',
  231: 'exit_group',
  237: 'mbind',
  256: 'migrate_pages',
  279: 'move_pages',
  298: 'perf_event_open',
  310: 'process_vm_readv',
  311: 'process_vm_writev',
  321: 'bpf',
  322: 'execveat',
  323: 'userfaultfd',
  325: 'mlock2',
  329: 'pkey_mprotect',
  425: 'io_uring_setup',
  426: 'io_uring_enter',
  427: 'io_uring_register',
  435: 'clone3',
  440: 'process_madvise',
  448: 'process_mrelease',
  450: 'set_mempolicy_home_node',
  453: 'map_shadow_stack',
  462: 'mseal',
};

/** Since Linux 5.1 new system calls have one number on all architectures; these are older. */
const FIRST_COMMON = 424;

/** As the wire says "in none": a fault, a kernel thread. */
export const NO_SYSCALL = 0xffff_ffff;

/** Number as views show it: -1 for none. */
export function syscallNumber(wire: number): number {
  return wire === NO_SYSCALL ? -1 : wire;
}

/** `arch` as in `SessionInfo`. */
export function syscallName(number: number, arch: string): string {
  if (number < 0) return 'no system call';
  const known = archOf(arch) === 'x86_64' || number >= FIRST_COMMON;
  return (known ? X86_64[number] : undefined) ?? `syscall ${number}`;
}
