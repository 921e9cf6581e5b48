// SPDX-License-Identifier: MIT
/**
 * The words that screens and documents use. docs/glossary.md shows these rows, and the dashboard shows them under a key:
 * a test holds the page to them.
 */

import { WAIT_FACTS, WAIT_NAMES, type WaitFacts, type WaitName } from './waits.js';

export interface Term {
  readonly word: string;
  readonly meaning: string;
  /** The kernel's own name for it, where it has one. */
  readonly kernel?: string;
}

export interface Chapter {
  readonly title: string;
  readonly terms: readonly Term[];
}

const HELD: Readonly<Record<WaitFacts['lock'], string>> = {
  dropped: '; a first try gives the VMA lock back before',
  fallback: '; the VMA lock is lost by then',
  kept: '; it holds the lock of its attempt meanwhile',
  none: '',
};

function waitTerm(name: WaitName): Term {
  const { title, now, of, hooks, lock } = WAIT_FACTS[name];
  const meaning = of === 'part' ? 'the part of it after the failed trylock' : `a ${of} ${now}${HELD[lock]}`;
  return { word: title, meaning, kernel: hooks.map((hook) => `\`${hook}\``).join(' or ') };
}

export const GLOSSARY: readonly Chapter[] = [
  {
    title: 'Faults and their ends',
    terms: [
      {
        word: 'fault',
        meaning: 'one page fault, from its exception to its return, however many attempts it takes',
        kernel: '`do_user_addr_fault`',
      },
      { word: 'attempt', meaning: 'one call of `handle_mm_fault` under one lock', kernel: '`handle_mm_fault`' },
      {
        word: 'VMA lock',
        meaning: 'the read lock of one VMA, under which a fault from user mode is tried first',
        kernel: '`lock_vma_under_rcu`, `vma_end_read`',
      },
      {
        word: 'fallback',
        meaning: 'the attempt under `mmap_lock` after the one under the VMA lock failed',
        kernel: '`lock_mm_and_find_vma`',
      },
      { word: 'SUCCESS', meaning: 'the attempt under the VMA lock finished the fault', kernel: '`VMA_LOCK_SUCCESS`' },
      {
        word: 'second try',
        meaning: 'another attempt under the VMA lock after its RETRY, on kernels that have it: none of the stock ones',
        kernel: '`FAULT_FLAG_TRIED` with `FAULT_FLAG_VMA_LOCK`',
      },
      {
        word: 'RETRY',
        meaning: 'the handler gave the VMA lock back and asked for another attempt',
        kernel: '`VM_FAULT_RETRY`, `VMA_LOCK_RETRY`',
      },
      {
        word: 'ABORT',
        meaning: 'no VMA lock was taken, so `mmap_lock` came first',
        kernel: '`lock_vma_under_rcu` returned NULL, `VMA_LOCK_ABORT`',
      },
      {
        word: 'COMPLETED',
        meaning: 'the handler finished the fault and gave the lock back itself',
        kernel: '`VM_FAULT_COMPLETED`',
      },
      {
        word: 'kernel mode',
        meaning: 'a fault on user memory by the kernel itself; it is never tried under the VMA lock',
        kernel: 'no `FAULT_FLAG_USER`',
      },
      { word: 'major', meaning: 'the fault had to read from a device', kernel: '`VM_FAULT_MAJOR`' },
      { word: 'ok-vma, ok-mmap', meaning: 'the fault ended well under the VMA lock, or under `mmap_lock`' },
      { word: 'error', meaning: 'it ended with a signal or an error of its own', kernel: '`VM_FAULT_ERROR`' },
      {
        word: 'signal',
        meaning: 'RETRY, and a signal was pending: no fallback followed',
        kernel: '`fault_signal_pending`',
      },
      { word: 'incomplete', meaning: 'a step of the fault was lost; it says which' },
      { word: 'in flight', meaning: 'not over yet' },
    ],
  },
  {
    title: 'Why and at what cost',
    terms: [
      {
        word: 'cause',
        meaning:
          'why an attempt returned RETRY or could not have the VMA lock: decided by the innermost function that said so ([causes.md](causes.md))',
      },
      {
        word: 'own read, other read',
        meaning: "the folio was locked because this fault had started its read, or another task's fault had",
      },
      { word: 'by design', meaning: 'the kernel cannot do this part of a fault under the VMA lock' },
      {
        word: 'avoidable',
        meaning:
          'at the fallback the address lay in the same VMA, and nobody had write-locked it meanwhile: a retry under its lock would have done',
      },
      {
        word: 'write-locked, replaced, gone',
        meaning: 'what the fallback found instead, so that the retry was not avoidable',
      },
      { word: 'unknown', meaning: 'it was not seen, so it is not guessed at' },
      { word: 'saved', meaning: 'time queued for `mmap_lock` that a retry under the VMA lock would not have queued' },
      {
        word: 'stall',
        meaning: 'how long writers of that VMA would have waited, had its lock been kept over the wait',
      },
      { word: 'writer', meaning: 'a task that takes `mmap_lock` for write: mmap, munmap, mprotect, fork, exit' },
      { word: 'holder', meaning: 'who held the lock somebody waited for' },
      { word: 'inversion', meaning: 'a waiter of higher priority than the holder' },
      { word: 'refault', meaning: 'a page reclaimed and needed again soon' },
      { word: 'herd', meaning: 'how many wait for one folio at a time' },
    ],
  },
  { title: 'What is waited for', terms: WAIT_NAMES.map(waitTerm) },
  {
    title: 'Locks over time',
    terms: [
      { word: 'held meanwhile', meaning: 'which lock the task held during a wait: the VMA lock, `mmap_lock`, or none' },
      {
        word: 'release, observed',
        meaning: 'the moment the lock was given back was seen: `up_read` on the lock of the VMA (6.4 to 6.14)',
      },
      {
        word: 'release, derived',
        meaning: 'it lies between two steps that were seen; R1 to R9 of [kernel-model.md](kernel-model.md) say which',
      },
      { word: 'sequence', meaning: '`vm_lock_seq` and `mm_lock_seq`: equal while a VMA is write-locked' },
    ],
  },
  {
    title: 'Trust',
    terms: [
      {
        word: 'emitted, decoded, dropped',
        meaning:
          'records the kernel side meant for the ring, those that arrived, those for which there was no room. Emitted = decoded + dropped',
      },
      {
        word: 'missed',
        meaning:
          'runs of our programs the kernel skipped, by its own counts (`recursion_misses`, and `missed` of a link)',
      },
      { word: 'scope', meaning: 'which faults are followed step by step; all are counted' },
      { word: 'own share', meaning: 'time spent in our programs and in our process' },
    ],
  },
];
