// SPDX-License-Identifier: MIT
/** What the oracle says of a fault. */
import type { VerdictKind } from '../../src/core/vocabulary/verdicts.js';
import type { OracleWait } from './oracle-waits.js';

export interface OracleFault {
  readonly id: number;
  readonly end: string;
  /** What became of the attempt under the VMA lock. */
  readonly vma: 'none' | 'ok' | 'retry' | 'completed' | 'error' | 'abort';
  readonly cause: string | null;
  /** Of its RETRY; null while its fallback is to come. */
  readonly verdict: {
    readonly kind: VerdictKind;
    readonly why: string;
    readonly mmWriters: number;
    readonly writer: number;
  } | null;
  readonly folio: number;
  readonly faultHandler: bigint;
  readonly joined: boolean;
  readonly waits: readonly OracleWait[];
  readonly release: { readonly rule: string; readonly lo: number; readonly hi: number } | null;
  readonly exact: number;
  readonly whole: boolean;
  readonly enteredSwap: boolean;
  /** Attempts whose lock is known, in order; an abort is not among them. */
  readonly attempts: readonly OracleAttempt[];
  /** What a loss must be called, where the last step alone decides it; '' elsewhere. */
  readonly lastMissing: string;
  /** The step that ended it was seen: its end is not lost. */
  readonly endSeen: boolean;
  /** Kernel stack ids, in order. */
  readonly stacks: readonly number[];
}

export interface OracleAttempt {
  readonly lock: 'vma' | 'mmap';
  readonly outcome: string;
  readonly acquired: { readonly lo: number; readonly hi: number };
  readonly exactRelease: number;
}
