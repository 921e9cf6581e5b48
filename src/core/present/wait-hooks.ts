// SPDX-License-Identifier: MIT
/** Which hook shows which wait: without it the wait's count is not 0 but not known. */
import { MMAP_LOCK_HOOK, whyNotHooked } from '../aggregate/mmap-lock.js';
import type { Snapshot } from '../aggregate/snapshot.js';
import type { SessionInfo } from '../events/session.js';

export type WaitName = keyof Snapshot['waits'];

/** In the order views show them; each is seen where any of its hooks is attached. */
export const WAIT_HOOKS: readonly (readonly [wait: WaitName, title: string, hooks: readonly string[]])[] = [
  ['folio', 'waits for a folio', ['__folio_lock_or_retry']],
  ['mmapLock', 'waits for mmap_lock', ['lock_mm_and_find_vma']],
  ['mmapLockQueued', '  queued, after the trylock failed', [MMAP_LOCK_HOOK]],
  ['userfault', 'waits for userfaultfd', ['handle_userfault']],
  ['file', 'waits in filemap_fault', ['filemap_fault']],
  ['shmem', 'waits in shmem_fault', ['shmem_fault']],
  ['syncRead', 'synchronous swap reads', ['swapin_sync', 'swap_read_folio_bdev_sync']],
  ['swapin', 'swap reads slow to submit', ['swapin_readahead']],
  ['fileRead', 'file reads', ['filemap_read_folio']],
  ['migration', 'waits for migration', ['migration_entry_wait']],
  ['reclaim', 'direct reclaim', ['mm_vmscan_direct_reclaim_begin']],
  ['memcgReclaim', 'memory cgroup reclaim', ['mm_vmscan_memcg_reclaim_begin']],
  ['writer', 'writers waiting for mmap_lock', [MMAP_LOCK_HOOK]],
];

/** Why a wait that never occurred may have gone unseen; '' when it would have been seen. */
export function whyNoWait(session: SessionInfo, wait: WaitName): string {
  const hooks = WAIT_HOOKS.find(([name]) => name === wait)?.[2] ?? [];
  const reasons = hooks.map((hook) => whyNotHooked(session, hook));
  return reasons.includes('') ? '' : (reasons[0] ?? '');
}
