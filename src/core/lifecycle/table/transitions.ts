// SPDX-License-Identifier: MIT
/**
 * The reconstruction as a table: (state of a fault × what a step says) → next state and action.
 *
 * Programs may miss a run (on a preemptible kernel an fexit program does not enter itself), and a missed step leaves
 * no gap in the step numbers. Where the order of the others proves that one was missed, the cell names it, moves to
 * the state after it and looks again (`over`). Rows are complete by their type, and chains of `over` end (tested).
 */

import { always, every, go, over, type Row, returns, running } from './cells.js';
import { FILE_STATES, inHandler, SWAP_STATES } from './inside.js';
import { FILE_IN, HMF, MM_BOTH, MM_IN, MM_OUT, SWAP_IN, UFFD_OUT } from './runs.js';
import type { StateName } from './states.js';

/** What says that lock_mm_and_find_vma runs, from a state in which it was not seen to be entered. */
const fallback: Pick<Row, 'MmEnter' | 'MmContended' | 'VmaOps' | 'MmWriter' | 'MmLocked' | 'MmNull'> = {
  MmEnter: go('MmWait', 'mmEnter'),
  MmContended: over('MmWait', MM_IN, 'mmEntryMissed'),
  VmaOps: over('MmWait', MM_IN, 'mmEntryMissed'),
  MmWriter: over('MmWait', MM_IN, 'mmEntryMissed'),
  MmLocked: go('Held', 'mmExit', MM_IN),
  MmNull: go('Closed', 'mmExit', MM_IN),
};

/** In lock_mm_and_find_vma. Growing the stack allocates, so it may reclaim in there. */
const locking = (state: 'MmWait' | 'MmQueued' | 'MmOps' | 'MmFound'): Row => ({
  ...every(over('Held', MM_OUT, 'mmExitMissed')),
  ...always(state),
  MmLocked: go('Held', 'mmExit'),
  MmNull: go('Closed', 'mmExit'),
  WaitEnter: go(state, 'waitEnter'),
  WaitExit: go(state, 'waitExit'),
  Release: go(state, 'odd'),
});

/** Nothing inside handle_mm_fault is to come; if do_swap_page returns, its entry was missed. */
const leaving = (state: StateName): Row => ({
  ...every(over('Retried', HMF, 'retryProven')),
  ...running(state),
  ...returns,
  SwapExit: go('Swapped', 'swapExit', SWAP_IN),
});

export const TABLE: Readonly<Record<StateName, Row>> = {
  Start: {
    ...always('Start'),
    ...inHandler,
    ...fallback,
    VmaNull: go('NoVma', 'vmaNull'),
    VmaLocked: go('Held', 'vmaLocked'),
    AccessError: go('Closed', 'accessError'),
    SecondTry: go('Start', 'none'),
    OtherPass: go('Start', 'none'),
  },
  NoVma: {
    ...every(over('Held', MM_BOTH)),
    ...always('NoVma'),
    ...fallback,
    Release: go('NoVma', 'odd'),
    OtherPass: go('NoVma', 'none'),
  },
  Held: {
    ...every(over('Retried', HMF, 'retryProven')),
    ...always('Held'),
    ...inHandler,
    // The VMA does not permit it: handle_mm_fault is not called.
    AccessError: go('Closed', 'accessError'),
  },
  ...SWAP_STATES,
  Uffd: {
    ...every(over('Unwind', UFFD_OUT)),
    ...running('Uffd'),
    UffdExit: go('Unwind', 'uffdExit'),
    // Only a caller of handle_userfault is followed by its own return: its entry was missed.
    SwapExit: over('SwapUffd', SWAP_IN),
    FileExit: over('FileUffd', FILE_IN),
  },
  Unwind: {
    ...leaving('Unwind'),
    FileExit: go('Leaving', 'fileExit', FILE_IN),
    InnerRetry: go('Leaving', 'innerRetry'),
  },
  ...FILE_STATES,
  AnonTried: {
    ...leaving('AnonTried'),
    // Its failed trylock and its return are seen by different hooks.
    AnonPrepare: go('AnonTried', 'anonPrepare'),
    InnerRetry: go('Leaving', 'innerRetry'),
  },
  Leaving: leaving('Leaving'),
  Swapped: {
    ...every(over('Retried', HMF, 'retryProven')),
    ...running('Swapped'),
    ...returns,
  },
  Retried: {
    ...every(over('Held', MM_BOTH)),
    ...always('Retried'),
    ...fallback,
    // 6.4 and 6.5: the arch code gives the VMA lock back after every handle_mm_fault, RETRY included.
    Release: go('Retried', 'release'),
    SecondTry: go('Held', 'secondTry'),
    OtherPass: go('Retried', 'none'),
  },
  MmWait: {
    ...locking('MmWait'),
    MmContended: go('MmQueued', 'mmContended'),
    VmaOps: go('MmOps', 'vmaOps'),
    MmWriter: go('MmFound', 'mmWriter'),
  },
  MmQueued: {
    ...locking('MmQueued'),
    VmaOps: go('MmOps', 'vmaOps'),
    MmWriter: go('MmFound', 'mmWriter'),
    // The wait was broken off by a fatal signal: tried again, in vain again.
    MmContended: go('MmQueued', 'none'),
  },
  MmOps: {
    ...locking('MmOps'),
    MmWriter: go('MmFound', 'mmWriter'),
  },
  MmFound: locking('MmFound'),
  Kept: {
    ...every(go('Kept', 'odd')),
    ...always('Kept'),
    Release: go('Closed', 'release'),
    OtherPass: go('Kept', 'none'),
  },
  MmKept: {
    ...every(go('MmKept', 'odd')),
    ...always('MmKept'),
    MmReleased: go('Closed', 'mmRelease'),
    OtherPass: go('MmKept', 'none'),
  },
  Closed: every(go('Closed', 'none')),
};
