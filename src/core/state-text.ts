// SPDX-License-Identifier: MIT
/** What a fault in flight is doing, in words. */
import type { FaultRecord } from './record.js';
import { STATES, type StateName } from './states.js';

const TEXT: Readonly<Record<StateName, string>> = {
  Start: 'begins',
  NoVma: 'got no VMA lock',
  Held: 'in handle_mm_fault',
  Swap: 'in do_swap_page',
  SwapRead: 'in do_swap_page',
  Flor: 'waits for the folio',
  FlorSlept: 'waits for the folio',
  SwapWoke: 'in do_swap_page',
  SwapUffd: 'waits for userfaultfd',
  SwapTail: 'in do_swap_page',
  Uffd: 'waits for userfaultfd',
  Unwind: 'leaves handle_mm_fault',
  Swapped: 'leaves handle_mm_fault',
  Retried: 'is to retry',
  MmWait: 'waits for mmap_lock',
  Kept: 'releases the VMA lock',
  Closed: 'over',
};

/** Which lock it holds is added where that is known. */
export function describeState(fault: FaultRecord): string {
  const text = TEXT[STATES[fault.at] ?? 'Closed'];
  const { attempt, wait } = fault;
  if (text.startsWith('waits for')) {
    const held = wait?.held ?? 'unknown';
    return held === 'vma' || held === 'mmap' ? `${text}, holds ${lockName(held)}` : text;
  }
  return attempt?.lockKnown === true && text.startsWith('in ') ? `${text} under ${lockName(attempt.lock)}` : text;
}

function lockName(lock: 'vma' | 'mmap'): string {
  return lock === 'vma' ? 'the VMA lock' : 'mmap_lock';
}
