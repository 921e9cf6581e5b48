// SPDX-License-Identifier: MIT
/** What each action of the transition table does to a fault: the frame of a fault, and what cuts it short. */
import { VlArgs, VlHolder, VlKind, VlSharedArgs, VlStepFlag } from '../../schema/events.gen.js';
import type { AbortCause, Cause } from '../vocabulary/causes.js';
import { syscallNumber } from '../vocabulary/syscalls.js';
import { INSIDE_ACTIONS } from './actions-inside.js';
import { type AttemptRecord, Innermost, UNKNOWN_INTERVAL } from './attempt-record.js';
import { begin, current, learn, learnLock, settle, settleRetry, since } from './attempts.js';
import { abortCauseAtFallback, causeAtFallback } from './causes.js';
import type { FaultRecord } from './record.js';
import { releasedAfter, releasedExactly, releasedWithin } from './release.js';
import { stackIdOf } from './stack-id.js';
import type { Action, StepContext } from './step.js';
import { HMF, OUTSTANDING } from './table/runs.js';
import { ACTIONS, type ActionName, STATES, type StateName } from './table/states.js';
import { judge, judgeUnseen, TRIED_AGAIN } from './verdict.js';
import { closeWait, droppedInFile, forgetWait, openWait, waitOf } from './waits.js';

const abort = (f: FaultRecord, s: StepContext): void => {
  const attempt = begin(f, s, 'vma', true, UNKNOWN_INTERVAL);
  attempt.outcome = 'abort';
  attempt.cause = 'VMA lock unavailable';
  f.origin = 'user';
  settle(f, s, attempt);
};

/** The fallback says more of a settled attempt. */
const recause = (f: FaultRecord, s: StepContext, attempt: AttemptRecord, cause: Cause): void => {
  const was = attempt.cause;
  if (was === cause || was === null) return;
  attempt.cause = cause;
  if (attempt.reported) s.sink.caused(f, attempt, was);
};

/** The ABORT whose fallback is under way: the next attempt of its fault. */
const abortOf = (f: FaultRecord): AttemptRecord | null =>
  f.vmaAttempt?.outcome === 'abort' && f.attempts.length <= 2 ? f.vmaAttempt : null;

/** A writer held the mm when the fallback began. */
const behindWriter = (f: FaultRecord, s: StepContext): void => {
  const attempt = s[VlSharedArgs.holderKind] === VlHolder.WRITER ? abortOf(f) : null;
  if (attempt !== null) recause(f, s, attempt, 'writer in the mm');
};

const release: Action = (f, s) => {
  const attempt = f.attempt?.lock === 'vma' ? f.attempt : (f.vmaAttempt ?? current(f, s));
  // Only the VMA lock's release is sent.
  if (!attempt.lockKnown) learn(f, s, attempt, s.bits.vmaLock);
  if (!Number.isNaN(attempt.exactRelease)) return;
  attempt.exactRelease = s.time;
  if (attempt.outcome !== 'pending') s.sink.exact(attempt);
};

const mmRelease: Action = (f, s, from) => {
  const over = STATES[from] === 'MmKept';
  const attempt = over ? (f.attempts[f.attempts.length - 1] as AttemptRecord) : current(f, s);
  if (!attempt.lockKnown) learnLock(f, s, attempt, 'mmap');
  attempt.exactRelease = s.time;
  if (!over) {
    if (attempt.fileDrops && attempt.open === Innermost.Filemap) droppedInFile(f, attempt, s.time);
    return;
  }
  releasedExactly(attempt);
  s.sink.exact(attempt);
};

const hmfExit: Action = (f, s) => {
  const attempt = current(f, s);
  const { bits } = s;
  const flags = s[VlArgs.HMF_EXIT.flags];
  const ret = s[VlArgs.HMF_EXIT.ret];
  learn(f, s, attempt, flags);
  if (!(s.flags & VlStepFlag.REGS)) f.origin = 'gup';
  else f.origin = flags & bits.user ? 'user' : 'kernel';
  attempt.flags = flags;
  attempt.ret = ret;
  attempt.result = (attempt.result === -1 ? 0 : attempt.result) | ret;
  if (ret & bits.major) f.major = true;
  if (ret & bits.retry) settleRetry(f, s, attempt);
  else if (ret & bits.completed && !(ret & bits.error)) {
    attempt.outcome = 'completed';
    releasedWithin(attempt, f.mark, s.time);
  } else {
    attempt.outcome = ret & bits.error ? 'error' : 'ok';
    releasedAfter(attempt, s.time);
  }
  settle(f, s, attempt);
};

/** mmap_lock was given back though nothing inside that drops it is under way: handle_mm_fault is over. */
export function isReleased(f: FaultRecord): boolean {
  const { attempt } = f;
  return (
    attempt !== null &&
    attempt.lock === 'mmap' &&
    !Number.isNaN(attempt.exactRelease) &&
    attempt.open === Innermost.None &&
    attempt.first === Innermost.None
  );
}

const cutShort: Action = (f, s, from) => {
  const state: StateName = STATES[from] ?? 'Closed';
  if (state === 'Kept' || state === 'MmKept') {
    if (f.gap === 0) f.lose(`${OUTSTANDING[state]} missed`);
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
  if (f.gap > 0 || !isReleased(f)) return;
  f.how = 'ok-mmap';
  f.lose(`${HMF} missed`);
};

const accessError: Action = (f, s) => {
  const lock = s[VlArgs.ACCESS_ERROR.vmaLock] === 1 ? 'vma' : 'mmap';
  const attempt = f.attempt ?? begin(f, s, lock, true, lock === 'vma' ? f.start : { lo: since(f), hi: s.time });
  if (!attempt.lockKnown) learnLock(f, s, attempt, lock);
  f.origin = 'user';
  attempt.outcome = 'error';
  releasedAfter(attempt, s.time);
  settle(f, s, attempt);
};

const ACTION: Readonly<Record<ActionName, Action>> = {
  ...INSIDE_ACTIONS,
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
  secondTry: (f, s) => {
    // What the fallback would have found will not be known: the attempt came before it.
    if (f.vmaAttempt !== null) judgeUnseen(f, s, TRIED_AGAIN);
    begin(f, s, 'vma', true, { lo: since(f), hi: s.time }).passFlags = s.bits.vmaLock | s.bits.tried;
  },
  mmEnter: (f, s, from) => {
    // First of its lifecycle, from user mode: no attempt under the VMA lock came before.
    const user = s[VlArgs.MM_LOCK_ENTER.userMode] === 1;
    if (STATES[from] === 'Start' && user && f.gap === 0) abort(f, s);
    if (f.origin === 'unknown') f.origin = user ? 'user' : 'kernel';
    f.writer = null;
    begin(f, s, 'mmap', true, { lo: s.time, hi: Number.POSITIVE_INFINITY });
    behindWriter(f, s);
    openWait(f, s, 'mmapLock', 'none');
  },
  mmEntryMissed: (f, s) => {
    f.writer = null;
    begin(f, s, 'mmap', true, { lo: since(f), hi: Number.POSITIVE_INFINITY });
  },
  mmContended: (f, s) => {
    behindWriter(f, s);
    const attempt = current(f, s);
    attempt.acquired = { lo: s.time, hi: attempt.acquired.hi };
    const wait = waitOf(f, 'mmapLock');
    if (wait === null) return;
    wait.contended = s.time;
    wait.holder = s[VlArgs.MM_CONTENDED.holder];
  },
  vmaOps: (f, s) => {
    if (!f.unjudged || f.vmaAttempt === null) return;
    f.vmaAttempt.faultHandler = (BigInt(s[VlArgs.VMA_OPS.high]) << 32n) | BigInt(s[VlArgs.VMA_OPS.low]);
  },
  mmWriter: (f, s) => {
    const syscall = syscallNumber(s[VlArgs.MM_WRITER.writerSyscall]);
    f.writer = { tid: s[VlArgs.MM_WRITER.writer], syscall, exact: (s.flags & VlStepFlag.EXACT) !== 0 };
  },
  mmExit: (f, s) => {
    const found = s[VlArgs.MM_LOCK_EXIT.found];
    const attempt = f.attempt ?? begin(f, s, 'mmap', true, { lo: since(f), hi: s.time });
    const wait = closeWait(f, s, 'mmapLock');
    attempt.acquired = { lo: attempt.acquired.lo, hi: s.time };
    const first = f.vmaAttempt;
    const aborted = abortOf(f);
    if (aborted !== null) recause(f, s, aborted, abortCauseAtFallback(aborted.cause as AbortCause, found));
    else if (f.unjudged && first !== null) {
      for (const again of f.attempts) {
        // Where the kernel tries once more under the VMA lock, what refused the second try has refused the first.
        if (again.lock !== 'vma' || again.outcome !== 'retry') continue;
        if (again.first === Innermost.Hmf) again.faultHandler = first.faultHandler;
        recause(f, s, again, causeAtFallback(f, again, found, s.bits));
      }
      judge(f, s, wait);
    }
    if (found !== 0) return;
    // NULL: a bad address, or killed while it waited.
    attempt.acquired = UNKNOWN_INTERVAL;
    attempt.outcome = 'error';
    settle(f, s, attempt);
  },
  mmExitMissed: (f, s) => {
    const attempt = current(f, s);
    attempt.acquired = { lo: attempt.acquired.lo, hi: s.time };
    forgetWait(f, 'mmapLock');
  },
  mmRelease,
  accessError,
  release,
  stack: (f, s) => {
    const attempt = f.attempts[f.attempts.length - 1] ?? null;
    // The first is where its RETRY came from.
    if (attempt !== null && attempt.kernelStack < 0 && attempt.userStack < 0) {
      attempt.kernelStack = stackIdOf(s[VlArgs.STACK.kernel]);
      attempt.userStack = stackIdOf(s[VlArgs.STACK.user]);
    }
    s.sink.stack(f, attempt, s[VlArgs.STACK.kernel]);
  },
  cutShort,
};

/** By index of ACTIONS. */
export const PERFORM: readonly Action[] = ACTIONS.map((name) => ACTION[name]);
