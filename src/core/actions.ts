// SPDX-License-Identifier: MIT
/** What each action of the transition table does to a fault. */
import { VlKind, VlStepFlag } from '../schema/events.gen.js';
import { classify, noteRetry } from './causes.js';
import { type FaultBits, SWP_SYNCHRONOUS_IO } from './fault-bits.js';
import type { Interval, LockKind, Wait, WaitKind } from './lifecycle.js';
import { AttemptRecord, type FaultRecord, Innermost, UNKNOWN_INTERVAL, WaitRecord } from './record.js';
import { releasedAfter, releasedByRetry, releasedWithin } from './release.js';
import { ACTIONS, type ActionName, OUTSTANDING, STATES, type StateName } from './transitions.js';

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

/** `from`: index of the state the fault was in. */
type Action = (f: FaultRecord, s: StepContext, from: number) => void;

function join(f: FaultRecord, s: StepContext): void {
  if (f.joined || f.vmaAttempt?.outcome !== 'retry') return;
  f.joined = true;
  s.sink.joined(f);
}

function begin(f: FaultRecord, s: StepContext, lock: LockKind, known: boolean, acquired: Interval): AttemptRecord {
  const attempt = new AttemptRecord(lock, known, acquired);
  attempt.gap = f.gap > 0;
  f.attempts.push(attempt);
  f.attempt = attempt;
  if (lock === 'vma') f.vmaAttempt = attempt;
  else join(f, s);
  return attempt;
}

/** The step before: of this fault, else of its task. */
function since(f: FaultRecord): number {
  return Math.max(f.mark, f.before);
}

/**
 * The attempt under way. One that no step announced is under mmap_lock, had since the step before;
 * the lifecycle's first is under the VMA lock until its fault flags say otherwise.
 */
function current(f: FaultRecord, s: StepContext): AttemptRecord {
  if (f.attempt !== null) return f.attempt;
  if (f.attempts.length > 0) return begin(f, s, 'mmap', true, { lo: since(f), hi: s.time });
  return begin(f, s, 'vma', false, Number.isNaN(f.acquired) ? { lo: f.before, hi: f.first } : f.start);
}

/** Fault flags tell which lock the attempt is under, and whether the fault came from user mode. */
function learn(f: FaultRecord, s: StepContext, attempt: AttemptRecord, faultFlags: number): void {
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

function settleRetry(f: FaultRecord, s: StepContext, attempt: AttemptRecord): void {
  noteRetry(attempt, Innermost.Hmf, f.mark, s.time);
  attempt.outcome = 'retry';
  classify(attempt, s.bits);
  releasedByRetry(attempt, s.time);
}

function settle(f: FaultRecord, s: StepContext, attempt: AttemptRecord): void {
  f.attempt = null;
  f.wait = null;
  s.sink.settled(f, attempt);
}

function openWait(f: FaultRecord, s: StepContext, kind: WaitKind, held: Wait['held']): void {
  f.wait = new WaitRecord(kind, held, s.time);
  f.waits.push(f.wait);
}

function closeWait(f: FaultRecord, s: StepContext, kind: WaitKind): void {
  const wait = f.wait;
  if (wait?.kind !== kind) return;
  f.wait = null;
  wait.end = s.time;
  s.sink.waited(f, wait);
}

/** A callee that may drop the lock was entered at `at`, or (NaN) after `lo`. */
function enter(attempt: AttemptRecord, callee: Innermost, at: number, lo: number): void {
  if (attempt.first !== Innermost.None) return;
  attempt.open = callee;
  attempt.innerAt = at;
  attempt.innerLo = lo;
  attempt.innerHi = Number.NaN;
}

function leave(f: FaultRecord, s: StepContext, attempt: AttemptRecord, callee: Innermost): void {
  if (attempt.open !== callee) enter(attempt, callee, Number.NaN, f.mark);
  attempt.open = Innermost.None;
  if (attempt.first === Innermost.None) {
    if (Number.isNaN(attempt.innerHi)) attempt.innerHi = s.time;
    if (s.b & s.bits.retry) attempt.first = callee;
  }
  closeWait(f, s, callee === Innermost.Flor ? 'folio' : 'userfault');
}

/** The rows of __folio_lock_or_retry: a first try drops the lock before it waits, later ones and NOWAIT keep it. */
function heldInFolioWait(attempt: AttemptRecord, faultFlags: number, bits: FaultBits): Wait['held'] {
  // 6.4 and 6.5 pass no vm_fault, so no flags are seen; only TRIED of the attempt decides.
  if (faultFlags === 0) return attempt.passFlags > 0 && attempt.passFlags & bits.tried ? 'mmap' : 'unknown';
  const drops = faultFlags & bits.allowRetry && !(faultFlags & (bits.tried | bits.nowait));
  if (drops) return 'none';
  return faultFlags & bits.vmaLock ? 'vma' : 'mmap';
}

const abort = (f: FaultRecord, s: StepContext): void => {
  const attempt = begin(f, s, 'vma', true, UNKNOWN_INTERVAL);
  attempt.outcome = 'abort';
  attempt.cause = 'VMA lock unavailable';
  f.origin = 'user';
  settle(f, s, attempt);
};

const release: Action = (f, s) => {
  const attempt = f.attempt?.lock === 'vma' ? f.attempt : (f.vmaAttempt ?? current(f, s));
  // Only the VMA lock's release is sent.
  if (!attempt.lockKnown) learn(f, s, attempt, s.bits.vmaLock);
  if (!Number.isNaN(attempt.exactRelease)) return;
  attempt.exactRelease = s.time;
  if (attempt.outcome !== 'pending') s.sink.exact(attempt);
};

const hmfExit: Action = (f, s) => {
  const attempt = current(f, s);
  const { bits } = s;
  learn(f, s, attempt, s.a);
  if (!(s.flags & VlStepFlag.REGS)) f.origin = 'gup';
  else f.origin = s.a & bits.user ? 'user' : 'kernel';
  attempt.flags = s.a;
  attempt.ret = s.b;
  if (s.b & bits.major) f.major = true;
  if (s.b & bits.retry) settleRetry(f, s, attempt);
  else if (s.b & bits.completed && !(s.b & bits.error)) {
    attempt.outcome = 'completed';
    releasedWithin(attempt, f.mark, s.time);
  } else {
    attempt.outcome = s.b & bits.error ? 'error' : 'ok';
    releasedAfter(attempt, s.time);
  }
  settle(f, s, attempt);
};

const cutShort: Action = (f, s, from) => {
  const state: StateName = STATES[from] ?? 'Closed';
  if (state === 'Kept') {
    if (f.gap === 0) f.lose(`${OUTSTANDING.Kept} missed`);
    return;
  }
  // fault_signal_pending: after RETRY a pending signal ends the fault without a fallback. A signal or the task's end
  // is proof; that a newer fault began is proof only where nothing else is known to be missing.
  const whole = f.gap === 0 && (s.kind !== VlKind.ABANDONED || f.lost.length === 0);
  if (state === 'Retried' && whole && f.origin !== 'gup') {
    f.how = 'signal';
    return;
  }
  f.how = 'incomplete';
  if (state === 'Retried' && f.origin === 'gup') f.lose('get_user_pages went on without handle_mm_fault');
  else if (f.gap === 0) f.lose(`${OUTSTANDING[state]} missed`);
};

const ACTION: Readonly<Record<ActionName, Action>> = {
  none: () => {},
  odd: (f, s) => f.lose(`unexpected step ${s.kind}`),
  vmaNull: (f, s) => {
    f.start = { lo: s.time, hi: s.time };
    abort(f, s);
  },
  vmaLocked: (f, s) => {
    f.start = { lo: s.time, hi: s.time };
    begin(f, s, 'vma', true, f.start).passFlags = s.bits.vmaLock;
  },
  hmfExit,
  retryProven: (f, s) => {
    const attempt = current(f, s);
    settleRetry(f, s, attempt);
    settle(f, s, attempt);
  },
  swapEnter: (f, s) => {
    const attempt = current(f, s);
    learn(f, s, attempt, s.a);
    attempt.swapAt = s.time;
    if (f.enteredSwap) return;
    f.enteredSwap = true;
    s.sink.enteredSwap(f);
  },
  swapExit: (f, s) => {
    const attempt = current(f, s);
    // The return of a callee was missed: this is the next step after its entry.
    if (attempt.open !== Innermost.None && Number.isNaN(attempt.innerHi)) attempt.innerHi = s.time;
    if (s.b & s.bits.retry) noteRetry(attempt, Innermost.Swap, f.mark, s.time);
  },
  swapDevice: (f, s) => {
    current(f, s).deviceSeen = true;
    const missing = s.a === 0xffffffff;
    f.swap = { type: missing ? -1 : s.a, synchronous: !missing && (s.b & SWP_SYNCHRONOUS_IO) !== 0, missing };
    s.sink.device(f);
  },
  florEnter: (f, s) => {
    const attempt = current(f, s);
    if (s.a !== 0) learn(f, s, attempt, s.a);
    enter(attempt, Innermost.Flor, s.time, Number.NaN);
    attempt.florSeen = true;
    attempt.florTried = attempt.passFlags > 0 && (attempt.passFlags & s.bits.tried) !== 0;
    openWait(f, s, 'folio', heldInFolioWait(attempt, s.a, s.bits));
  },
  florEntryMissed: (f, s) => {
    const attempt = current(f, s);
    enter(attempt, Innermost.Flor, Number.NaN, f.mark);
    attempt.florSeen = true;
  },
  florSleep: (f, s) => {
    const attempt = current(f, s);
    // A second try sleeps with the lock held: its sleep bounds nothing.
    if (Number.isNaN(attempt.innerHi) && !attempt.florTried) attempt.innerHi = s.time;
    if (f.wait !== null) f.wait.slept = true;
  },
  florExit: (f, s) => {
    const attempt = current(f, s);
    leave(f, s, attempt, Innermost.Flor);
    attempt.florSeen = true;
  },
  uffdEnter: (f, s) => {
    const attempt = current(f, s);
    learn(f, s, attempt, s.a);
    enter(attempt, Innermost.Uffd, s.time, Number.NaN);
    attempt.uffdSeen = true;
    openWait(f, s, 'userfault', 'none');
  },
  uffdExit: (f, s) => {
    const attempt = current(f, s);
    leave(f, s, attempt, Innermost.Uffd);
    attempt.uffdSeen = true;
  },
  anonPrepare: (f, s) => {
    const attempt = current(f, s);
    if (attempt.first !== Innermost.None) return;
    enter(attempt, Innermost.None, s.time, Number.NaN);
    attempt.first = Innermost.Anon;
  },
  mmEnter: (f, s, from) => {
    // First of its lifecycle, from user mode: no attempt under the VMA lock came before.
    if (STATES[from] === 'Start' && s.a === 1 && f.gap === 0) abort(f, s);
    if (f.origin === 'unknown') f.origin = s.a === 1 ? 'user' : 'kernel';
    begin(f, s, 'mmap', true, { lo: s.time, hi: Number.POSITIVE_INFINITY });
    openWait(f, s, 'mmapLock', 'none');
  },
  mmExit: (f, s) => {
    const attempt = f.attempt ?? begin(f, s, 'mmap', true, { lo: since(f), hi: s.time });
    closeWait(f, s, 'mmapLock');
    attempt.acquired = { lo: attempt.acquired.lo, hi: s.time };
    if (s.a !== 0) return;
    // NULL: a bad address, or killed while it waited.
    attempt.acquired = UNKNOWN_INTERVAL;
    attempt.outcome = 'error';
    settle(f, s, attempt);
  },
  mmExitMissed: (f, s) => {
    const attempt = current(f, s);
    attempt.acquired = { lo: attempt.acquired.lo, hi: s.time };
    f.wait = null;
  },
  release,
  cutShort,
};

/** By index of ACTIONS. */
export const PERFORM: readonly Action[] = ACTIONS.map((name) => ACTION[name]);
