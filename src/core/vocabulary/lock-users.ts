// SPDX-License-Identifier: MIT
/** Who takes mmap_lock, in words: a page fault, a system call, the /proc file it reads, exit_mmap, a kernel thread. */
import { VlLockFlag } from '../../schema/events.gen.js';
import { syscallName } from './syscalls.js';

/** Files of /proc whose names are longer than the 7 bytes the kernel side takes of them. No object: a recording may say `__proto__`. */
const PROC_FILES: ReadonlyMap<string, string> = new Map([
  ['smaps_r', 'smaps_rollup'],
  ['clear_r', 'clear_refs'],
  ['numa_ma', 'numa_maps'],
]);

/** The whole name of a /proc file, of the 7 bytes in a row's `file`. */
export function procFile(name: string): string {
  return PROC_FILES.get(name) ?? name;
}

export const PAGE_FAULT = 'page fault';
const EXIT_MMAP = 'exit_mmap';

/** `syscall` -1 for none; `comm`: of the process. */
export function lockUser(flags: number, syscall: number, file: string, comm: string, arch: string): string {
  if (flags & VlLockFlag.KTHREAD) return comm;
  if (flags & VlLockFlag.EXITING) return EXIT_MMAP;
  if (file !== '') return `/proc/PID/${file}`;
  return syscall < 0 ? PAGE_FAULT : syscallName(syscall, arch);
}

const FORKS: ReadonlySet<string> = new Set(['clone', 'clone3', 'fork', 'vfork']);

/** Whether a system call by this name copies an mm: dup_mmap write-locks every VMA of it. */
export const isFork = (syscall: string): boolean => FORKS.has(syscall);

/** Why a wait has no holder. */
export const NO_HOLDER = {
  'reader-not-seen':
    'a reader held it whose release was not seen: it began to hold it before the session, or was missed',
  'writer-not-seen': 'a writer held it whose release was not seen, and who left no name',
} as const;
export type NoHolder = keyof typeof NO_HOLDER;

/** Why a writer's wait for the readers of a VMA has none. */
export const NO_VMA_HOLDER = {
  'reader-left-no-name':
    'readers held the VMA who left no name: a fault on its way out or that retried, madvise, userfaultfd, a reader of /proc',
} as const;
export type NoVmaHolder = keyof typeof NO_VMA_HOLDER;
