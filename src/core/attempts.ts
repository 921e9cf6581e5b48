// SPDX-License-Identifier: MIT
/** Attempts and waits as they begin, learn and end: the words the actions are written in. */
import { classify, noteRetry } from './causes.js';
import type { FaultBits } from './fault-bits.js';
import type { Interval, LockKind, Wait, WaitKind } from './lifecycle.js';
import { AttemptRecord, type FaultRecord, Innermost, WaitRecord } from './record.js';
import { releasedByRetry } from './release.js';
import type { StepContext } from './step.js';

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
  const attempt = new AttemptRecord(lock, known, acquired);
  attempt.gap = f.gap > 0;
  f.attempts.push(attempt);
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
  return begin(f, s, 'vma', false, Number.isNaN(f.acquired) ? { lo: f.before, hi: f.first } : f.start);
}

/** Fault flags tell which lock the attempt is under, and whether the fault came from user mode. */
export function learn(f: FaultRecord, s: StepContext, attempt: AttemptRecord, faultFlags: number): void {
  if (faultFlags & s.bits.user) f.origin = 'user';
  attempt.passFlags = faultFlags & (s.bits.vmaLock | s.bits.tried);
  if (attempt.lockKnown) return;
  attempt.lockKnown = true;
  if (faultFlags & s.bits.vmaLock) {
    attempt.lock = 'vma';
    f.vmaAttempt = attempt;
  } else {
    attempt.lock = 'mmap';
    if (f.vmaAttempt === attempt) f.vmaAttempt = null;
    if (!Number.isNaN(f.acquired)) attempt.acquired = { lo: f.before, hi: f.first };
  }
}

export function settleRetry(f: FaultRecord, s: StepContext, attempt: AttemptRecord): void {
  noteRetry(attempt, Innermost.Hmf, f.mark, s.time);
  attempt.outcome = 'retry';
  classify(attempt, s.bits);
  releasedByRetry(attempt, s.time);
}

export function settle(f: FaultRecord, s: StepContext, attempt: AttemptRecord): void {
  f.attempt = null;
  f.wait = null;
  s.sink.settled(f, attempt);
}

export function openWait(f: FaultRecord, s: StepContext, kind: WaitKind, held: Wait['held']): void {
  f.wait = new WaitRecord(kind, held, s.time);
  f.waits.push(f.wait);
}

export function closeWait(f: FaultRecord, s: StepContext, kind: WaitKind): void {
  const wait = f.wait;
  if (wait?.kind !== kind) return;
  f.wait = null;
  wait.end = s.time;
  s.sink.waited(f, wait);
}

/** A callee that may drop the lock was entered at `at`, or (NaN) after `lo`. */
export function enter(attempt: AttemptRecord, callee: Innermost, at: number, lo: number): void {
  if (attempt.first !== Innermost.None) return;
  attempt.open = callee;
  attempt.innerAt = at;
  attempt.innerLo = lo;
  attempt.innerHi = Number.NaN;
}

export function leave(f: FaultRecord, s: StepContext, attempt: AttemptRecord, callee: Innermost): void {
  if (attempt.open !== callee) enter(attempt, callee, Number.NaN, f.mark);
  attempt.open = Innermost.None;
  if (attempt.first === Innermost.None) {
    if (Number.isNaN(attempt.innerHi)) attempt.innerHi = s.time;
    if (s.b & s.bits.retry) attempt.first = callee;
  }
  closeWait(f, s, callee === Innermost.Flor ? 'folio' : 'userfault');
}

/** The rows of __folio_lock_or_retry: a first try drops the lock before it waits, later ones and NOWAIT keep it. */
export function heldInFolioWait(attempt: AttemptRecord, faultFlags: number, bits: FaultBits): Wait['held'] {
  // 6.4 and 6.5 pass no vm_fault, so no flags are seen; only TRIED of the attempt decides.
  if (faultFlags === 0) return attempt.passFlags > 0 && attempt.passFlags & bits.tried ? 'mmap' : 'unknown';
  const drops = faultFlags & bits.allowRetry && !(faultFlags & (bits.tried | bits.nowait));
  if (drops) return 'none';
  return faultFlags & bits.vmaLock ? 'vma' : 'mmap';
}
