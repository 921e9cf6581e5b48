// SPDX-License-Identifier: MIT
/** What an action is given: the step at hand, and who hears of what is found. */
import type { FaultBits } from './fault-bits.js';
import type { AttemptRecord, FaultRecord, WaitRecord } from './record.js';

/** Who hears of what the fold finds. Called in the order of the steps. */
export interface FoldSink {
  opened(fault: FaultRecord): void;
  enteredSwap(fault: FaultRecord): void;
  device(fault: FaultRecord): void;
  /** An attempt is over: its outcome, cause and derived release are known. */
  settled(fault: FaultRecord, attempt: AttemptRecord): void;
  /** The mmap_lock attempt after a RETRY under the VMA lock was seen to begin. */
  joined(fault: FaultRecord): void;
  waited(fault: FaultRecord, wait: WaitRecord): void;
  /** The upper bound of an R2 release became known after its attempt was settled. */
  bounded(attempt: AttemptRecord): void;
  /** The exact release became known after its attempt was settled. */
  exact(attempt: AttemptRecord): void;
  closed(fault: FaultRecord): void;
}

/** The step at hand. */
export interface StepContext {
  readonly bits: FaultBits;
  readonly sink: FoldSink;
  kind: number;
  flags: number;
  time: number;
  a: number;
  b: number;
}
