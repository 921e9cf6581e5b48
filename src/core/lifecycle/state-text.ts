// SPDX-License-Identifier: MIT
/** What a fault in flight is doing, in words, and which lock it holds meanwhile. */

import { WAIT_FACTS } from '../vocabulary/waits.js';
import { isReleased } from './actions.js';
import { Innermost } from './attempt-record.js';
import type { Wait } from './lifecycle.js';
import type { FaultRecord } from './record.js';
import { STATES, type StateName } from './table/states.js';

const TEXT: Readonly<Record<StateName, string>> = {
  Start: 'begins',
  NoVma: 'got no VMA lock',
  Held: 'in handle_mm_fault',
  Swap: 'in do_swap_page',
  SwapRead: 'in do_swap_page',
  Flor: WAIT_FACTS.folio.now,
  FlorSlept: WAIT_FACTS.folio.now,
  SwapWoke: 'in do_swap_page',
  SwapUffd: WAIT_FACTS.userfault.now,
  SwapTail: 'in do_swap_page',
  SwapFile: 'in filemap_fault',
  SwapFileSlept: WAIT_FACTS.file.now,
  SwapFileUffd: WAIT_FACTS.userfault.now,
  SwapFileTail: 'in shmem_fault',
  SwapLeaving: 'in do_swap_page',
  Uffd: WAIT_FACTS.userfault.now,
  Unwind: 'leaves handle_mm_fault',
  File: 'in filemap_fault',
  FileSlept: WAIT_FACTS.file.now,
  FileUffd: WAIT_FACTS.userfault.now,
  FileTail: 'in shmem_fault',
  AnonTried: 'found mmap_lock busy',
  Leaving: 'leaves handle_mm_fault',
  Swapped: 'leaves handle_mm_fault',
  Retried: 'is to retry',
  MmWait: 'takes mmap_lock',
  MmQueued: WAIT_FACTS.mmapLock.now,
  MmOps: 'in lock_mm_and_find_vma',
  MmFound: 'in lock_mm_and_find_vma',
  Kept: 'releases the VMA lock',
  MmKept: 'releases mmap_lock',
  Closed: 'over',
};

/** filemap_fault and shmem_fault share their states. */
const SHMEM: Readonly<Partial<Record<StateName, string>>> = {
  SwapFile: 'in shmem_fault',
  SwapFileSlept: WAIT_FACTS.shmem.now,
  File: 'in shmem_fault',
  FileSlept: WAIT_FACTS.shmem.now,
};

const HOLDS: Readonly<Record<Wait['held'], string>> = {
  vma: ', holds the VMA lock',
  mmap: ', holds mmap_lock',
  none: ', holds no lock',
  unknown: '',
};

/** States in which the text says all there is to say. */
const PLAIN: readonly StateName[] = ['Start', 'Kept', 'MmKept', 'Closed'];
/** mmap_lock is had. */
const LOCKED: readonly StateName[] = ['MmOps', 'MmFound'];
/** States between two attempts. */
const BETWEEN: readonly StateName[] = ['NoVma', 'Retried', 'MmWait', 'MmQueued'];

/** `holderOf`: who holds the mmap_lock of an mm now, in words; '' where the lock's own word is all there is. */
export function describeState(fault: FaultRecord, holderOf: (mm: number) => string = () => ''): string {
  const state = STATES[fault.at] ?? 'Closed';
  const { wait } = fault;
  if (wait !== null && WAIT_FACTS[wait.kind].wire !== undefined) return WAIT_FACTS[wait.kind].now + HOLDS[wait.held];
  if (PLAIN.includes(state)) return TEXT[state];
  const text = wait?.kind === 'shmem' ? SHMEM[state] : undefined;
  const named = state === 'MmQueued' && wait !== null;
  const holder = named ? holderOf(fault.mm) || (wait.holder > 0 ? `tid ${wait.holder}` : '') : '';
  const behind = holder === '' ? '' : ` behind ${holder}`;
  if (LOCKED.includes(state)) return TEXT[state] + HOLDS.mmap;
  return (text ?? TEXT[state]) + behind + HOLDS[BETWEEN.includes(state) ? 'none' : heldBy(fault)];
}

function heldBy(fault: FaultRecord): Wait['held'] {
  const { attempt, wait } = fault;
  if (wait !== null) return wait.held;
  if (attempt === null) return 'unknown';
  if (isReleased(fault) || attempt.dropped || !Number.isNaN(attempt.exactRelease)) return 'none';
  // What said RETRY has dropped the lock, but for __vmf_anon_prepare, whose caller does.
  if (attempt.first !== Innermost.None && attempt.first !== Innermost.Anon) return 'none';
  return attempt.lockKnown ? attempt.lock : 'unknown';
}
