// SPDX-License-Identifier: MIT
/**
 * Why an attempt under the VMA lock failed: one row a cause, and every list of causes is made from these rows.
 * The key is the cause's title: what views, documents and exports print.
 */

export interface CauseFacts {
  /** Kebab-case and stable: for links, filters, and names where spaces are not welcome. */
  readonly id: string;
  /** What happened, in one sentence with the kernel function that decided. */
  readonly sentence: string;
  /** Hooks without which a RETRY of this kind has no cause or a less exact one: all of them are needed. */
  readonly hooks: readonly string[];
}

export interface RetryFacts extends CauseFacts {
  /**
   * `waited`: it dropped the lock for a wait. `at once`: it returned without one, so keeping the lock would not have kept
   * it over a wait. `by design`: at once, and the kernel never does this part of a fault under the VMA lock.
   */
  readonly course: 'waited' | 'at once' | 'by design';
}

/** Causes of a RETRY: the innermost function that first returned it, with its evidence (kernel model, section 6). */
const RETRIES = {
  'folio locked: own read': {
    id: 'folio-locked-own-read',
    sentence:
      '__folio_lock_or_retry found the folio locked, and the fault is MAJOR: it read it, or lost the race into the swap cache.',
    hooks: ['do_swap_page', '__folio_lock_or_retry'],
    course: 'waited',
  },
  'folio locked: other read': {
    id: 'folio-locked-other-read',
    sentence: '__folio_lock_or_retry found the folio locked and not up to date: another fault reads it.',
    hooks: ['do_swap_page', '__folio_lock_or_retry'],
    course: 'waited',
  },
  'folio locked: other holder': {
    id: 'folio-locked-other-holder',
    sentence: '__folio_lock_or_retry found the folio locked and up to date: writeback, migration or reclaim holds it.',
    hooks: ['do_swap_page', '__folio_lock_or_retry'],
    course: 'waited',
  },
  'folio locked': {
    id: 'folio-locked',
    sentence: '__folio_lock_or_retry found the folio locked; what it was locked for was not seen.',
    hooks: ['do_swap_page', '__folio_lock_or_retry'],
    course: 'waited',
  },
  'device-exclusive': {
    id: 'device-exclusive',
    sentence:
      '__folio_lock_or_retry found the folio of a device-exclusive entry locked (the PTE is not of a swap device).',
    hooks: ['do_swap_page', '__folio_lock_or_retry', 'get_swap_device'],
    course: 'waited',
  },
  'device-private': {
    id: 'device-private',
    sentence:
      'do_swap_page or do_huge_pmd_device_private met a device-private entry (by the PTE), which needs mmap_lock.',
    hooks: ['do_swap_page'],
    course: 'by design',
  },
  'swap refused': {
    id: 'swap-refused',
    sentence:
      'do_swap_page gave the fault back before it asked for the swap device, as this kernel does (6.4 and 6.5).',
    hooks: ['do_swap_page', 'get_swap_device'],
    course: 'by design',
  },
  anon_vma: {
    id: 'anon-vma',
    sentence: '__vmf_anon_prepare needed an anon_vma and its trylock of mmap_lock failed.',
    hooks: ['__vmf_anon_prepare'],
    course: 'at once',
  },
  hugetlb: {
    id: 'hugetlb',
    sentence: 'hugetlb_fault needed an anon_vma and its trylock of mmap_lock failed.',
    hooks: ['lock_mm_and_find_vma'],
    course: 'at once',
  },
  '->fault needs mmap_lock': {
    id: 'fault-needs-mmap-lock',
    sentence: 'vmf_can_call_fault refused: vm_ops without ->map_pages, so ->fault needs mmap_lock.',
    hooks: ['lock_mm_and_find_vma'],
    course: 'by design',
  },
  'file: cache miss': {
    id: 'file-cache-miss',
    sentence: 'filemap_fault did not find the page in the page cache and started a read (VM_FAULT_MAJOR).',
    hooks: ['filemap_fault'],
    course: 'waited',
  },
  'file: readahead': {
    id: 'file-readahead',
    sentence: 'filemap_fault started asynchronous readahead, for which it drops the lock.',
    hooks: ['filemap_fault', 'page_cache_async_ra'],
    course: 'waited',
  },
  'file: not up to date': {
    id: 'file-not-up-to-date',
    sentence: 'filemap_fault found the folio not up to date and read it (filemap_read_folio).',
    hooks: ['filemap_fault', 'filemap_read_folio'],
    course: 'waited',
  },
  'file: page lock': {
    id: 'file-page-lock',
    sentence: 'filemap_fault waited for the lock of a folio in the page cache (lock_folio_maybe_drop_mmap).',
    hooks: ['filemap_fault', 'filemap_read_folio', 'page_cache_async_ra'],
    course: 'waited',
  },
  'shmem: hole punch': {
    id: 'shmem-hole-punch',
    sentence: 'shmem_fault met a hole being punched (shmem_falloc_wait).',
    hooks: ['shmem_fault'],
    course: 'waited',
  },
  'userfault: missing': {
    id: 'userfault-missing',
    sentence: 'handle_userfault waited for a page that is missing (VM_UFFD_MISSING).',
    hooks: ['handle_userfault'],
    course: 'waited',
  },
  'userfault: write-protect': {
    id: 'userfault-write-protect',
    sentence: 'handle_userfault waited for a page that is write-protected (VM_UFFD_WP).',
    hooks: ['handle_userfault'],
    course: 'waited',
  },
  'userfault: minor': {
    id: 'userfault-minor',
    sentence: 'handle_userfault waited for a page that is in the page cache and not mapped (VM_UFFD_MINOR).',
    hooks: ['handle_userfault'],
    course: 'waited',
  },
  userfault: {
    id: 'userfault',
    sentence: 'handle_userfault waited; for which reason was not seen, or is one of a later kernel.',
    hooks: ['handle_userfault'],
    course: 'waited',
  },
  'driver or file system': {
    id: 'driver-or-file-system',
    sentence: "The ->fault of a driver or file system returned it; the attempt's fault handler is its address.",
    hooks: ['lock_mm_and_find_vma'],
    course: 'waited',
  },
  signal: {
    id: 'signal',
    sentence: 'A fatal signal ended the wait of a later try, which keeps its lock while it waits.',
    hooks: ['__folio_lock_or_retry', 'filemap_fault'],
    course: 'waited',
  },
  unknown: {
    id: 'unknown',
    sentence: 'RETRY, and none of the others was seen; the innermost function that returned it is named.',
    hooks: [],
    course: 'waited',
  },
} as const;

/** Why lock_vma_under_rcu gave no VMA (kernel model, section 1.2), from what the fallback found. */
const ABORTS = {
  'VMA absent': {
    id: 'vma-absent',
    sentence: 'lock_mm_and_find_vma found no VMA at the address: the fault ends in SIGSEGV.',
    hooks: ['lock_mm_and_find_vma'],
  },
  'stack growth': {
    id: 'stack-growth',
    sentence: 'lock_mm_and_find_vma found no VMA at the address and grew the stack.',
    hooks: ['lock_mm_and_find_vma'],
  },
  'VMA write-locked': {
    id: 'vma-write-locked',
    sentence: 'A writer holds or held the mm, and it had write-locked this VMA or made it.',
    hooks: ['lock_mm_and_find_vma'],
  },
  'writer in the mm': {
    id: 'writer-in-the-mm',
    sentence: 'A writer held mmap_lock when the fallback began; whether it had locked this VMA is not known.',
    hooks: ['lock_mm_and_find_vma'],
  },
  'VMA lock unavailable': {
    id: 'vma-lock-unavailable',
    sentence: 'None of the others was seen: the VMA was detached, its range changed, or it has too many readers.',
    hooks: [],
  },
} as const;

export type RetryCause = keyof typeof RETRIES;
export type AbortCause = keyof typeof ABORTS;
export type Cause = RetryCause | AbortCause;

export const RETRY_FACTS: Readonly<Record<RetryCause, RetryFacts>> = RETRIES;
export const ABORT_FACTS: Readonly<Record<AbortCause, CauseFacts>> = ABORTS;

const keys = <K extends string>(rows: Readonly<Record<K, unknown>>): readonly K[] => Object.keys(rows) as K[];

/** In the order of the rows: views that do not sort by count keep it. */
export const RETRY_CAUSES: readonly RetryCause[] = keys(RETRIES);
export const ABORT_CAUSES: readonly AbortCause[] = keys(ABORTS);
export const CAUSES: readonly Cause[] = [...RETRY_CAUSES, ...ABORT_CAUSES];

export function isRetryCause(cause: Cause | null): cause is RetryCause {
  return cause !== null && cause in RETRY_FACTS;
}

export function factsOf(cause: Cause): CauseFacts {
  return isRetryCause(cause) ? RETRY_FACTS[cause] : ABORT_FACTS[cause];
}

export function isByDesign(cause: Cause | null): boolean {
  return isRetryCause(cause) && RETRY_FACTS[cause].course === 'by design';
}

export function isAtOnce(cause: Cause | null): boolean {
  return isRetryCause(cause) && RETRY_FACTS[cause].course !== 'waited';
}
