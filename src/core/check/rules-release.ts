// SPDX-License-Identifier: MIT
/** Rules 18 to 20, 23 and 26: how long the VMA lock is held, what gives it back, and what is done meanwhile. */
import { VlArgs, VlKind, VlSharedArgs, VlWait } from '../../schema/events.gen.js';
import { version } from './facts.js';
import {
  between,
  callsOf,
  countBetween,
  firstBetween,
  isFirstTry,
  isOver,
  type Judged,
  type Rule,
  type Say,
} from './rule.js';
import type { Attempt } from './shape.js';

const HMF = 'handle_mm_fault';
/** VM_WRITE and VM_SHARED (include/linux/mm.h). */
const SHARED_WRITABLE = 0x2n | 0x8n;

const USES: ReadonlySet<number> = new Set([
  VlKind.SWAP_ENTER,
  VlKind.FLOR_ENTER,
  VlKind.UFFD_ENTER,
  VlKind.FILE_ENTER,
  VlKind.ANON_PREPARE,
]);

/** Index of the step after which the attempt's lock is known to be gone; -1 when no step says so. */
export function releasedAt(x: Judged, attempt: Attempt): number {
  const { bits } = x.facts;
  const ends = attempt.calls
    .filter(({ kind, enter, exit }) => {
      if (kind === 'swap' || enter < 0 || exit < 0 || !((x.steps[exit]?.[VlSharedArgs.ret] ?? 0) & bits.retry))
        return false;
      const flags = x.steps[enter]?.[VlSharedArgs.flags] ?? 0;
      // With NOWAIT it is kept; __folio_lock_or_retry on a later try gives it back only for a fatal signal.
      if (flags === 0 || flags & bits.nowait) return false;
      return kind === 'uffd' || isFirstTry(flags, x.facts);
    })
    .map(({ exit }) => exit);
  // mmap_lock's own tracepoint is no proof: reclaim and callbacks may take it and give it back while it is held.
  const exact = attempt.vma === true ? firstBetween(x.steps, attempt.first, attempt.exit, VlKind.VMA_RELEASE) : -1;
  const all = exact >= 0 ? [...ends, exact] : ends;
  return all.length === 0 ? -1 : Math.min(...all);
}

function noUseAfter(x: Judged, say: Say): void {
  for (const attempt of x.shape.attempts) {
    if (!isOver(attempt)) continue;
    const at = releasedAt(x, attempt);
    if (at < 0) continue;
    // Evidence noted on the way is sent when the fault turns out to be worth it: its time is what counts.
    const gone = x.steps[at]?.time ?? Number.POSITIVE_INFINITY;
    const use = firstBetween(x.steps, at, attempt.exit, null, (s) => s.time > gone && USES.has(s.kind));
    if (use < 0) say.held();
    else say.violated('the VMA was used after its lock had been given back', use);
  }
}

function completed(x: Judged, say: Say): void {
  const { facts, steps, trace } = x;
  const { bits } = facts;
  for (const attempt of x.shape.attempts) {
    if (!isOver(attempt) || !(attempt.ret & bits.completed)) continue;
    const early = countBetween(steps, attempt.first - 1, attempt.exit, VlKind.VMA_RELEASE);
    const late = countBetween(steps, attempt.exit, steps.length, VlKind.VMA_RELEASE);
    const known = trace.vmFlags !== 0n && attempt === x.shape.attempts[0];
    if (attempt.ret & bits.retry) say.violated('COMPLETED together with RETRY', attempt.exit);
    else if (!isFirstTry(attempt.flags, facts)) say.violated('COMPLETED, and not on a first try', attempt.exit);
    else if (!(attempt.flags & facts.flag('WRITE')))
      say.violated('COMPLETED of a fault that writes nothing', attempt.exit);
    else if (known && (trace.vmFlags & SHARED_WRITABLE) !== SHARED_WRITABLE)
      say.violated('COMPLETED in a VMA that is not shared and writable', attempt.exit);
    else if (facts.exact && attempt.vma === true && late > 0 && early === 0)
      say.violated('COMPLETED, and the VMA lock was given back after handle_mm_fault', attempt.exit);
    else if (!known) say.unseen('after COMPLETED its VMA may not be read any more');
    else if (attempt.vma === true) {
      if (facts.exact && early === 0) say.unseen('its VMA lock was not watched while COMPLETED came about');
      else say.held('flags', 'mapping', 'vma');
    } else if (between(steps, attempt.locked, attempt.exit, VlKind.MM_RELEASED)) say.held('flags', 'mapping', 'mmap');
    else say.unseen('no release of mmap_lock was seen in it (rule 21)');
  }
}

/** Steps that open a record while the VMA lock is held for certain: from then on its release is watched. */
function watchedFromStart(x: Judged): boolean {
  const first = x.steps[0];
  if (first?.kind === VlKind.SWAP_ENTER || first?.kind === VlKind.UFFD_ENTER) return true;
  const { retry, completed: dropped } = x.facts.bits;
  return first?.kind === VlKind.HMF_EXIT && (first[VlArgs.HMF_EXIT.ret] & (retry | dropped)) === 0;
}

function releasedOnce(x: Judged, say: Say): void {
  const attempt = x.shape.attempts[0];
  if (!x.facts.exact || attempt === undefined || attempt.vma !== true || !isOver(attempt)) return;
  if (!watchedFromStart(x) || x.shape.attempts.filter((a) => a.vma === true).length !== 1) return;
  const n = countBetween(x.steps, -1, x.steps.length, VlKind.VMA_RELEASE);
  if (n === 1 && x.steps[0]?.kind === VlKind.HMF_EXIT)
    say.unseen('its record began when handle_mm_fault returned: a release before that is not seen');
  else if (n === 1) say.held();
  // A lookup that fails after all takes the lock and gives it back by itself.
  else if (n > 1 && attempt.ret & x.facts.bits.retry && x.steps.findLastIndex(isRelease) > attempt.exit) say.aside();
  else if (n > 1) say.violated(`the VMA lock was given back ${n} times`, x.steps.findLastIndex(isRelease));
  else if (x.steps.length > attempt.exit + 1) say.violated('the VMA lock was not given back', x.steps.length - 1);
  else say.aside();
}

const isRelease = (step: { readonly kind: number }): boolean => step.kind === VlKind.VMA_RELEASE;

const HELD_WAITS: ReadonlyMap<number, Parameters<Say['found']>[0]> = new Map([
  [VlWait.SYNC_READ, 'waits with the VMA lock held: synchronous swap read'],
  [VlWait.MIGRATION, 'waits with the VMA lock held: migration entry'],
  [VlWait.RECLAIM, 'waits with the VMA lock held: reclaim'],
  [VlWait.MEMCG, 'waits with the VMA lock held: reclaim'],
  [VlWait.SWAPIN, 'waits with the VMA lock held: swap-in submission'],
]);

function sleepsUnlocked(x: Judged, say: Say): void {
  for (const attempt of x.shape.attempts) {
    if (attempt.vma !== true || !isOver(attempt)) continue;
    const gone = releasedAt(x, attempt);
    for (let i = attempt.first; i < (gone < 0 ? attempt.exit : gone); i++) {
      const step = x.steps[i];
      const what = step?.kind === VlKind.WAIT_ENTER ? HELD_WAITS.get(step[VlArgs.WAIT_ENTER.wait]) : undefined;
      if (what !== undefined) say.found(what);
    }
  }
  if (!x.facts.exact) return;
  for (const [attempt, call] of callsOf(x, 'flor')) {
    const slept = firstBetween(x.steps, call.enter, call.exit, VlKind.FLOR_SLEEP);
    if (attempt.vma !== true || slept < 0) continue;
    if (between(x.steps, call.enter, slept, VlKind.VMA_RELEASE)) say.held();
    else say.violatedUnless('keep-vma', 'it slept before the VMA lock was given back', slept);
  }
}

function covers(x: Judged, say: Say): void {
  const attempt = x.shape.attempts[0];
  const { address, vmaStart, vmaEnd } = x.trace;
  const { retry, completed: dropped } = x.facts.bits;
  if (attempt === undefined || attempt.vma !== true || vmaEnd === 0) return;
  // After RETRY or COMPLETED the VMA may not be read any more.
  if (attempt.first === attempt.exit && attempt.ret & (retry | dropped)) return;
  if (vmaStart <= address && address < vmaEnd) say.held();
  else say.violated('the address is not in the VMA whose lock the fault had', attempt.first);
}

export const RELEASE_RULES: readonly Rule[] = [
  {
    number: 18,
    statement: 'Once an attempt has given its lock back, it uses the VMA no more.',
    hooks: [HMF],
    sees: {
      calls: {
        shows: 'do_swap_page, __folio_lock_or_retry or handle_userfault entered after the release',
        hooks: [HMF, 'do_swap_page', '__folio_lock_or_retry', 'handle_userfault'],
        silent: 'fault',
      },
      files: {
        shows: 'filemap_fault or shmem_fault entered after the release',
        hooks: [HMF, 'filemap_fault', 'shmem_fault'],
        silent: 'fault',
      },
      reads: {
        shows: 'a read of the VMA between two such calls',
        hooks: [],
        never: 'a read of the VMA passes no hook',
      },
    },
    premise: 'attempt seen to give its lock back inside',
    kinds: [VlKind.FLOR_EXIT, VlKind.UFFD_EXIT, VlKind.FILE_EXIT, VlKind.VMA_RELEASE],
    judge: noUseAfter,
  },
  {
    number: 19,
    statement:
      'COMPLETED comes on the first try of a write to a shared mapping, without RETRY, the lock given back inside.',
    hooks: [HMF],
    sees: {
      flags: { shows: 'the flags and the result of handle_mm_fault', hooks: [HMF] },
      mapping: { shows: "the VMA's flags, read before it", hooks: [HMF, 'filemap_fault'] },
      vma: {
        shows: 'no release of the VMA lock before its return',
        hooks: [HMF, 'up_read'],
        options: ['release observed'],
      },
      mmap: { shows: 'no release of mmap_lock before its return', hooks: [HMF, 'mmap_lock_released'] },
    },
    premise: 'COMPLETED',
    kinds: [VlKind.HMF_EXIT],
    judge: completed,
  },
  {
    number: 20,
    statement: 'Every VMA lock that a fault had is given back exactly once.',
    from: version(6, 4),
    hooks: [HMF],
    sees: {
      releases: {
        shows: 'none or more than one release of its VMA lock',
        hooks: [HMF, 'up_read'],
        options: ['release observed'],
        silent: 'fault',
      },
    },
    premise: 'attempt under the VMA lock that was watched from its beginning',
    kinds: [VlKind.HMF_EXIT],
    judge: releasedOnce,
  },
  {
    number: 23,
    statement: '__folio_lock_or_retry never sleeps with the VMA lock held.',
    from: version(6, 6),
    hooks: [HMF],
    sees: {
      sleep: {
        shows: 'a sleep in it before the release of the VMA lock',
        hooks: ['__folio_lock_or_retry', 'io_schedule', 'up_read'],
        options: ['release observed'],
      },
    },
    premise: 'sleep in __folio_lock_or_retry under the VMA lock',
    kinds: [VlKind.FLOR_SLEEP, VlKind.WAIT_ENTER],
    judge: sleepsUnlocked,
  },
  {
    number: 26,
    statement: 'The VMA whose lock a fault has covers its address.',
    from: version(6, 4),
    hooks: [HMF],
    sees: { range: { shows: 'the VMA and the address', hooks: [HMF] } },
    premise: 'attempt under the VMA lock whose VMA was read',
    kinds: [VlKind.HMF_EXIT],
    judge: covers,
  },
];
