// SPDX-License-Identifier: MIT
/** Waits as they open and close. They nest: direct reclaim may run inside a read-ahead. */
import { WAIT_FACTS, type WaitKind } from '../vocabulary/waits.js';
import { type AttemptRecord, Innermost, type WaitRecord } from './attempt-record.js';
import { MOST_KEPT, type Wait } from './lifecycle.js';
import type { FaultRecord } from './record.js';
import type { StepContext } from './step.js';

export function openWait(f: FaultRecord, s: StepContext, kind: WaitKind, held: Wait['held']): WaitRecord {
  const wait = s.pool.wait(kind, held, s.time, f.wait);
  f.wait = wait;
  // One that is left out would not be found when the lock becomes known.
  if (f.deferred > 0 && f.waits.length >= MOST_KEPT) settleDeferred(f, s, 'unknown');
  f.addWait(wait);
  return wait;
}

export function waitOf(f: FaultRecord, kind: WaitKind): WaitRecord | null {
  let wait = f.wait;
  while (wait !== null && wait.kind !== kind) wait = wait.outer;
  return wait;
}

/** Waits that cannot last any longer, down to `until`: their end was missed unless it was dropped. */
export function loseWaits(f: FaultRecord, until: WaitRecord | null): void {
  for (let wait = f.wait; wait !== null && wait !== until; wait = wait.outer) {
    const { wire, title } = WAIT_FACTS[wait.kind];
    // The others end with functions the transition table names.
    if (wire !== undefined && f.gap === 0 && f.attempt?.gap !== true) f.lose(`${title} exit missed`);
  }
  f.wait = until;
}

/** Ends the wait of this kind, if one lasts, and what it was still waiting for inside. */
export function closeWait(f: FaultRecord, s: StepContext, kind: WaitKind): WaitRecord | null {
  const wait = waitOf(f, kind);
  if (wait === null) return null;
  loseWaits(f, wait);
  f.wait = wait.outer;
  wait.end = s.time;
  if (!wait.deferred) s.sink.waited(f, wait);
  return wait;
}

/** Gives up the wait of this kind, whose end was missed; what it was waiting for inside goes on. */
export function forgetWait(f: FaultRecord, kind: WaitKind): void {
  if (f.wait?.kind === kind) f.wait = f.wait.outer;
  else
    for (let wait = f.wait; wait !== null; wait = wait.outer)
      if (wait.outer?.kind === kind) wait.outer = wait.outer.outer;
}

/** The lock of the attempt is known, or ('unknown') will not be: waits that were to hear of it do. */
export function settleDeferred(f: FaultRecord, s: StepContext, held: Wait['held']): void {
  for (let i = f.waits.length - 1; i >= 0 && f.deferred > 0; i--) {
    const wait = f.waits[i] as WaitRecord;
    if (!wait.deferred) continue;
    wait.deferred = false;
    f.deferred--;
    wait.held = held;
    if (!Number.isNaN(wait.end)) s.sink.waited(f, wait);
  }
}

/** Whether filemap_fault, which may have dropped the lock by now or not, is under way. */
function dropsSoon(attempt: AttemptRecord): boolean {
  return attempt.open === Innermost.Filemap && (attempt.fileDrops || Number.isNaN(attempt.innerAt));
}

/** A nested wait of `kind` begins within `attempt`. */
export function openNested(f: FaultRecord, s: StepContext, attempt: AttemptRecord, kind: WaitKind): void {
  const again = waitOf(f, kind);
  if (again !== null) loseWaits(f, again.outer);
  const around = f.wait?.kind;
  if (around === 'folio' || around === 'userfault') openWait(f, s, kind, f.wait?.held ?? 'unknown');
  // Growing the stack takes mmap_lock for write on the way.
  else if (around === 'mmapLock') openWait(f, s, kind, 'unknown');
  else if (attempt.dropped || attempt.first !== Innermost.None || !Number.isNaN(attempt.exactRelease))
    openWait(f, s, kind, 'none');
  else if (dropsSoon(attempt)) openWait(f, s, kind, 'unknown');
  else if (attempt.lockKnown) openWait(f, s, kind, attempt.lock);
  else {
    openWait(f, s, kind, 'unknown').deferred = true;
    f.deferred++;
  }
}

/** filemap_fault's first try was seen to read or to sleep: it has dropped the lock before (maybe_unlock_mmap_for_io). */
export function droppedInFile(f: FaultRecord, attempt: AttemptRecord, time: number): void {
  if (attempt.dropped) return;
  attempt.dropped = true;
  attempt.innerHi = time;
  const wait = waitOf(f, 'file');
  if (wait !== null) wait.held = 'none';
}
