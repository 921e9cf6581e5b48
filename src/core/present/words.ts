// SPDX-License-Identifier: MIT
/** How verdicts look, and VMA flags in words. */
import type { VerdictKind } from '../vocabulary/verdicts.js';
import type { Style } from './text.js';

/** How each verdict looks beside its word. */
export const VERDICT_STYLES: Readonly<Record<VerdictKind, Style>> = {
  avoidable: 'retry',
  'write-locked': 'kernel',
  replaced: 'kernel',
  gone: 'kernel',
  'by design': 'completed',
  unknown: 'dim',
};

/** vma->vm_flags as /proc/PID/maps has them, and what else changes how a fault goes, as in smaps (show_smap_vma_flags of fs/proc/task_mmu.c). */
export function flagWords(flags: bigint): string {
  const has = (bit: bigint): boolean => (flags & bit) !== 0n;
  const rights = `${has(0x1n) ? 'r' : '-'}${has(0x2n) ? 'w' : '-'}${has(0x4n) ? 'x' : '-'}${has(0x8n) ? 's' : 'p'}`;
  const more = [
    has(0x100n) ? 'gd' : '',
    has(0x2000n) ? 'lo' : '',
    has(0x400000n) ? 'ht' : '',
    has(0x200n) ? 'um' : '',
    has(0x1000n) ? 'uw' : '',
  ];
  return [rights, ...more].filter((word) => word !== '').join(' ');
}
