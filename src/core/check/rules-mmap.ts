// SPDX-License-Identifier: MIT
/** Rules 21 and 22: mmap_lock in the fallback, and where it has no business. */
import { VlArgs, VlKind, VlWait } from '../../schema/events.gen.js';
import { MMAP_LOCK_HOOK, MMAP_QUEUE_HOOKS } from '../aggregate/mmap-lock.js';
import { type Facts, version } from './facts.js';
import { callsOf, countBetween, firstBetween, isOver, type Judged, type Rule, type Say } from './rule.js';
import { releasedAt } from './rules-release.js';

const HMF = 'handle_mm_fault';
const LOCK = 'lock_mm_and_find_vma';

function balanced(x: Judged, say: Say): void {
  const { retry, completed: dropped } = x.facts.bits;
  for (const attempt of x.shape.attempts) {
    if (attempt.vma !== false || !isOver(attempt) || attempt.locked < 0) continue;
    const next = firstBetween(x.steps, attempt.exit, x.steps.length, VlKind.MM_LOCK_ENTER);
    const end = next < 0 ? x.steps.length : next;
    const release = (i: number): boolean => {
      const step = x.steps[i];
      return step?.kind === VlKind.MM_RELEASED && !inReclaim(x, step.time);
    };
    const within = (from: number, to: number): number => {
      let n = 0;
      for (let i = from; i < to; i++) if (release(i)) n++;
      return n;
    };
    const inside = within(attempt.locked, attempt.exit);
    const after = within(attempt.exit, end);
    const byCallee = (attempt.ret & (retry | dropped)) !== 0;
    const [due, undue] = byCallee ? [inside, after] : [after, inside];
    const others = !attempt.calls.some((call) => call.kind === 'swap') || !seesReclaim(x.facts);
    if (due === 1 && undue === 0) say.held();
    // A callback of a file system or driver may take and give back mmap_lock by itself once the fault's hold is over.
    else if (due + undue > 1 && others) say.aside();
    else if (due + undue > 1) say.violated(`mmap_lock was given back ${due + undue} times`, attempt.exit);
    else if (undue === 1)
      say.violated(
        byCallee ? 'mmap_lock was given back after a RETRY or COMPLETED' : 'mmap_lock was given back too early',
        attempt.exit,
      );
    // The record of a fault that is over stays open until the release: only a later fault that finds it open is proof.
    else if (byCallee || x.shape.cut === VlKind.ABANDONED) say.violated('mmap_lock was not given back', attempt.exit);
    else say.aside();
  }
}

/** Reclaim ages the mms on its list and tries their mmap_lock for it, this fault's own one, too (walk_mm, mm/vmscan.c). */
function inReclaim(x: Judged, time: number): boolean {
  if (!x.trace.has(VlKind.WAIT_ENTER)) return false;
  return x.steps.some((begin, i) => {
    const what = begin[VlArgs.WAIT_ENTER.wait];
    if (begin.kind !== VlKind.WAIT_ENTER || (what !== VlWait.RECLAIM && what !== VlWait.MEMCG)) return false;
    const end = x.steps.find((s, j) => j > i && s.kind === VlKind.WAIT_EXIT && s[VlArgs.WAIT_EXIT.wait] === what);
    return begin.time <= time && time <= (end?.time ?? Number.POSITIVE_INFINITY);
  });
}

/** A trylock is distinguished from a wait by where the wait begins. */
const MMAP = [MMAP_QUEUE_HOOKS, MMAP_LOCK_HOOK] as const;
const RECLAIM_HOOKS = ['mm_vmscan_direct_reclaim_begin', 'mm_vmscan_memcg_reclaim_begin'];
const seesReclaim = (facts: Facts): boolean => RECLAIM_HOOKS.every((hook) => facts.attached(hook));

/** Looked at inside do_swap_page alone: elsewhere a callback of a file system or driver may do as it likes. */
function noMmapLock(x: Judged, say: Say): void {
  for (const [attempt, call] of callsOf(x, 'swap')) {
    if (attempt.vma !== true || !isOver(attempt)) continue;
    const gone = releasedAt(x, attempt);
    const end = gone < 0 ? call.exit : Math.min(gone, call.exit);
    const tried = countBetween(x.steps, call.enter, end, VlKind.MM_INSIDE);
    const bad =
      tried === 0 ? -1 : firstBetween(x.steps, call.enter, end, VlKind.MM_INSIDE, ({ time }) => !inReclaim(x, time));
    if (tried > 0 && bad < 0) say.found('mmap_lock tried under the VMA lock by reclaim', tried);
    if (bad < 0) say.held();
    else if (!seesReclaim(x.facts)) say.aside();
    else say.violated('mmap_lock was asked for in do_swap_page under the VMA lock', bad);
  }
}

export const MMAP_RULES: readonly Rule[] = [
  {
    number: 21,
    statement:
      'mmap_lock, had by the fallback, is given back inside handle_mm_fault when that returned RETRY or COMPLETED, else after it, and never both.',
    hooks: [HMF, LOCK, 'mmap_lock_released'],
    sees: {
      releases: {
        shows: 'a release on the wrong side of the return, on both, or none',
        hooks: [HMF, LOCK, 'mmap_lock_released'],
        silent: 'fault',
      },
    },
    premise: 'attempt under mmap_lock',
    kinds: [VlKind.MM_LOCK_EXIT],
    judge: balanced,
  },
  {
    number: 22,
    statement:
      'Under the VMA lock, do_swap_page does not ask for mmap_lock (but __vmf_anon_prepare does, and reclaim may).',
    from: version(6, 4),
    hooks: [HMF, ...MMAP],
    sees: {
      asked: {
        shows: 'mmap_lock asked for between its entry and its return, outside reclaim',
        hooks: ['do_swap_page', ...MMAP],
        silent: 'fault',
      },
    },
    premise: 'do_swap_page under the VMA lock',
    kinds: [VlKind.SWAP_EXIT],
    judge: noMmapLock,
  },
];
