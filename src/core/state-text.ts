// SPDX-License-Identifier: MIT
/** What a fault in flight is doing, in words. */
import type { FaultRecord } from './record.js';
import { STATES, type StateName } from './transitions.js';

const TEXT: Readonly<Record<StateName, string>> = {
  Start: 'begins',
  NoVma: 'got no VMA lock',
  Held: 'in handle_mm_fault',
  Swap: 'in do_swap_page',
  Flor: 'waits for the folio',
  Uffd: 'waits for userfaultfd',
  SwapUffd: 'waits for userfaultfd',
  Unwind: 'leaves handle_mm_fault',
  Swapped: 'leaves handle_mm_fault',
  Retried: 'is to retry',
  MmWait: 'waits for mmap_lock',
  Kept: 'releases the VMA lock',
  Closed: 'over',
};

/** Which lock it holds is added where the fault flags told. */
export function describeState(fault: FaultRecord): string {
  const state = STATES[fault.at] ?? 'Closed';
  const text = TEXT[state];
  if (state === 'Flor' || state === 'Uffd' || state === 'SwapUffd') {
    const held = fault.wait?.held ?? 'unknown';
    return held === 'none' || held === 'unknown' ? text : `${text}, holds ${lockName(held)}`;
  }
  const { attempt } = fault;
  const runs = state === 'Held' || state === 'Swap' || state === 'Swapped' || state === 'Unwind';
  return runs && attempt?.lockKnown === true ? `${text} under ${lockName(attempt.lock)}` : text;
}

function lockName(lock: 'vma' | 'mmap'): string {
  return lock === 'vma' ? 'the VMA lock' : 'mmap_lock';
}
