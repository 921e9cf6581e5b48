// SPDX-License-Identifier: MIT
/** Rules 1 to 4: an attempt under the VMA lock, how it begins and with which flags (do_user_addr_fault and its like). */
import { VlArgs, VlKind, VlSharedArgs } from '../../schema/events.gen.js';
import { type Facts, version } from './facts.js';
import { isOver, type Judged, pairs, signalPending as pending, type Rule, type Say, secondTry } from './rule.js';
import type { Attempt } from './shape.js';
import type { Trace } from './trace.js';

const HMF = 'handle_mm_fault';
const LOOKUP = 'lock_vma_under_rcu';

/** Time of the last step of a fault that its own task sent on the way: an abandonment is sent in the midst of the next. */
function lastTime(trace: Trace): number {
  let last = Number.NEGATIVE_INFINITY;
  for (const { kind, time } of trace.steps) if (kind !== VlKind.ABANDONED && time > last) last = time;
  return last;
}

const MUST = ['USER', 'ALLOW_RETRY', 'KILLABLE', 'INTERRUPTIBLE'];
const MUST_NOT = ['TRIED', 'REMOTE'];

/** What nearly every attempt is: nothing is made to find it so. */
function isAsItMust({ flags, regs }: Attempt, facts: Facts): boolean {
  for (let i = 0; i < MUST.length; i++) if (!(flags & facts.flag(MUST[i] as string))) return false;
  for (let i = 0; i < MUST_NOT.length; i++) if (flags & facts.flag(MUST_NOT[i] as string)) return false;
  return regs;
}

function flagsOfVmaLock(x: Judged, say: Say): void {
  const { facts } = x;
  for (const attempt of x.shape.attempts) {
    if (!isOver(attempt) || attempt.vma !== true) continue;
    if (isAsItMust(attempt, facts)) {
      say.held();
      continue;
    }
    const must = MUST.filter((name) => !(attempt.flags & facts.flag(name)));
    // Where the kernel goes on under the VMA lock after a RETRY, TRIED says so.
    const may = secondTry(x, attempt) ? 'TRIED' : '';
    const mustNot = MUST_NOT.filter((name) => name !== may && attempt.flags & facts.flag(name));
    const wrong = [
      ...must.map((n) => `without ${n}`),
      ...mustNot.map((n) => `with ${n}`),
      ...(attempt.regs ? [] : ['without registers']),
    ];
    if (wrong.length === 0) say.held();
    else say.violated(`handle_mm_fault with VMA_LOCK ${wrong.join(', ')}`, attempt.exit);
  }
}

function ownLookup(x: Judged, say: Say): void {
  const first = x.shape.attempts.find((attempt) => attempt.vma === true);
  if (first === undefined) return;
  const at = isOver(first) ? first.exit : first.first;
  const refused = x.steps.findIndex((step) => step.kind === VlKind.VMA_LOCK && step[VlArgs.VMA_LOCK.locked] === 0);
  if (refused >= 0 && first.locked < 0 && refused < at) {
    say.violated('lock_vma_under_rcu had returned NULL, and the attempt is under the VMA lock', at);
    return;
  }
  const { acquired, before } = x.trace;
  if (x.shape.attempts[0] !== first) return;
  // It may have begun before the session did, or its lookup's run was missed.
  if (Number.isNaN(acquired)) say.aside();
  else if (before === null) say.unseen("the task's fault before it is not known, so the lookup may be that one's");
  else if (acquired < lastTime(before))
    say.violated('the task had the VMA lock before its previous fault was over', at, true);
  else say.held();
}

function once(x: Judged, say: Say): void {
  for (const [before, next] of pairs(x)) {
    // The record of an exception ends with an attempt that does not return RETRY.
    if (before.vma !== false || !(before.ret & x.facts.bits.retry)) continue;
    if (next.vma !== true) say.held();
    else if (pending(x, before)) say.aside();
    else say.violated('a second attempt under the VMA lock after one under mmap_lock', next.exit);
  }
}

/** The first entry of a callee that has all of these flags; -1 when none does. */
function entryWith(x: Judged, attempt: Attempt, flags: number): number {
  for (let i = attempt.first; i < attempt.exit; i++) {
    const step = x.steps[i];
    const isEntry = step?.kind === VlKind.SWAP_ENTER || step?.kind === VlKind.FLOR_ENTER;
    if (isEntry && (step[VlSharedArgs.flags] & flags) === flags) return i;
  }
  return -1;
}

function neverNowait(x: Judged, say: Say): void {
  const { bits } = x.facts;
  for (const attempt of x.shape.attempts) {
    if (!isOver(attempt) || attempt.vma !== true) continue;
    const both = bits.vmaLock | bits.nowait;
    const at = (attempt.flags & both) === both ? attempt.exit : entryWith(x, attempt, both);
    if (at >= 0) say.violated('VMA_LOCK and RETRY_NOWAIT together', at);
    else say.held();
  }
}

export const ATTEMPT_RULES: readonly Rule[] = [
  {
    number: 1,
    statement:
      'Under the VMA lock, handle_mm_fault has USER, ALLOW_RETRY, KILLABLE, INTERRUPTIBLE and registers, and neither REMOTE nor, before a RETRY, TRIED.',
    from: version(6, 4),
    hooks: [HMF],
    sees: { flags: { shows: 'the flags handle_mm_fault was called with', hooks: [HMF] } },
    premise: 'attempt under the VMA lock',
    kinds: [VlKind.HMF_EXIT],
    judge: flagsOfVmaLock,
  },
  {
    number: 2,
    statement: 'An attempt under the VMA lock follows a lock_vma_under_rcu of its own, which did not return NULL.',
    from: version(6, 4),
    hooks: [HMF, LOOKUP],
    sees: {
      lookup: {
        shows: "the time of the lookup, before the end of the task's previous fault",
        hooks: [HMF, LOOKUP],
        silent: 'fault before',
      },
    },
    premise: 'attempt under the VMA lock whose lookup was timed',
    kinds: [VlKind.HMF_EXIT, VlKind.SWAP_ENTER],
    judge: ownLookup,
  },
  {
    number: 3,
    statement: 'After a RETRY under mmap_lock, the same exception makes no attempt under the VMA lock.',
    from: version(6, 4),
    hooks: [HMF, 'signal_deliver'],
    sees: {
      again: { shows: 'an attempt with VMA_LOCK after that RETRY', hooks: [HMF, 'signal_deliver'], silent: 'fault' },
    },
    premise: 'attempt after a RETRY under mmap_lock',
    kinds: [VlKind.HMF_EXIT],
    judge: once,
  },
  {
    number: 4,
    statement: 'VMA_LOCK and RETRY_NOWAIT never come together (sanitize_fault_flags refuses them).',
    from: version(6, 6),
    hooks: [HMF],
    sees: {
      flags: { shows: 'the flags handle_mm_fault was called with', hooks: [HMF] },
      inside: {
        shows: 'vmf->flags of do_swap_page and __folio_lock_or_retry',
        hooks: ['do_swap_page', '__folio_lock_or_retry'],
        silent: 'fault',
      },
    },
    premise: 'attempt under the VMA lock',
    kinds: [VlKind.HMF_EXIT],
    judge: neverNowait,
  },
];
