// SPDX-License-Identifier: MIT
/** What an action is given: the step at hand, and who hears of what is found. */

import type { FaultBits } from '../events/fault-bits.js';
import type { Cause } from '../vocabulary/causes.js';
import type { AttemptRecord, WaitRecord } from './attempt-record.js';
import type { FaultRecord } from './record.js';
import type { RecordPool } from './record-pool.js';
import type { SwapRefusals } from './swap-refusals.js';

/**
 * Who hears of what the fold finds. Called in the order of the steps. Records are lent for the length of a call, those of
 * an open fault for as long as it is open; to keep one longer is to hold it (`RecordPool`).
 */
export interface FoldSink {
  opened(fault: FaultRecord): void;
  swapFault(fault: FaultRecord): void;
  device(fault: FaultRecord): void;
  /**
   * An attempt is over: its outcome, cause and derived release are known. The cause of a RETRY or an ABORT is the best
   * the attempt itself shows; what the fallback finds may replace it (`caused`).
   */
  settled(fault: FaultRecord, attempt: AttemptRecord): void;
  /** A settled RETRY or ABORT has another cause than `settled` said: one more of `attempt.cause`, one less of `was`. */
  caused(fault: FaultRecord, attempt: AttemptRecord, was: Cause): void;
  /**
   * `attempt.verdict` is known: once for every RETRY under the VMA lock that `settled` had with `lockKnown`, before
   * `closed` at the latest. Its cause is final. `wait`: the fallback's mmapLock wait, which `waited` had before; null
   * when there was none or its end was not seen.
   */
  judged(fault: FaultRecord, attempt: AttemptRecord, wait: WaitRecord | null): void;
  /** The mmap_lock attempt after a RETRY under the VMA lock was seen to begin. */
  joined(fault: FaultRecord): void;
  /** A wait is over, its end seen. Waits nest: one inside another comes before it. */
  waited(fault: FaultRecord, wait: WaitRecord): void;
  /** The upper bound of an R2 release became known after its attempt was settled. */
  bounded(attempt: AttemptRecord): void;
  /** The exact release became known after its attempt was settled. */
  exact(attempt: AttemptRecord): void;
  /**
   * Where the step before came from: id of its kernel stack, 0xffffffff none. `attempt`: the latest of the fault, null when none;
   * after its RETRY it is where that came from.
   */
  stack(fault: FaultRecord, attempt: AttemptRecord | null, kernel: number): void;
  closed(fault: FaultRecord): void;
}

/** The step at hand. */
export interface StepContext {
  readonly bits: FaultBits;
  readonly sink: FoldSink;
  readonly pool: RecordPool;
  readonly refusals: SwapRefusals;
  kind: number;
  flags: number;
  time: number;
  a: number;
  b: number;
}

/** What a cell of the transition table does to a fault. `from`: index of the state the fault was in. */
export type Action = (f: FaultRecord, s: StepContext, from: number) => void;
