// SPDX-License-Identifier: MIT
/** What the actions of the transition table do for the steps inside handle_mm_fault. */
import { VlArgs, VlFile, VlInner } from '../../schema/events.gen.js';
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
  learn(f, s, attempt, s[VlArgs.FILE_ENTER.flags]);
  const shmem = (s[VlArgs.FILE_ENTER.file] & VlFile.SHMEM) !== 0;
  enter(attempt, shmem ? Innermost.Shmem : Innermost.Filemap, s.time, Number.NaN);
  attempt.fileDrops = !shmem && firstTry(s[VlArgs.FILE_ENTER.flags], s.bits);
  openWait(f, s, shmem ? 'shmem' : 'file', attempt.lock);
};

const fileExit: Action = (f, s) => {
  const attempt = current(f, s);
  const ret = s[VlArgs.FILE_EXIT.ret];
  attempt.fileBits = s[VlArgs.FILE_EXIT.file];
  const shmem = (attempt.fileBits & VlFile.SHMEM) !== 0;
  const callee = shmem ? Innermost.Shmem : Innermost.Filemap;
  noteResult(attempt, ret);
  const wait = waitOf(f, shmem ? 'shmem' : 'file');
  // A first try that returns RETRY has waited, if at all, after it dropped the lock.
  const tried = attempt.passFlags > 0 && (attempt.passFlags & s.bits.tried) !== 0;
  if (wait !== null && ret & s.bits.retry && !tried) wait.held = 'none';
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
    learn(f, s, attempt, s[VlArgs.SWAP_ENTER.flags]);
    attempt.swapAt = s.time;
    if (f.enteredSwap) return;
    f.enteredSwap = true;
    const entry = pteKind(f.pte, s.bits.arch);
    if (entry === 'swap' || (entry === 'unknown' && !s.bits.deviceHooked)) swapFault(f, s);
  },
  swapExit: (f, s) => {
    const attempt = current(f, s);
    boundOpen(attempt, s.time);
    const ret = s[VlArgs.SWAP_EXIT.ret];
    noteResult(attempt, ret);
    if (ret & s.bits.retry) noteRetry(attempt, Innermost.Swap, f.mark, s.time);
  },
  swapDevice: (f, s) => {
    const attempt = current(f, s);
    if (!attempt.deviceSeen) noteDevice(f, s, attempt);
    attempt.deviceSeen = true;
    swapFault(f, s);
    const type = s[VlArgs.SWAP_DEVICE.type];
    const missing = type === 0xffffffff;
    const synchronous = !missing && (s[VlArgs.SWAP_DEVICE.siFlags] & SWP_SYNCHRONOUS_IO) !== 0;
    f.swap = { type: missing ? -1 : type, synchronous, missing };
    s.sink.device(f);
  },
  florEnter: (f, s) => {
    const attempt = current(f, s);
    const flags = s[VlArgs.FLOR_ENTER.flags];
    if (flags !== 0) learn(f, s, attempt, flags);
    enter(attempt, Innermost.Flor, s.time, Number.NaN);
    attempt.florSeen = true;
    attempt.florFlags = s.flags;
    attempt.folio = s[VlArgs.FLOR_ENTER.folio];
    attempt.florTried = attempt.passFlags > 0 && (attempt.passFlags & s.bits.tried) !== 0;
    openWait(f, s, 'folio', heldInFolioWait(attempt, flags, s.bits));
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
    learn(f, s, attempt, s[VlArgs.UFFD_ENTER.flags]);
    enter(attempt, Innermost.Uffd, s.time, Number.NaN);
    attempt.uffdSeen = true;
    attempt.uffdReason = s[VlArgs.UFFD_ENTER.reason];
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
    // Without its return (0 then) the RETRY of handle_mm_fault proves it: the failed trylock leaves no other.
    enter(attempt, Innermost.Anon, s.time, Number.NaN);
    if (!(s[VlArgs.ANON_PREPARE.ret] & s.bits.retry)) return;
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
    attempt.hugetlb = s[VlArgs.INNER_RETRY.inner] === VlInner.HUGETLB;
    noteRetry(attempt, attempt.hugetlb ? Innermost.Hugetlb : Innermost.PmdPrivate, f.mark, s.time);
  },
  waitEnter: (f, s) => {
    const kind = reportedWait(s[VlArgs.WAIT_ENTER.wait]);
    if (kind === undefined) return;
    const attempt = current(f, s);
    if (kind === 'fileRead') {
      attempt.fileRead = true;
      if (attempt.fileDrops && attempt.open === Innermost.Filemap) droppedInFile(f, attempt, s.time);
    }
    openNested(f, s, attempt, kind);
  },
  waitExit: (f, s) => {
    const kind = reportedWait(s[VlArgs.WAIT_EXIT.wait]);
    if (kind === undefined) return;
    const attempt = current(f, s);
    if (closeWait(f, s, kind) === null && !attempt.gap && f.gap === 0) f.lose(`${WAIT_FACTS[kind].title} entry missed`);
  },
};
