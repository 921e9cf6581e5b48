// SPDX-License-Identifier: MIT
/** Program runs by name, as `Lifecycle.lost` names one that was missed. */
import type { StateName } from './states.js';

export const HMF = 'handle_mm_fault exit';
export const SWAP_IN = 'do_swap_page entry';
export const SWAP_OUT = 'do_swap_page exit';
export const FLOR_IN = '__folio_lock_or_retry entry';
export const FLOR_OUT = '__folio_lock_or_retry exit';
export const UFFD_IN = 'handle_userfault entry';
export const UFFD_OUT = 'handle_userfault exit';
/** Which of the two it was is not known without the step. */
export const FILE_IN = 'filemap_fault or shmem_fault entry';
export const FILE_OUT = 'filemap_fault or shmem_fault exit';
export const MM_IN = 'lock_mm_and_find_vma entry';
export const MM_OUT = 'lock_mm_and_find_vma exit';
/** Both of lock_mm_and_find_vma's; get_user_pages takes mmap_lock itself and has neither. */
export const MM_BOTH = 'lock_mm_and_find_vma';

/** What was to come next when a fault in this state is heard of no more. */
export const OUTSTANDING: Readonly<Record<StateName, string>> = {
  Start: HMF,
  NoVma: MM_BOTH,
  Held: HMF,
  Swap: SWAP_OUT,
  SwapRead: SWAP_OUT,
  Flor: FLOR_OUT,
  FlorSlept: FLOR_OUT,
  SwapWoke: SWAP_OUT,
  SwapUffd: UFFD_OUT,
  SwapTail: SWAP_OUT,
  SwapFile: FILE_OUT,
  SwapFileSlept: FILE_OUT,
  SwapFileUffd: UFFD_OUT,
  SwapFileTail: FILE_OUT,
  SwapLeaving: SWAP_OUT,
  Uffd: UFFD_OUT,
  Unwind: HMF,
  File: FILE_OUT,
  FileSlept: FILE_OUT,
  FileUffd: UFFD_OUT,
  FileTail: FILE_OUT,
  AnonTried: HMF,
  Leaving: HMF,
  Swapped: HMF,
  Retried: MM_BOTH,
  MmWait: MM_OUT,
  MmQueued: MM_OUT,
  MmOps: MM_OUT,
  MmFound: MM_OUT,
  Kept: 'VMA lock release',
  MmKept: 'mmap_lock release',
  Closed: '',
};
