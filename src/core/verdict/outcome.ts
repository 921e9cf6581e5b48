// SPDX-License-Identifier: MIT
/** One fault under each policy: what it would have saved, known exactly, within an interval, or not at all. */
import type { Attempt, Interval, Lifecycle, Wait } from '../lifecycle/lifecycle.js';
import { isAtOnce, isByDesign, isRetryCause, type RetryCause } from '../vocabulary/causes.js';
import { DROPPING_WAITS } from '../vocabulary/waits.js';

/** Exactly nothing. */
const NOTHING: Interval = Object.freeze({ lo: 0, hi: 0 });

/**
 * What became of a fault under a policy: `same`: it does as today. `vma`: it ends under the VMA lock. `vain`: its second
 * try gives up as the first did. `either`: one or the other, so the saving is an interval. `unknown`: not known.
 */
export type Course = 'same' | 'vma' | 'vain' | 'either' | 'unknown';

export interface Under {
  readonly course: Course;
  /** Queued time saved, ns; null exactly where `course` is unknown. */
  readonly saved: Interval | null;
  /** Why `either` or `unknown`, or why the saving is an interval; else ''. */
  readonly why: string;
}

export interface FaultVerdict {
  readonly cause: RetryCause;
  /** Queued for mmap_lock after the RETRY; null when that was not seen. */
  readonly queued: Interval | null;
  /** Spent in lock_mm_and_find_vma without a queue, ns. */
  readonly lookupNs: number;
  readonly retry: Under;
  readonly keep: Under;
  /** `keep` holds the VMA lock over its wait, or (cause unknown) may. */
  readonly keptOver: boolean;
  /** Waits of its later attempts that a second try would have spent under the VMA lock. */
  readonly later: readonly Wait[];
}

const same: Under = { course: 'same', saved: NOTHING, why: '' };
const vain: Under = { course: 'vain', saved: NOTHING, why: '' };
const unknown = (why: string): Under => ({ course: 'unknown', saved: null, why });

/** Waits for folios, which `keep` spends under the VMA lock. */
const FOLIO_WAITS: ReadonlySet<RetryCause> = new Set<RetryCause>([
  'folio locked: own read',
  'folio locked: other read',
  'folio locked: other holder',
  'folio locked',
  'device-exclusive',
  'file: cache miss',
  'file: readahead',
  'file: not up to date',
  'file: page lock',
]);

/** The first attempt under the VMA lock that returned RETRY; null when none did. */
export function retriedAttempt({ attempts }: Pick<Lifecycle, 'attempts'>): Attempt | null {
  return attempts.find(({ lock, outcome }) => lock === 'vma' && outcome === 'retry') ?? null;
}

/** `queueSeen`: the hook on the failed trylock stood, so a wait without one took no queue. */
function queueOf(wait: Wait, end: number, queueSeen: boolean): { queued: Interval | null; lookupNs: number } {
  const from = Number.isNaN(wait.contended) ? wait.start : wait.contended;
  if (Number.isNaN(wait.end)) {
    if (Number.isNaN(end)) return { queued: null, lookupNs: 0 };
    return { queued: { lo: 0, hi: Math.max(0, end - from) }, lookupNs: 0 };
  }
  const whole = wait.end - wait.start;
  if (!Number.isNaN(wait.contended)) {
    const queued = wait.end - wait.contended;
    return { queued: { lo: queued, hi: queued }, lookupNs: whole - queued };
  }
  return queueSeen ? { queued: NOTHING, lookupNs: whole } : { queued: { lo: 0, hi: whole }, lookupNs: 0 };
}

/** All queueing for mmap_lock after the RETRY; null when an end of it was not seen, or not all of it was kept. */
function queuedAfter(fault: Lifecycle, queueSeen: boolean): { queued: Interval | null; lookupNs: number } {
  if (fault.leftOut !== null) return { queued: null, lookupNs: 0 };
  let lo = 0;
  let hi = 0;
  let lookupNs = 0;
  const waits = fault.waits.filter(({ kind }) => kind === 'mmapLock');
  for (const wait of waits) {
    const one = queueOf(wait, fault.end, queueSeen);
    if (one.queued === null) return { queued: null, lookupNs };
    lo += one.queued.lo;
    hi += one.queued.hi;
    lookupNs += one.lookupNs;
  }
  const attempts = fault.attempts.filter(({ lock }) => lock === 'mmap');
  if (waits.length < attempts.length)
    for (const { acquired } of attempts) {
      // lock_mm_and_find_vma was not seen to be entered: it ran between two steps that were.
      if (!waits.some(({ start, end }) => start <= acquired.hi && end >= acquired.lo)) hi += acquired.hi - acquired.lo;
    }
  return { queued: Number.isFinite(hi) ? { lo, hi } : null, lookupNs };
}

type Queued = Interval | null;

/** The whole queue, or a part of it that is not known. */
function upTo(queued: Queued, why: string): Under {
  if (queued === null) return unknown(why);
  // Where nothing was queued, nothing is saved either way.
  return { course: 'either', saved: queued.hi === 0 ? NOTHING : { lo: 0, hi: queued.hi }, why };
}

function saves(queued: Queued): Under {
  if (queued === null) return unknown('its queueing for mmap_lock was not seen');
  return { course: 'vma', saved: queued, why: queued.lo === queued.hi ? '' : 'its queueing was not seen whole' };
}

function underRetry({ verdict }: Attempt, cause: RetryCause, queued: Queued): Under {
  // By design it gives up again; and a trylock of mmap_lock that failed fails at once again, or nothing is queued.
  if (isByDesign(cause) || isAtOnce(cause) || verdict?.kind === 'by design') return vain;
  if (cause === 'unknown') return upTo(queued, 'cause unknown');
  if (cause === 'driver or file system') return upTo(queued, 'what a driver does with a second try is not known');
  switch (verdict?.kind) {
    case 'avoidable':
      return saves(queued);
    case 'write-locked':
    case 'replaced':
      // Nobody held mmap_lock when the second try would have come: the VMA was not write-locked then.
      if (queued?.hi === 0) return { course: 'vma', saved: NOTHING, why: '' };
      return upTo(queued, `VMA ${verdict.kind}: before the second try, or while it queued`);
    case 'gone':
      return upTo(queued, 'VMA gone: before the second try, or while it queued');
    default:
      return upTo(queued, `verdict unknown: ${verdict?.why ?? 'fallback not seen'}`);
  }
}

function underKeep({ verdict }: Attempt, cause: RetryCause, queued: Queued): Under {
  if (cause === 'unknown') return upTo(queued, 'cause unknown');
  if (!FOLIO_WAITS.has(cause)) return same;
  switch (verdict?.kind) {
    case 'avoidable':
    case 'by design':
      return saves(queued);
    case 'write-locked':
    case 'replaced':
    case 'gone':
      // The writer has the VMA locked as long as it has mmap_lock: whoever comes to it again meanwhile queues then.
      return upTo(queued, `VMA ${verdict.kind}: its thread may come again meanwhile`);
    default:
      return upTo(queued, `verdict unknown: ${verdict?.why ?? 'fallback not seen'}`);
  }
}

/** Waits of mmap_lock attempts that dropped that lock: with FAULT_FLAG_TRIED they keep the lock they are under. */
function laterWaits(fault: Lifecycle, attempt: Attempt): readonly Wait[] {
  const at = fault.attempts.indexOf(attempt);
  const next = fault.attempts.slice(at + 1).find(({ lock }) => lock === 'mmap');
  if (next === undefined || next.outcome !== 'retry') return [];
  return fault.waits.filter(
    ({ kind, held, start, end }) =>
      DROPPING_WAITS.has(kind) && held === 'none' && start >= next.acquired.hi && !Number.isNaN(end),
  );
}

/** A fault that returned RETRY under the VMA lock on a kernel that falls back to mmap_lock. Its lifecycle is over. */
export function verdictOf(fault: Lifecycle, attempt: Attempt, queueSeen: boolean): FaultVerdict {
  const cause: RetryCause = isRetryCause(attempt.cause) ? attempt.cause : 'unknown';
  const keptOver = cause === 'unknown' || FOLIO_WAITS.has(cause);
  // A signal ended it without a fallback: there was no queue to be saved.
  if (fault.how === 'signal')
    return { cause, queued: NOTHING, lookupNs: 0, retry: same, keep: same, keptOver, later: [] };
  const fellBack = fault.attempts.some(({ lock }) => lock === 'mmap');
  const { queued, lookupNs } = fellBack ? queuedAfter(fault, queueSeen) : { queued: null, lookupNs: 0 };
  const retry = underRetry(attempt, cause, queued);
  const later = retry.course === 'vma' ? laterWaits(fault, attempt) : [];
  return { cause, queued, lookupNs, retry, keep: underKeep(attempt, cause, queued), keptOver, later };
}
