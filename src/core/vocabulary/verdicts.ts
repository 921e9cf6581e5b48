// SPDX-License-Identifier: MIT
/**
 * The counterfactual of an attempt that returned RETRY: would another try under the VMA lock have done?
 * Judged at the fallback under mmap_lock, against what was read while the VMA lock was held. One row a verdict.
 */

export interface VerdictFacts {
  /** Kebab-case and stable. */
  readonly id: string;
  readonly sentence: string;
  /** Whether another try under the VMA lock would have done; null: not known. */
  readonly avoidable: boolean | null;
}

const ROWS = {
  avoidable: {
    id: 'avoidable',
    sentence:
      'The same VMA covers the address and was not write-locked since: another try under its lock would have done.',
    avoidable: true,
  },
  'write-locked': { id: 'write-locked', sentence: 'The VMA was write-locked since.', avoidable: false },
  replaced: { id: 'replaced', sentence: 'Another VMA covers the address now.', avoidable: false },
  gone: { id: 'gone', sentence: 'No VMA covers the address now.', avoidable: false },
  'by design': {
    id: 'by-design',
    sentence: 'The kernel does not handle this fault under the VMA lock at all.',
    avoidable: false,
  },
  unknown: { id: 'unknown', sentence: 'What it takes to judge was not seen.', avoidable: null },
} as const;

export type VerdictKind = keyof typeof ROWS;

export const VERDICT_FACTS: Readonly<Record<VerdictKind, VerdictFacts>> = ROWS;

export const VERDICTS: readonly VerdictKind[] = Object.keys(ROWS) as VerdictKind[];
