// SPDX-License-Identifier: MIT
/** What a fault in flight is doing, in words, and which lock it holds meanwhile. */
import { isReleased } from './actions.js';
import { Innermost } from './attempt-record.js';
import type { Wait, WaitKind } from './lifecycle.js';
import type { FaultRecord } from './record.js';
import { STATES, type StateName } from './table/states.js';

const TEXT: Readonly<Record<StateName, string>> = {
  Start: 'begins',
  NoVma: 'got no VMA lock',
  Held: 'in handle_mm_fault',
  Swap: 'in do_swap_page',
  SwapRead: 'in do_swap_page',
  Flor: 'waits for a locked folio',
  FlorSlept: 'waits for a locked folio',
  SwapWoke: 'in do_swap_page',
  SwapUffd: 'waits for userfaultfd',
  SwapTail: 'in do_swap_page',
  SwapFile: 'in filemap_fault',
  SwapFileSlept: 'waits in filemap_fault',
  SwapFileUffd: 'waits for userfaultfd',
  SwapFileTail: 'in shmem_fault',
  SwapLeaving: 'in do_swap_page',
  Uffd: 'waits for userfaultfd',
  Unwind: 'leaves handle_mm_fault',
  File: 'in filemap_fault',
  FileSlept: 'waits in filemap_fault',
  FileUffd: 'waits for userfaultfd',
  FileTail: 'in shmem_fault',
  AnonTried: 'found mmap_lock busy',
  Leaving: 'leaves handle_mm_fault',
  Swapped: 'leaves handle_mm_fault',
  Retried: 'is to retry',
  MmWait: 'takes mmap_lock',
  MmQueued: 'waits for mmap_lock',
  MmOps: 'in lock_mm_and_find_vma',
  MmFound: 'in lock_mm_and_find_vma',
  Kept: 'releases the VMA lock',
  MmKept: 'releases mmap_lock',
  Closed: 'over',
};

const WAITS: Readonly<Partial<Record<WaitKind, string>>> = {
  syncRead: 'reads its page from swap',
  swapin: 'starts a read from swap',
  fileRead: 'reads its page from a file',
  migration: 'waits for the migration of its page',
  reclaim: 'in direct reclaim',
  memcgReclaim: "in reclaim for its memory cgroup's limit",
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

export function describeState(fault: FaultRecord): string {
  const state = STATES[fault.at] ?? 'Closed';
  const { wait } = fault;
  const nested = wait === null ? undefined : WAITS[wait.kind];
  if (wait !== null && nested !== undefined) return nested + HOLDS[wait.held];
  if (PLAIN.includes(state)) return TEXT[state];
  const text = wait?.kind === 'shmem' ? TEXT[state].replace('filemap_fault', 'shmem_fault') : TEXT[state];
  const behind = state === 'MmQueued' && wait !== null && wait.holder > 0 ? ` behind tid ${wait.holder}` : '';
  if (LOCKED.includes(state)) return text + HOLDS.mmap;
  return text + behind + HOLDS[BETWEEN.includes(state) ? 'none' : heldBy(fault)];
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
