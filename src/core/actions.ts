// SPDX-License-Identifier: MIT
/** What each action of the transition table does to a fault. */
import { VlKind, VlStepFlag } from '../schema/events.gen.js';
import {
  begin,
  closeWait,
  current,
  enter,
  heldInFolioWait,
  learn,
  leave,
  openWait,
  settle,
  settleRetry,
  since,
} from './attempts.js';
import { noteRetry } from './causes.js';
import { SWP_SYNCHRONOUS_IO } from './fault-bits.js';
import { type FaultRecord, Innermost, UNKNOWN_INTERVAL } from './record.js';
import { releasedAfter, releasedWithin } from './release.js';
import { ACTIONS, type ActionName, STATES, type StateName } from './states.js';
import type { StepContext } from './step.js';
import { OUTSTANDING } from './transitions.js';

/** `from`: index of the state the fault was in. */
type Action = (f: FaultRecord, s: StepContext, from: number) => void;

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
