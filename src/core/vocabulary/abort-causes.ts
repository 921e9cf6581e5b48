// SPDX-License-Identifier: MIT
/** Why an attempt under the VMA lock did not begin: one row a cause, as causes.ts has them of a RETRY. */

const FEWER_CALLS =
  'Make fewer and larger calls of mmap, munmap, mprotect and madvise (a pool of mappings, M_MMAP_THRESHOLD, M_TRIM_THRESHOLD), and posix_spawn in place of fork; Writers names the calls.';
const OWN_SPACE = 'Nothing to set: the process changes its own address space.';

/** Why lock_vma_under_rcu gave no VMA (kernel model, section 1.2), from what the fallback found. */
export const ABORTS = {
  'VMA absent': {
    id: 'vma-absent',
    sentence: 'lock_mm_and_find_vma found no VMA at the address: the fault ends in SIGSEGV.',
    hooks: ['lock_mm_and_find_vma'],
    process:
      'It touches memory that is not mapped: a bug, unless a handler of SIGSEGV expects it, as some runtimes do.',
    kernel: 'Nothing: the kernel reports the access.',
  },
  'stack growth': {
    id: 'stack-growth',
    sentence: 'lock_mm_and_find_vma found no VMA at the address and grew the stack.',
    hooks: ['lock_mm_and_find_vma'],
    process: "Nothing, unless it is often: touch the stack's depth once at the start.",
    kernel: 'Nothing to set: a stack grows under mmap_lock.',
  },
  'VMA write-locked': {
    id: 'vma-write-locked',
    sentence: 'A writer holds or held the mm, and it had write-locked this VMA or made it.',
    hooks: ['lock_mm_and_find_vma'],
    process: FEWER_CALLS as string,
    kernel: OWN_SPACE as string,
  },
  'writer in the mm': {
    id: 'writer-in-the-mm',
    sentence: 'A writer held mmap_lock when the fallback began; whether it had locked this VMA is not known.',
    hooks: ['lock_mm_and_find_vma'],
    process: FEWER_CALLS as string,
    kernel: OWN_SPACE as string,
  },
  'VMA lock unavailable': {
    id: 'vma-lock-unavailable',
    sentence: 'None of the others was seen: the VMA was detached, its range changed, or it has too many readers.',
    hooks: [],
    process: 'Look at Writers: somebody changed the mapping just then.',
    kernel: 'Nothing to set.',
  },
} as const;
