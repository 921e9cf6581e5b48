// SPDX-License-Identifier: MIT
/** Attempts as they begin, learn and end: the words the actions are written in. */

import { VlSharedArgs } from '../../schema/events.gen.js';
import type { FaultBits } from '../events/fault-bits.js';
import type { WaitKind } from '../vocabulary/waits.js';
import { type AttemptRecord, Innermost } from './attempt-record.js';
import { classify, noteRetry } from './causes.js';
import type { Interval, LockKind, Wait } from './lifecycle.js';
import type { FaultRecord } from './record.js';
import { releasedByRetry } from './release.js';
import type { StepContext } from './step.js';
import { judgeUnseen, TRIED_AGAIN } from './verdict.js';
import { closeWait, loseWaits, settleDeferred } from './waits.js';

export function join(f: FaultRecord, s: StepContext): void {
  if (f.joined || f.vmaAttempt?.outcome !== 'retry') return;
  f.joined = true;
  s.sink.joined(f);
}

export function begin(
  f: FaultRecord,
  s: StepContext,
  lock: LockKind,
  known: boolean,
  acquired: Interval,
): AttemptRecord {
  const attempt = s.pool.attempt(lock, known, acquired);
  attempt.gap = f.gap > 0;
  f.addAttempt(attempt);
  f.attempt = attempt;
  if (lock === 'vma') f.vmaAttempt = attempt;
  else join(f, s);
  return attempt;
}

/** The step before: of this fault, else of its task. */
export function since(f: FaultRecord): number {
  return Math.max(f.mark, f.before);
}

/**
 * The attempt under way. One that no step announced is under mmap_lock, had since the step before;
 * the lifecycle's first is under the VMA lock until its fault flags say otherwise.
 */
export function current(f: FaultRecord, s: StepContext): AttemptRecord {
  if (f.attempt !== null) return f.attempt;
  if (f.attempts.length > 0) return begin(f, s, 'mmap', true, { lo: since(f), hi: s.time });
  return begin(f, s, 'vma', false, Number.isNaN(f.acquired) ? { lo: f.before, hi: s.time } : f.start);
}

/**
 * Fault flags show which lock the attempt is under, and whether the fault came from user mode. An attempt that a step without
 * them began counts as one under mmap_lock until they say that it is a second try under the VMA lock.
 */
export function learn(f: FaultRecord, s: StepContext, attempt: AttemptRecord, faultFlags: number): void {
  if (faultFlags & s.bits.user) f.origin = 'user';
  attempt.passFlags = faultFlags & (s.bits.vmaLock | s.bits.tried);
  const { vmaLock, tried } = s.bits;
  const isSecondTry = attempt.lock === 'mmap' && attempt.passFlags === (vmaLock | tried);
  if (isSecondTry) judgeUnseen(f, s, TRIED_AGAIN);
  if (!attempt.lockKnown || isSecondTry) learnLock(f, s, attempt, faultFlags & vmaLock ? 'vma' : 'mmap');
}

export function learnLock(f: FaultRecord, s: StepContext, attempt: AttemptRecord, lock: LockKind): void {
  attempt.lockKnown = true;
  attempt.lock = lock;
  if (lock === 'vma') f.vmaAttempt = attempt;
  else {
    if (f.vmaAttempt === attempt) f.vmaAttempt = null;
    if (!Number.isNaN(f.acquired)) attempt.acquired = { lo: f.before, hi: f.first };
  }
  if (f.deferred > 0) settleDeferred(f, s, lock);
}

export function settleRetry(f: FaultRecord, s: StepContext, attempt: AttemptRecord): void {
  noteRetry(attempt, Innermost.Hmf, f.mark, s.time);
  attempt.outcome = 'retry';
  classify(f, attempt, s);
  releasedByRetry(attempt, s.time, attempt.ret !== -1 && s.bits.outlivesRetry);
}

export function settle(f: FaultRecord, s: StepContext, attempt: AttemptRecord): void {
  loseWaits(f, null);
  if (f.deferred > 0) settleDeferred(f, s, 'unknown');
  f.attempt = null;
  attempt.reported = attempt.lockKnown;
  if (attempt.lock === 'mmap') judgeUnseen(f, s);
  else f.unjudged = attempt.reported && attempt.outcome === 'retry';
  s.sink.settled(f, attempt);
}

/** A callee that may drop the lock was entered at `at`, or (NaN) after `lo`. */
export function enter(attempt: AttemptRecord, callee: Innermost, at: number, lo: number): void {
  if (attempt.first !== Innermost.None) return;
  attempt.open = callee;
  attempt.innerAt = at;
  attempt.innerLo = lo;
  attempt.innerHi = Number.NaN;
}

type Callee = typeof Innermost.Flor | typeof Innermost.Uffd | typeof Innermost.Filemap | typeof Innermost.Shmem;
const WAIT_OF: Readonly<Record<Callee, WaitKind>> = {
  [Innermost.Flor]: 'folio',
  [Innermost.Uffd]: 'userfault',
  [Innermost.Filemap]: 'file',
  [Innermost.Shmem]: 'shmem',
};

/** A callee returned, the step at hand says what. */
export function leave(f: FaultRecord, s: StepContext, attempt: AttemptRecord, callee: Callee): void {
  if (attempt.open !== callee) enter(attempt, callee, Number.NaN, f.mark);
  left(s, attempt, callee);
  closeWait(f, s, WAIT_OF[callee]);
}

/** The callee that was entered last is over, and with it the attempt if it said RETRY. */
export function left(s: StepContext, attempt: AttemptRecord, callee: Innermost): void {
  attempt.open = Innermost.None;
  if (attempt.first !== Innermost.None) return;
  if (Number.isNaN(attempt.innerHi)) attempt.innerHi = s.time;
  if (s[VlSharedArgs.ret] & s.bits.retry) attempt.first = callee;
}

/** The rows of __folio_lock_or_retry: a first try drops the lock before it waits, later ones and NOWAIT keep it. */
export function heldInFolioWait(attempt: AttemptRecord, faultFlags: number, bits: FaultBits): Wait['held'] {
  // 6.4 and 6.5 pass no vm_fault, so no flags are seen; only TRIED of the attempt decides.
  if (faultFlags === 0) return attempt.passFlags > 0 && attempt.passFlags & bits.tried ? 'mmap' : 'unknown';
  if (firstTry(faultFlags, bits)) return 'none';
  return faultFlags & bits.vmaLock ? 'vma' : 'mmap';
}

/** Whether a wait would be preceded by giving the lock back (fault_flag_allow_retry_first, and no NOWAIT). */
export function firstTry(faultFlags: number, bits: FaultBits): boolean {
  return (faultFlags & bits.allowRetry) !== 0 && !(faultFlags & (bits.tried | bits.nowait));
}
