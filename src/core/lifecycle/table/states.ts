// SPDX-License-Identifier: MIT
/** The names the transition table is made of: states, symbols, actions. */

/** What the fault is doing, as far as the steps show. */
export const STATES = [
  'Start', // nothing seen yet
  'NoVma', // lock_vma_under_rcu returned NULL: mmap_lock comes next
  'Held', // in handle_mm_fault, nothing seen inside
  'Swap', // in do_swap_page
  'SwapRead', // the same, get_swap_device seen
  'Flor', // in __folio_lock_or_retry
  'FlorSlept', // the same, seen to sleep
  'SwapWoke', // in do_swap_page, __folio_lock_or_retry is over
  'SwapUffd', // in handle_userfault inside do_swap_page (pte markers)
  'SwapTail', // in do_swap_page, handle_userfault is over
  'SwapFile', // in filemap_fault or shmem_fault inside do_swap_page (pte markers)
  'SwapFileSlept',
  'SwapFileUffd',
  'SwapFileTail',
  'SwapLeaving', // in do_swap_page, and nothing inside it is to come
  'Uffd', // in handle_userfault
  'Unwind', // handle_userfault is over: its caller returns next
  'File', // in filemap_fault or shmem_fault
  'FileSlept', // the same, seen to sleep
  'FileUffd', // in handle_userfault inside shmem_fault
  'FileTail', // in shmem_fault, handle_userfault is over
  'AnonTried', // __vmf_anon_prepare gave up: hugetlb_fault or handle_mm_fault returns next
  'Leaving', // in handle_mm_fault, and nothing inside it is to come
  'Swapped', // do_swap_page is over: handle_mm_fault returns next
  'Retried', // handle_mm_fault returned RETRY: mmap_lock or a signal comes next
  'MmWait', // in lock_mm_and_find_vma
  'MmQueued', // the same, its trylock has failed
  'MmOps', // the same, mmap_lock had, VL_VMA_OPS seen
  'MmFound', // the same, VL_MM_WRITER seen
  'Kept', // handle_mm_fault is done, the VMA lock's release is still to be seen
  'MmKept', // handle_mm_fault is done, the release of mmap_lock is still to be seen
  'Closed',
] as const;
export type StateName = (typeof STATES)[number];

/** What a step says: its kind, split where the result decides what comes next. */
export const SYMBOLS = [
  'Other', // a kind this version does not know
  'VmaNull',
  'VmaLocked',
  'HmfRetry',
  'HmfDone',
  'HmfKept', // done, and the VMA lock's release will be seen
  'HmfMmKept', // done, and the release of mmap_lock will be seen
  'SwapEnter',
  'SwapExit',
  'SwapDevice',
  'FlorEnter',
  'FlorSleep',
  'FlorExit',
  'UffdEnter',
  'UffdExit',
  'AnonPrepare',
  'FileEnter',
  'FileSleep',
  'FileExit',
  'InnerRetry', // a function whose entry is not hooked returned RETRY
  'MmEnter',
  'MmContended',
  'VmaOps',
  'MmWriter',
  'MmLocked',
  'MmNull',
  'MmReleased',
  'AccessError',
  'WaitEnter',
  'WaitExit',
  'Stack',
  'Release',
  'Signal',
  'TaskExit',
  'Abandoned',
  'SecondTry', // made by the fold: the step is of another attempt under the VMA lock, after the RETRY of the first
  'OtherPass', // made by the fold: the step's fault flags are not those of the attempt under way
] as const;
export type SymbolName = (typeof SYMBOLS)[number];

export const ACTIONS = [
  'none',
  'odd',
  'vmaNull',
  'vmaLocked',
  'hmfExit',
  'retryProven',
  'secondTry',
  'swapEnter',
  'swapExit',
  'swapDevice',
  'florEnter',
  'florEntryMissed',
  'florSleep',
  'florExit',
  'uffdEnter',
  'uffdExit',
  'anonPrepare',
  'fileEnter',
  'fileEntryMissed',
  'fileSleep',
  'fileExit',
  'innerRetry',
  'waitEnter',
  'waitExit',
  'mmEnter',
  'mmEntryMissed',
  'mmContended',
  'vmaOps',
  'mmWriter',
  'mmExit',
  'mmExitMissed',
  'mmRelease',
  'accessError',
  'release',
  'stack',
  'cutShort',
] as const;
export type ActionName = (typeof ACTIONS)[number];

export interface Cell {
  readonly next: StateName;
  readonly action: ActionName;
  /** Look the same symbol up again in `next`. */
  readonly again: boolean;
  /** The run that was missed, '' when none. */
  readonly missed: string;
}
