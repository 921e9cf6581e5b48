// SPDX-License-Identifier: MIT
/** What a kernel may do with a fault that has to wait while it holds the VMA lock: three policies, one row each. */

export interface PolicyFacts {
  /** Two or three words, for the head of a column. */
  readonly title: string;
  readonly sentence: string;
}

const ROWS = {
  today: {
    title: 'today',
    sentence: 'drop the VMA lock over the wait, then take mmap_lock',
  },
  retry: {
    title: 'retry',
    sentence: 'drop it over the wait, try once more under the VMA lock, and only then take mmap_lock',
  },
  keep: {
    title: 'keep',
    sentence: 'hold it while the fault waits for a folio, of swap or of a file',
  },
} as const;

export type Policy = keyof typeof ROWS;
/** What a kernel that does as today is compared with. */
export type Alternative = Exclude<Policy, 'today'>;

export const POLICY_FACTS: Readonly<Record<Policy, PolicyFacts>> = ROWS;
export const POLICY_NAMES: readonly Policy[] = Object.keys(ROWS) as Policy[];
export const ALTERNATIVES: readonly Alternative[] = POLICY_NAMES.filter((name) => name !== 'today');

/** What is taken for granted, each with which way it errs. */
export const ASSUMPTIONS: readonly string[] = [
  'First order only: every other task does what it did. A writer that stalls holds mmap_lock meanwhile, and who queues behind it loses by it: counted are the faults above that come for its VMA then, or may come again, and no others.',
  'Time saved is time queued for mmap_lock. The lookup that takes no queue, the second pass through handle_mm_fault, and what a second try in vain costs are not counted.',
  'A second try finds the page: it is not taken away again between the end of the wait and the try.',
  'Waiting under the VMA lock takes as long as waiting without it.',
  'keep holds the lock over waits for folios alone: userfaults, holes being punched, and what a driver waits for go on as today.',
  'A writer stalls from when it came for the VMA until the longest wait in its way is over, once per hold of mmap_lock.',
];
