// SPDX-License-Identifier: MIT
/**
 * The reconstruction as a table: (state of a fault × what a step says) → next state and action.
 *
 * Programs may miss a run (on a preemptible kernel an fexit program does not enter itself), and a missed step leaves
 * no gap in the step numbers. Where the order of the others proves that one was missed, the cell names it, moves to
 * the state after it and looks again (`over`). Rows are complete by their type, and chains of `over` end (tested).
 */

import { type ActionName, type Cell, type StateName, SYMBOLS, type SymbolName } from './states.js';

type Row = Readonly<Record<SymbolName, Cell>>;

const HMF = 'handle_mm_fault exit';
const SWAP_IN = 'do_swap_page entry';
const SWAP_OUT = 'do_swap_page exit';
const FLOR_IN = '__folio_lock_or_retry entry';
const FLOR_OUT = '__folio_lock_or_retry exit';
const UFFD_IN = 'handle_userfault entry';
const UFFD_OUT = 'handle_userfault exit';
const MM_IN = 'lock_mm_and_find_vma entry';
const MM_OUT = 'lock_mm_and_find_vma exit';
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
  Uffd: UFFD_OUT,
  Unwind: HMF,
  Swapped: HMF,
  Retried: MM_BOTH,
  MmWait: MM_OUT,
  Kept: 'VMA lock release',
  Closed: '',
};

const go = (next: StateName, action: ActionName, missed = ''): Cell => ({ next, action, again: false, missed });
const over = (next: StateName, missed: string, action: ActionName = 'none'): Cell => ({
  next,
  action,
  again: true,
  missed,
});
const every = (cell: Cell): Row => Object.fromEntries(SYMBOLS.map((name) => [name, cell])) as Row;

/** lock_vma_under_rcu begins a fault, so it never comes within one; what cuts a fault short may come anywhere. */
const always = (
  state: StateName,
): Pick<Row, 'Other' | 'VmaNull' | 'VmaLocked' | 'Signal' | 'TaskExit' | 'Abandoned'> => ({
  Other: go(state, 'none'),
  VmaNull: go(state, 'odd'),
  VmaLocked: go(state, 'odd'),
  Signal: go('Closed', 'cutShort'),
  TaskExit: go('Closed', 'cutShort'),
  Abandoned: go('Closed', 'cutShort'),
});

const returns: Pick<Row, 'HmfRetry' | 'HmfDone' | 'HmfKept'> = {
  HmfRetry: go('Retried', 'hmfExit'),
  HmfDone: go('Closed', 'hmfExit'),
  HmfKept: go('Kept', 'hmfExit'),
};

/** handle_mm_fault's own callees, from a state in which it runs and nothing inside it was seen. */
const inside: Omit<
  Row,
  | 'Other'
  | 'VmaNull'
  | 'VmaLocked'
  | 'Signal'
  | 'TaskExit'
  | 'Abandoned'
  | 'OtherPass'
  | 'MmEnter'
  | 'MmLocked'
  | 'MmNull'
> = {
  ...returns,
  SwapEnter: go('Swap', 'swapEnter'),
  SwapExit: go('Swapped', 'swapExit', SWAP_IN),
  SwapDevice: over('Swap', SWAP_IN),
  FlorEnter: over('Swap', SWAP_IN),
  FlorSleep: over('Swap', SWAP_IN),
  FlorExit: over('Swap', SWAP_IN),
  UffdEnter: go('Uffd', 'uffdEnter'),
  UffdExit: go('Unwind', 'uffdExit', UFFD_IN),
  AnonPrepare: go('Unwind', 'anonPrepare'),
  Release: go('Held', 'release'),
};

/**
 * do_swap_page's callees come in this order, each at most once: get_swap_device (its first call alone is sent),
 * __folio_lock_or_retry, then handle_userfault or __vmf_anon_prepare. What comes out of order is of another attempt.
 */
const inSwap: Pick<
  Row,
  'SwapExit' | 'FlorEnter' | 'FlorSleep' | 'FlorExit' | 'UffdEnter' | 'UffdExit' | 'AnonPrepare'
> = {
  SwapExit: go('Swapped', 'swapExit'),
  FlorEnter: go('Flor', 'florEnter'),
  FlorSleep: over('Flor', FLOR_IN, 'florEntryMissed'),
  FlorExit: go('SwapWoke', 'florExit', FLOR_IN),
  UffdEnter: go('SwapUffd', 'uffdEnter'),
  UffdExit: go('SwapTail', 'uffdExit', UFFD_IN),
  AnonPrepare: go('SwapTail', 'anonPrepare'),
};

export const TABLE: Readonly<Record<StateName, Row>> = {
  Start: {
    ...always('Start'),
    ...inside,
    VmaNull: go('NoVma', 'vmaNull'),
    VmaLocked: go('Held', 'vmaLocked'),
    MmEnter: go('MmWait', 'mmEnter'),
    MmLocked: go('Held', 'mmExit', MM_IN),
    MmNull: go('Closed', 'mmExit', MM_IN),
    OtherPass: go('Start', 'none'),
  },
  NoVma: {
    ...every(over('Held', MM_BOTH)),
    ...always('NoVma'),
    MmEnter: go('MmWait', 'mmEnter'),
    MmLocked: go('Held', 'mmExit', MM_IN),
    MmNull: go('Closed', 'mmExit', MM_IN),
    Release: go('NoVma', 'odd'),
    OtherPass: go('NoVma', 'none'),
  },
  Held: {
    ...every(over('Retried', HMF, 'retryProven')),
    ...always('Held'),
    ...inside,
  },
  Swap: {
    ...every(over('Swapped', SWAP_OUT)),
    ...always('Swap'),
    ...inSwap,
    SwapDevice: go('SwapRead', 'swapDevice'),
    Release: go('Swap', 'release'),
  },
  SwapRead: {
    ...every(over('Swapped', SWAP_OUT)),
    ...always('SwapRead'),
    ...inSwap,
    Release: go('SwapRead', 'release'),
  },
  Flor: {
    ...every(over('SwapWoke', FLOR_OUT)),
    ...always('Flor'),
    FlorSleep: go('FlorSlept', 'florSleep'),
    FlorExit: go('SwapWoke', 'florExit'),
    Release: go('Flor', 'release'),
  },
  FlorSlept: {
    ...every(over('SwapWoke', FLOR_OUT)),
    ...always('FlorSlept'),
    FlorExit: go('SwapWoke', 'florExit'),
    Release: go('FlorSlept', 'release'),
  },
  SwapWoke: {
    ...every(over('Swapped', SWAP_OUT)),
    ...always('SwapWoke'),
    SwapExit: inSwap.SwapExit,
    UffdEnter: inSwap.UffdEnter,
    UffdExit: inSwap.UffdExit,
    AnonPrepare: inSwap.AnonPrepare,
    Release: go('SwapWoke', 'release'),
  },
  SwapUffd: {
    ...every(over('SwapTail', UFFD_OUT)),
    ...always('SwapUffd'),
    UffdExit: go('SwapTail', 'uffdExit'),
    Release: go('SwapUffd', 'release'),
  },
  SwapTail: {
    ...every(over('Swapped', SWAP_OUT)),
    ...always('SwapTail'),
    SwapExit: inSwap.SwapExit,
    Release: go('SwapTail', 'release'),
  },
  Uffd: {
    ...every(over('Unwind', UFFD_OUT)),
    ...always('Uffd'),
    UffdExit: go('Unwind', 'uffdExit'),
    Release: go('Uffd', 'release'),
    // Only do_swap_page's own callee is followed by its return: its entry was missed.
    SwapExit: over('SwapUffd', SWAP_IN),
  },
  Unwind: {
    ...every(over('Retried', HMF, 'retryProven')),
    ...always('Unwind'),
    ...returns,
    SwapExit: go('Swapped', 'swapExit', SWAP_IN),
    Release: go('Unwind', 'release'),
  },
  Swapped: {
    ...every(over('Retried', HMF, 'retryProven')),
    ...always('Swapped'),
    ...returns,
    Release: go('Swapped', 'release'),
  },
  Retried: {
    ...every(over('Held', MM_BOTH)),
    ...always('Retried'),
    MmEnter: go('MmWait', 'mmEnter'),
    MmLocked: go('Held', 'mmExit', MM_IN),
    MmNull: go('Closed', 'mmExit', MM_IN),
    // 6.4 and 6.5: the arch code gives the VMA lock back after every handle_mm_fault, RETRY included.
    Release: go('Retried', 'release'),
    OtherPass: go('Retried', 'none'),
  },
  MmWait: {
    ...every(over('Held', MM_OUT, 'mmExitMissed')),
    ...always('MmWait'),
    MmLocked: go('Held', 'mmExit'),
    MmNull: go('Closed', 'mmExit'),
    Release: go('MmWait', 'odd'),
  },
  Kept: {
    ...every(go('Kept', 'odd')),
    ...always('Kept'),
    Release: go('Closed', 'release'),
    OtherPass: go('Kept', 'none'),
  },
  Closed: every(go('Closed', 'none')),
};
