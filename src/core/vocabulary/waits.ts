// SPDX-License-Identifier: MIT
/**
 * What is waited for: one row a wait. Every view, document, metric and rule that names a wait reads its row, so that
 * it has one name everywhere; the key is its name in JSON and in recordings.
 */
import { VlWait } from '../../schema/events.gen.js';

/** A kernel function whose entry and return are hooked for the sake of this wait alone. */
export interface WaitHook {
  readonly target: string;
  readonly purpose: string;
  /** The function that does this on other kernels: one of the two is enough. */
  readonly instead?: string;
}

export interface WaitFacts {
  /** As a column and a label have it, and after "waits for" or before "wait" in a sentence. */
  readonly title: string;
  /** What a task in this wait is doing. */
  readonly now: string;
  /** Whose: a fault's, a part of another wait of a fault, or a writer's. */
  readonly of: 'fault' | 'part' | 'writer';
  /** Any of them shows the wait; without all of them its count is not 0 but not known. */
  readonly hooks: readonly string[];
  /** Hooks that no other part asks for. */
  readonly own?: readonly WaitHook[];
  /**
   * The fault lock meanwhile. `dropped`: a first try gives it back before it waits. `fallback`: the attempt under the
   * VMA lock is over. `kept`: whichever lock the attempt holds when the wait begins.
   */
  readonly lock: 'dropped' | 'fallback' | 'kept' | 'none';
  /** `enum vl_wait`, where VL_WAIT_ENTER and VL_WAIT_EXIT report it. */
  readonly wire?: keyof typeof VlWait;
  /** Of the classical retry: summaries name it even where it never occurred. */
  readonly always?: true;
  /** What the cause of a fault in flight will begin with, when it waits so. */
  readonly soFar?: string;
}

const ROWS = {
  folio: {
    title: 'folio lock',
    now: 'waits for a folio lock',
    of: 'fault',
    hooks: ['__folio_lock_or_retry'],
    lock: 'dropped',
    always: true,
    soFar: 'folio locked',
  },
  mmapLock: {
    title: 'mmap_lock',
    now: 'waits for mmap_lock',
    of: 'fault',
    hooks: ['lock_mm_and_find_vma'],
    lock: 'fallback',
    always: true,
  },
  mmapLockQueued: {
    title: 'mmap_lock queue',
    now: 'waits for mmap_lock',
    of: 'part',
    hooks: ['mmap_lock_acquire_returned'],
    lock: 'fallback',
  },
  userfault: {
    title: 'userfaultfd',
    now: 'waits for userfaultfd',
    of: 'fault',
    hooks: ['handle_userfault'],
    lock: 'dropped',
    always: true,
    soFar: 'userfault',
  },
  file: {
    title: 'file page',
    now: 'waits for a file page',
    of: 'fault',
    hooks: ['filemap_fault'],
    lock: 'dropped',
    soFar: 'file',
  },
  shmem: {
    title: 'shmem page',
    now: 'waits for a shmem page',
    of: 'fault',
    hooks: ['shmem_fault'],
    lock: 'dropped',
    soFar: 'shmem',
  },
  syncRead: {
    title: 'synchronous swap read',
    now: 'waits for a synchronous swap read',
    of: 'fault',
    hooks: ['swapin_sync', 'swap_read_folio_bdev_sync'],
    own: [
      {
        target: 'swapin_sync',
        purpose: 'synchronous swap reads, with the lock held (7.2 and later)',
        instead: 'swap_read_folio_bdev_sync',
      },
      {
        target: 'swap_read_folio_bdev_sync',
        purpose: 'synchronous swap reads, with the lock held (up to 7.2)',
        instead: 'swapin_sync',
      },
    ],
    lock: 'kept',
    wire: 'SYNC_READ',
  },
  swapin: {
    title: 'swap readahead',
    now: 'waits for swap readahead',
    of: 'fault',
    hooks: ['swapin_readahead'],
    own: [
      {
        target: 'swapin_readahead',
        purpose: 'swap reads that take long to submit, with the lock held',
      },
    ],
    lock: 'kept',
    wire: 'SWAPIN',
  },
  fileRead: {
    title: 'file read',
    now: 'waits for a file read',
    of: 'fault',
    hooks: ['filemap_read_folio'],
    lock: 'kept',
    wire: 'READ',
  },
  migration: {
    title: 'migration',
    now: 'waits for migration',
    of: 'fault',
    hooks: ['migration_entry_wait'],
    own: [{ target: 'migration_entry_wait', purpose: 'waits for migration, with the lock held' }],
    lock: 'kept',
    wire: 'MIGRATION',
  },
  reclaim: {
    title: 'direct reclaim',
    now: 'in direct reclaim',
    of: 'fault',
    hooks: ['mm_vmscan_direct_reclaim_begin'],
    lock: 'kept',
    wire: 'RECLAIM',
  },
  memcgReclaim: {
    title: 'memcg reclaim',
    now: 'in memcg reclaim',
    of: 'fault',
    hooks: ['mm_vmscan_memcg_reclaim_begin'],
    lock: 'kept',
    wire: 'MEMCG',
  },
  writer: {
    title: 'mmap_lock, writers',
    now: 'waits for mmap_lock',
    of: 'writer',
    hooks: ['mmap_lock_acquire_returned'],
    lock: 'none',
  },
  vmaWrite: {
    title: 'VMA readers, writers',
    now: 'waits for the readers of a VMA',
    of: 'writer',
    hooks: ['__vma_start_write'],
    lock: 'none',
  },
} as const;

/** Every wait there is a distribution of. */
export type WaitName = keyof typeof ROWS;
/** What a fault waits for. */
export type WaitKind = {
  [K in WaitName]: (typeof ROWS)[K]['of'] extends 'fault' ? K : never;
}[WaitName];

export const WAIT_FACTS: Readonly<Record<WaitName, WaitFacts>> = ROWS;
/** In the order of the rows, which is that of views. */
export const WAIT_NAMES: readonly WaitName[] = Object.keys(ROWS) as WaitName[];
export const WAIT_KINDS: readonly WaitKind[] = WAIT_NAMES.filter(
  (name): name is WaitKind => WAIT_FACTS[name].of === 'fault',
);

/** Waits before which a first try gives its lock back. */
export const DROPPING_WAITS: ReadonlySet<WaitKind> = new Set(
  WAIT_KINDS.filter((kind) => WAIT_FACTS[kind].lock === 'dropped'),
);

type Reported = Extract<(typeof ROWS)[WaitName], { readonly wire: string }>;
/** By the number of VL_WAIT_ENTER and VL_WAIT_EXIT; it does not compile while a value of `enum vl_wait` has no row. */
const BY_WIRE: Readonly<Record<keyof typeof VlWait, WaitKind>> = Object.fromEntries(
  WAIT_KINDS.flatMap((kind) => {
    const { wire } = WAIT_FACTS[kind];
    return wire === undefined ? [] : [[wire, kind]];
  }),
) as { [K in Reported['wire']]: WaitKind };
const KIND_OF: readonly (WaitKind | undefined)[] = kinds();

function kinds(): (WaitKind | undefined)[] {
  const out: (WaitKind | undefined)[] = [];
  for (const [name, number] of Object.entries(VlWait)) out[number] = BY_WIRE[name as keyof typeof VlWait];
  return out;
}

/** The kind of an `enum vl_wait`; undefined of a later version's. */
export function reportedWait(wire: number): WaitKind | undefined {
  return KIND_OF[wire];
}

/** Hooks that stand in the table of hooks for the sake of waits alone, entry and return each. */
export const OWN_WAIT_HOOKS: readonly WaitHook[] = WAIT_NAMES.flatMap((name) => WAIT_FACTS[name].own ?? []);

/** `mmapLockQueued` → `mmap_lock_queued`: the name in metrics and in alert rules. */
export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
