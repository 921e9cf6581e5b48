// SPDX-License-Identifier: MIT
/** Which waits a session could see at all: none of a kind, and nobody looking for one, are two things. */
import type { WaitKind } from '../lifecycle.js';
import type { SessionInfo } from '../session.js';

/** Functions and tracepoints that show a kind of wait; one of them is enough, since kernels name them differently. */
const WAIT_HOOKS: Readonly<Record<WaitKind, readonly string[]>> = {
  folio: ['__folio_lock_or_retry'],
  mmapLock: ['lock_mm_and_find_vma'],
  userfault: ['handle_userfault'],
  file: ['filemap_fault'],
  shmem: ['shmem_fault'],
  syncRead: ['swapin_sync', 'swap_read_folio_bdev_sync'],
  swapin: ['swapin_readahead'],
  fileRead: ['filemap_read_folio'],
  migration: ['migration_entry_wait'],
  reclaim: ['mm_vmscan_direct_reclaim_begin'],
  memcgReclaim: ['mm_vmscan_memcg_reclaim_begin'],
};

export function observesWait(session: SessionInfo, kind: WaitKind): boolean {
  return WAIT_HOOKS[kind].some((name) => session.hooks.some(({ target, attached }) => attached && target === name));
}
