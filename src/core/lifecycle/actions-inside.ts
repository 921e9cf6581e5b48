// SPDX-License-Identifier: MIT
/** What the actions of the transition table do for the steps inside handle_mm_fault. */
import { VlFile, VlInner } from '../../schema/events.gen.js';
import { SWP_SYNCHRONOUS_IO } from '../events/fault-bits.js';
import { pteKind } from '../vocabulary/arch.js';
import { reportedWait, WAIT_FACTS } from '../vocabulary/waits.js';
import { type AttemptRecord, Innermost } from './attempt-record.js';
import { current, enter, firstTry, heldInFolioWait, learn, leave, left } from './attempts.js';
import { noteDevice, noteRetry } from './causes.js';
import type { FaultRecord } from './record.js';
import type { Action, StepContext } from './step.js';
import type { ActionName } from './table/states.js';
import { closeWait, droppedInFile, openNested, openWait, waitOf } from './waits.js';

type InsideAction = Extract<
  ActionName,
  `swap${string}` | `flor${string}` | `uffd${string}` | `file${string}` | `wait${string}` | 'anonPrepare' | 'innerRetry'
>;

/** The return of a callee was missed: this is the next step after its entry. */
function boundOpen(attempt: AttemptRecord, time: number): void {
  const waiting = attempt.open !== Innermost.None || attempt.first === Innermost.Anon;
  if (waiting && Number.isNaN(attempt.innerHi)) attempt.innerHi = time;
}

function noteResult(attempt: AttemptRecord, ret: number): void {
  attempt.result = (attempt.result === -1 ? 0 : attempt.result) | ret;
}

const fileEnter: Action = (f, s) => {
  const attempt = current(f, s);
  learn(f, s, attempt, s.a);
  const shmem = (s.b & VlFile.SHMEM) !== 0;
  enter(attempt, shmem ? Innermost.Shmem : Innermost.Filemap, s.time, Number.NaN);
  attempt.fileDrops = !shmem && firstTry(s.a, s.bits);
  openWait(f, s, shmem ? 'shmem' : 'file', attempt.lock);
};

const fileExit: Action = (f, s) => {
  const attempt = current(f, s);
  const shmem = (s.a & VlFile.SHMEM) !== 0;
  const callee = shmem ? Innermost.Shmem : Innermost.Filemap;
  attempt.fileBits = s.a;
  noteResult(attempt, s.b);
  const wait = waitOf(f, shmem ? 'shmem' : 'file');
  // A first try that returns RETRY has waited, if at all, after it dropped the lock.
  const tried = attempt.passFlags > 0 && (attempt.passFlags & s.bits.tried) !== 0;
  if (wait !== null && s.b & s.bits.retry && !tried) wait.held = 'none';
  if (attempt.open === Innermost.Uffd) {
    left(s, attempt, Innermost.Uffd);
    closeWait(f, s, shmem ? 'shmem' : 'file');
    return;
  }
  // Which of the two it was is a guess where the entry was not seen.
  if (attempt.open === Innermost.Filemap || attempt.open === Innermost.Shmem) attempt.open = callee;
  leave(f, s, attempt, callee);
};

/** do_swap_page is called for PTE markers and other special entries as well, and again by each later pass: a fault counts once. */
function swapFault(f: FaultRecord, s: StepContext): void {
  if (f.swapFault) return;
  f.swapFault = true;
  s.sink.swapFault(f);
}

export const INSIDE_ACTIONS: Readonly<Record<InsideAction, Action>> = {
  swapEnter: (f, s) => {
    const attempt = current(f, s);
    learn(f, s, attempt, s.a);
    attempt.swapAt = s.time;
    if (f.enteredSwap) return;
    f.enteredSwap = true;
    const entry = pteKind(f.pte, s.bits.arch);
    if (entry === 'swap' || (entry === 'unknown' && !s.bits.deviceHooked)) swapFault(f, s);
  },
  swapExit: (f, s) => {
    const attempt = current(f, s);
    boundOpen(attempt, s.time);
    noteResult(attempt, s.b);
    if (s.b & s.bits.retry) noteRetry(attempt, Innermost.Swap, f.mark, s.time);
  },
  swapDevice: (f, s) => {
    const attempt = current(f, s);
    if (!attempt.deviceSeen) noteDevice(f, s, attempt);
    attempt.deviceSeen = true;
    swapFault(f, s);
    const missing = s.a === 0xffffffff;
    f.swap = { type: missing ? -1 : s.a, synchronous: !missing && (s.b & SWP_SYNCHRONOUS_IO) !== 0, missing };
    s.sink.device(f);
  },
  florEnter: (f, s) => {
    const attempt = current(f, s);
    if (s.a !== 0) learn(f, s, attempt, s.a);
    enter(attempt, Innermost.Flor, s.time, Number.NaN);
    attempt.florSeen = true;
    attempt.florFlags = s.flags;
    attempt.folio = s.b;
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
    const wait = waitOf(f, 'folio');
    if (wait !== null) wait.slept = true;
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
    attempt.uffdReason = s.b;
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
    // Without its return (b is 0 then) the RETRY of handle_mm_fault proves it: the failed trylock leaves no other.
    enter(attempt, Innermost.Anon, s.time, Number.NaN);
    if (!(s.b & s.bits.retry)) return;
    attempt.open = Innermost.None;
    attempt.first = Innermost.Anon;
  },
  fileEnter,
  fileEntryMissed: (f, s) => enter(current(f, s), Innermost.Filemap, Number.NaN, f.mark),
  fileSleep: (f, s) => {
    const attempt = current(f, s);
    const wait = waitOf(f, 'file') ?? waitOf(f, 'shmem');
    if (wait !== null) wait.slept = true;
    // Direct reclaim inside sleeps as well, and says nothing of the lock.
    if (attempt.fileDrops && wait !== null && f.wait === wait) droppedInFile(f, attempt, s.time);
  },
  fileExit,
  innerRetry: (f, s) => {
    const attempt = current(f, s);
    boundOpen(attempt, s.time);
    attempt.hugetlb = s.a === VlInner.HUGETLB;
    noteRetry(attempt, attempt.hugetlb ? Innermost.Hugetlb : Innermost.PmdPrivate, f.mark, s.time);
  },
  waitEnter: (f, s) => {
    const kind = reportedWait(s.a);
    if (kind === undefined) return;
    const attempt = current(f, s);
    if (kind === 'fileRead') {
      attempt.fileRead = true;
      if (attempt.fileDrops && attempt.open === Innermost.Filemap) droppedInFile(f, attempt, s.time);
    }
    openNested(f, s, attempt, kind);
  },
  waitExit: (f, s) => {
    const kind = reportedWait(s.a);
    if (kind === undefined) return;
    const attempt = current(f, s);
    if (closeWait(f, s, kind) === null && !attempt.gap && f.gap === 0) f.lose(`${WAIT_FACTS[kind].title} entry missed`);
  },
};
