// SPDX-License-Identifier: MIT
/** Waits, verdicts and VMA flags in words: every view and rule that names one reads them here. */
import type { VerdictKind, WaitKind } from '../lifecycle/lifecycle.js';
import type { Style } from './text.js';

/** What is waited for: as a column has it, and in a sentence after "for". */
export const WAIT_WORDS: Readonly<Record<WaitKind, readonly [string, string]>> = {
  folio: ['folio', 'a locked folio'],
  mmapLock: ['mmap_lock', 'mmap_lock'],
  userfault: ['userfault', 'userfaultfd'],
  file: ['file', 'a file page'],
  shmem: ['shmem', 'a shmem page'],
  syncRead: ['swap read', 'a synchronous swap read'],
  swapin: ['swap-in', 'swap readahead'],
  fileRead: ['file read', 'a file read'],
  migration: ['migration', 'a migration'],
  reclaim: ['reclaim', 'direct reclaim'],
  memcgReclaim: ['memcg', 'memcg reclaim'],
};

/** How each verdict looks beside its word. */
export const VERDICT_STYLES: Readonly<Record<VerdictKind, Style>> = {
  avoidable: 'retry',
  'write-locked': 'kernel',
  replaced: 'kernel',
  gone: 'kernel',
  'by design': 'completed',
  unknown: 'dim',
};

/** vma->vm_flags as /proc/PID/maps has them, and what else changes how a fault goes (include/linux/mm.h). */
export function flagWords(flags: bigint): string {
  const has = (bit: bigint): boolean => (flags & bit) !== 0n;
  const rights = `${has(0x1n) ? 'r' : '-'}${has(0x2n) ? 'w' : '-'}${has(0x4n) ? 'x' : '-'}${has(0x8n) ? 's' : 'p'}`;
  const more = [
    has(0x100n) ? 'gd' : '',
    has(0x2000n) ? 'lo' : '',
    has(0x400000n) ? 'ht' : '',
    has(0x200n) || has(0x1000n) ? 'uf' : '',
  ];
  return [rights, ...more].filter((word) => word !== '').join(' ');
}
