// SPDX-License-Identifier: MIT
/**
 * Why an attempt under the VMA lock failed: one row a cause, and every list of causes is made from these rows.
 * The key is the cause's title: what views, documents and exports print.
 */

import { ABORTS } from './abort-causes.js';
import type { CauseFacts, RetryFacts } from './cause-facts.js';

// What can be done about several causes alike. (`as string`: isolatedDeclarations wants the type at the place.)
const READ_BEFORE =
  'Keep what must answer fast out of swap (mlock, memory.low of its cgroup), or read it in beforehand (MADV_WILLNEED, MADV_POPULATE_READ).';
const FASTER_SWAP =
  'Give it more memory or a faster swap device; zram is read synchronously, with the VMA lock kept and no RETRY.';

/** Causes of a RETRY: the innermost function that first returned it, with its evidence (kernel model, section 6). */
const RETRIES = {
  'folio locked: own read': {
    id: 'folio-locked-own-read',
    sentence:
      '__folio_lock_or_retry found the folio locked, and the fault is MAJOR: it read it, or lost the race into the swap cache.',
    hooks: ['do_swap_page', '__folio_lock_or_retry'],
    process: READ_BEFORE as string,
    kernel: FASTER_SWAP as string,
    course: 'waited',
  },
  'folio locked: other read': {
    id: 'folio-locked-other-read',
    sentence: '__folio_lock_or_retry found the folio locked and not up to date: another fault reads it.',
    hooks: ['do_swap_page', '__folio_lock_or_retry'],
    process:
      'Several threads wait for the read of one page: let one of them touch it first, or read it in beforehand (MADV_WILLNEED, MADV_POPULATE_READ).',
    kernel: FASTER_SWAP as string,
    course: 'waited',
  },
  'folio locked: other holder': {
    id: 'folio-locked-other-holder',
    sentence: '__folio_lock_or_retry found the folio locked and up to date: writeback, migration or reclaim holds it.',
    hooks: ['do_swap_page', '__folio_lock_or_retry'],
    process:
      'Lower the memory pressure of its cgroup, and do not move its pages while it works (move_pages, mbind, MADV_SOFT_OFFLINE).',
    kernel:
      'Look at who works on its pages: writeback to swap, compaction (vm.compaction_proactiveness), NUMA balancing (kernel.numa_balancing).',
    course: 'waited',
  },
  'folio locked': {
    id: 'folio-locked',
    sentence: '__folio_lock_or_retry found the folio locked; what it was locked for was not seen.',
    hooks: ['do_swap_page', '__folio_lock_or_retry'],
    process: READ_BEFORE as string,
    kernel: 'Run a kernel whose folio flags can be read (doctor says which hooks fail): then the cause has its reason.',
    course: 'waited',
  },
  'device-exclusive': {
    id: 'device-exclusive',
    sentence:
      '__folio_lock_or_retry found the folio of a device-exclusive entry locked (the PTE is not of a swap device).',
    hooks: ['do_swap_page', '__folio_lock_or_retry', 'get_swap_device'],
    process: 'Keep a page with the side that uses it most: prefetch it to the CPU before the CPU touches it.',
    kernel: "Ask the maintainers of the device's driver: it made the entry and holds the folio.",
    course: 'waited',
  },
  'device-private': {
    id: 'device-private',
    sentence:
      'do_swap_page or do_huge_pmd_device_private met a device-private entry (by the PTE), which needs mmap_lock.',
    hooks: ['do_swap_page'],
    process: "Bring pages back from the device in bulk before the CPU touches them (the runtime's prefetch).",
    kernel: 'By design: a page on a device is migrated under mmap_lock.',
    course: 'by design',
  },
  'swap refused': {
    id: 'swap-refused',
    sentence:
      'do_swap_page gave the fault back before it asked for the swap device, as this kernel does (6.4 and 6.5).',
    hooks: ['do_swap_page', 'get_swap_device'],
    process: 'Keep what must answer fast out of swap (mlock, memory.low of its cgroup).',
    kernel: 'Run 6.6 or later, which handle swap faults under the VMA lock.',
    course: 'by design',
  },
  anon_vma: {
    id: 'anon-vma',
    sentence: '__vmf_anon_prepare needed an anon_vma and its trylock of mmap_lock failed.',
    hooks: ['__vmf_anon_prepare'],
    process:
      'Write to new mappings before threads map and unmap (MAP_POPULATE, MADV_POPULATE_WRITE), or use mappings again in place of making new ones.',
    kernel:
      'Nothing to set: the first write of a VMA needs its anon_vma, and __vmf_anon_prepare only tries for mmap_lock.',
    course: 'at once',
  },
  hugetlb: {
    id: 'hugetlb',
    sentence: 'hugetlb_fault needed an anon_vma and its trylock of mmap_lock failed.',
    hooks: ['lock_mm_and_find_vma'],
    process: 'Write to hugetlb mappings once before threads map and unmap (MAP_POPULATE).',
    kernel: 'Nothing to set: as for anon_vma.',
    course: 'at once',
  },
  '->fault needs mmap_lock': {
    id: 'fault-needs-mmap-lock',
    sentence: 'vmf_can_call_fault refused: vm_ops without ->map_pages, so ->fault needs mmap_lock.',
    hooks: ['lock_mm_and_find_vma'],
    process: 'Touch the mapping once when it is made (MAP_POPULATE): each page pays once.',
    kernel: 'By design of the driver: one with ->map_pages is faulted under the VMA lock.',
    course: 'by design',
  },
  'file: cache miss': {
    id: 'file-cache-miss',
    sentence: 'filemap_fault did not find the page in the page cache and started a read (VM_FAULT_MAJOR).',
    hooks: ['filemap_fault'],
    process:
      'Read the file in beforehand (MADV_WILLNEED, readahead, MAP_POPULATE), or keep it in memory (mlock, memory.low of its cgroup).',
    kernel:
      'Give the page cache more memory, or a faster device; a larger read_ahead_kb makes fewer misses of a sequential pass.',
    course: 'waited',
  },
  'file: readahead': {
    id: 'file-readahead',
    sentence: 'filemap_fault started asynchronous readahead, for which it drops the lock.',
    hooks: ['filemap_fault', 'page_cache_async_ra'],
    process:
      'Nothing, unless mmap_lock is contended: it is one fault a window; MADV_WILLNEED starts the reads outside faults.',
    kernel: 'A larger read_ahead_kb makes fewer windows.',
    course: 'waited',
  },
  'file: not up to date': {
    id: 'file-not-up-to-date',
    sentence: 'filemap_fault found the folio not up to date and read it (filemap_read_folio).',
    hooks: ['filemap_fault', 'filemap_read_folio'],
    process: 'As for a cache miss: read the file in beforehand.',
    kernel: 'Look for errors of the device: a folio without data is left by a read that failed.',
    course: 'waited',
  },
  'file: page lock': {
    id: 'file-page-lock',
    sentence: 'filemap_fault waited for the lock of a folio in the page cache (lock_folio_maybe_drop_mmap).',
    hooks: ['filemap_fault', 'filemap_read_folio', 'page_cache_async_ra'],
    process: 'Several threads wait for one page of a file: read it in beforehand, by one of them.',
    kernel: 'As for a cache miss: more memory for the page cache, or a faster device.',
    course: 'waited',
  },
  'shmem: hole punch': {
    id: 'shmem-hole-punch',
    sentence: 'shmem_fault met a hole being punched (shmem_falloc_wait).',
    hooks: ['shmem_fault'],
    process: 'Do not punch holes (fallocate, MADV_REMOVE) where threads fault, or in smaller pieces.',
    kernel: 'Nothing to set: shmem_fault waits until the hole is done.',
    course: 'waited',
  },
  'userfault: missing': {
    id: 'userfault-missing',
    sentence: 'handle_userfault waited for a page that is missing (VM_UFFD_MISSING).',
    hooks: ['handle_userfault'],
    process:
      "The wait is the handler's answer: more handler threads, larger UFFDIO_COPY, pages sent before they are touched.",
    kernel: 'Nothing to set: the process handles these faults itself.',
    course: 'waited',
  },
  'userfault: write-protect': {
    id: 'userfault-write-protect',
    sentence: 'handle_userfault waited for a page that is write-protected (VM_UFFD_WP).',
    hooks: ['handle_userfault'],
    process:
      "The wait is the handler's answer: take the protection off in larger ranges, or use asynchronous mode (UFFD_FEATURE_WP_ASYNC).",
    kernel: 'Run 6.7 or later, which have UFFD_FEATURE_WP_ASYNC.',
    course: 'waited',
  },
  'userfault: minor': {
    id: 'userfault-minor',
    sentence: 'handle_userfault waited for a page that is in the page cache and not mapped (VM_UFFD_MINOR).',
    hooks: ['handle_userfault'],
    process: "The wait is the handler's answer: UFFDIO_CONTINUE over larger ranges, before they are touched.",
    kernel: 'Nothing to set: the process handles these faults itself.',
    course: 'waited',
  },
  userfault: {
    id: 'userfault',
    sentence: 'handle_userfault waited; for which reason was not seen, or is one of a later kernel.',
    hooks: ['handle_userfault'],
    process: "The wait is the handler's answer: look at how long the thread that reads the userfaultfd takes.",
    kernel: 'Nothing to set: the process handles these faults itself.',
    course: 'waited',
  },
  'driver or file system': {
    id: 'driver-or-file-system',
    sentence: "The ->fault of a driver or file system returned it; the attempt's fault handler is its address.",
    hooks: ['lock_mm_and_find_vma'],
    process: "Find out whose mapping it is: the handler's name stands beside the cause.",
    kernel: 'Ask the maintainers of the driver or file system that the handler belongs to.',
    course: 'waited',
  },
  signal: {
    id: 'signal',
    sentence: 'A fatal signal ended the wait of a later try, which keeps its lock while it waits.',
    hooks: ['__folio_lock_or_retry', 'filemap_fault'],
    process: 'Nothing: the process was being ended.',
    kernel: 'Nothing: the process was being ended.',
    course: 'waited',
  },
  unknown: {
    id: 'unknown',
    sentence: 'RETRY, and none of the others was seen; the innermost function that returned it is named.',
    hooks: [],
    process: 'Record it again with --scope all --stacks kernel,user: more of it is seen then.',
    kernel: 'Look at doctor for hooks that this kernel lacks, and at the program runs that were missed.',
    course: 'waited',
  },
} as const;

export type RetryCause = keyof typeof RETRIES;
export type AbortCause = keyof typeof ABORTS;
export type Cause = RetryCause | AbortCause;

const RETRY_FACTS: Readonly<Record<RetryCause, RetryFacts>> = RETRIES;
const ABORT_FACTS: Readonly<Record<AbortCause, CauseFacts>> = ABORTS;

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
