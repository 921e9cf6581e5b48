// SPDX-License-Identifier: MIT
/**
 * Records of faults that are over, to be used again. A storm makes tens of thousands a second that live for less than
 * a second each: as garbage they outlive the nursery, and the collector walks the whole heap twice a second for them.
 */

import type { WaitKind } from '../vocabulary/waits.js';
import { AttemptRecord, WaitRecord } from './attempt-record.js';
import type { Interval, LockKind, Wait } from './lifecycle.js';
import { FaultRecord } from './record.js';

/** Kept of each kind; a herd that ends leaves more, and those go. */
const MAX_FREE = 4096;

export class RecordPool {
  readonly #faults: FaultRecord[] = [];
  readonly #attempts: AttemptRecord[] = [];
  readonly #waits: WaitRecord[] = [];

  /** Held once. */
  fault(fault: number, faultCpu: number, tid: number, time: number, before: number): FaultRecord {
    const free = this.#faults.pop();
    if (free === undefined) return new FaultRecord(fault, faultCpu, tid, time, before);
    return free.begin(fault, faultCpu, tid, time, before);
  }

  /** Belongs to the fault in whose list it is. */
  attempt(lock: LockKind, lockKnown: boolean, acquired: Interval): AttemptRecord {
    const free = this.#attempts.pop();
    if (free === undefined) return new AttemptRecord(lock, lockKnown, acquired);
    return free.begin(lock, lockKnown, acquired);
  }

  /** Belongs to the fault in whose list it is. */
  wait(kind: WaitKind, held: Wait['held'], start: number, outer: WaitRecord | null): WaitRecord {
    const free = this.#waits.pop();
    if (free === undefined) return new WaitRecord(kind, held, start, outer);
    return free.begin(kind, held, start, outer);
  }

  /** Who reads a fault, or its attempts and waits, after the fold has closed it must hold it. */
  hold(fault: FaultRecord): FaultRecord {
    fault.holders++;
    return fault;
  }

  /** One who held it does not read it any more. */
  letGo(fault: FaultRecord): void {
    if (--fault.holders > 0) return;
    const { attempts, waits } = fault;
    for (let i = 0; i < attempts.length; i++) this.letGoAttempt(attempts[i] as AttemptRecord);
    for (let i = 0; i < waits.length && this.#waits.length < MAX_FREE; i++) this.#waits.push(waits[i] as WaitRecord);
    if (this.#faults.length < MAX_FREE) this.#faults.push(fault);
  }

  /** One attempt of a fault, where the others are not read. */
  holdAttempt(attempt: AttemptRecord): AttemptRecord {
    attempt.holders++;
    return attempt;
  }

  letGoAttempt(attempt: AttemptRecord): void {
    if (--attempt.holders === 0 && this.#attempts.length < MAX_FREE) this.#attempts.push(attempt);
  }
}
