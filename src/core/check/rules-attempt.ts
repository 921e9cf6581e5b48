// SPDX-License-Identifier: MIT
/** Rules 1 to 7: the attempts of a fault and the order they come in (do_user_addr_fault and its like). */
import { VlArgs, VlKind, VlSharedArgs } from '../../schema/events.gen.js';
import { version } from './facts.js';
import { isOver, type Judged, signalPending as pending, type Rule, type Say, secondTry } from './rule.js';
import type { Attempt } from './shape.js';
import type { Trace } from './trace.js';

const HMF = 'handle_mm_fault';
const LOCK = 'lock_mm_and_find_vma';
const LOOKUP = 'lock_vma_under_rcu';
const ENTRIES = [VlKind.SWAP_ENTER, VlKind.FLOR_ENTER] as const;

/** Time of the last step of a fault that its own task sent on the way: an abandonment is sent in the midst of the next. */
function lastTime(trace: Trace): number {
  let last = Number.NEGATIVE_INFINITY;
  for (const { kind, time } of trace.steps) if (kind !== VlKind.ABANDONED && time > last) last = time;
  return last;
}

/** Attempts in pairs, both seen to return, of an exception (get_user_pages takes its locks by itself). */
function pairs(x: Judged): readonly (readonly [Attempt, Attempt])[] {
  if (x.shape.attempts.length < 2) return [];
  return x.shape.attempts.flatMap((next, i) => {
    const before = x.shape.attempts[i - 1];
    return before !== undefined && isOver(before) && isOver(next) && before.regs && next.regs
      ? [[before, next] as const]
      : [];
  });
}

const MUST = ['USER', 'ALLOW_RETRY', 'KILLABLE', 'INTERRUPTIBLE'];
const MUST_NOT = ['TRIED', 'REMOTE'];

function flagsOfVmaLock(x: Judged, say: Say): void {
  const { facts } = x;
  for (const attempt of x.shape.attempts) {
    if (!isOver(attempt) || attempt.vma !== true) continue;
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
    say.violated("the VMA lock was had before the task's previous fault was over", at, true);
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

function neverNowait(x: Judged, say: Say): void {
  const { bits } = x.facts;
  for (const attempt of x.shape.attempts) {
    if (!isOver(attempt) || attempt.vma !== true) continue;
    const both = bits.vmaLock | bits.nowait;
    const entry = x.steps.findIndex(
      (s, i) =>
        i >= attempt.first &&
        i < attempt.exit &&
        ENTRIES.some((k) => k === s.kind) &&
        (s[VlSharedArgs.flags] & both) === both,
    );
    const at = (attempt.flags & both) === both ? attempt.exit : entry;
    if (at >= 0) say.violated('VMA_LOCK and RETRY_NOWAIT together', at);
    else say.held();
  }
}

/** A fault that is over under the VMA lock, judged when the task's next one is known. */
function noFallback(x: Judged, say: Say): void {
  const { steps, trace, shape } = x;
  const own = shape.attempts.find((a) => isOver(a) && a.vma === true && !(a.ret & x.facts.bits.retry));
  const after = own === undefined ? -1 : steps.findIndex((s, i) => i > own.exit && s.kind === VlKind.MM_LOCK_ENTER);
  if (after >= 0) {
    say.violated('lock_mm_and_find_vma after an attempt under the VMA lock that did not return RETRY', after);
    return;
  }
  const { before } = trace;
  const last = before?.lost === '' ? before.steps.findLast((step) => step.kind === VlKind.HMF_EXIT) : undefined;
  const { vmaLock, retry } = x.facts.bits;
  if (before === null || last === undefined || !(last.a & vmaLock) || last.b & retry) return;
  // A fault from user mode comes to lock_mm_and_find_vma by a lookup that gave NULL, which is sent first.
  const bare = steps[0]?.kind === VlKind.MM_LOCK_ENTER && steps[0].a === 1;
  if (!bare) say.held();
  else if (trace.address !== before.address) say.aside();
  else say.violated('lock_mm_and_find_vma at the same address without a lookup of its own', 0, true);
}

function fallsBack(x: Judged, say: Say): void {
  const { attempts, cut } = x.shape;
  const i = attempts.findIndex((a) => isOver(a) && a.regs && a.vma === true && (a.ret & x.facts.bits.retry) !== 0);
  const retried = attempts[i];
  if (retried === undefined) return;
  const next = attempts[i + 1];
  const signal = pending(x, retried);
  if (next !== undefined && secondTry(x, next)) {
    // Not a stock kernel, and no violation: it retries under the VMA lock, and says so to itself by TRIED.
    say.found('second tries under the VMA lock after its RETRY');
    say.held();
    return;
  }
  if (x.steps.some((step, at) => at > retried.exit && step.kind === VlKind.MM_LOCK_ENTER)) {
    if (next === undefined || next.locked >= 0 || next.vma === false) say.held();
  } else if (next?.vma === true) {
    // The exception may have ended for a signal, and the next one come at the same address.
    if (signal || !x.facts.attached('signal_deliver')) say.aside();
    else if (isOver(next)) say.violated('another attempt under the VMA lock follows its RETRY', next.exit);
    else say.aside();
  } else if (cut === VlKind.SIGNAL || cut === VlKind.TASK_EXIT || (cut === VlKind.ABANDONED && signal)) {
    say.held();
    say.found('a signal pending after RETRY ended the fault');
  } else say.aside();
}

function tried(x: Judged, say: Say): void {
  const { bits, kernel, arch } = x.facts;
  for (const [before, next] of pairs(x)) {
    if (!(before.ret & bits.retry) || next.locked < 0) continue;
    if (pending(x, before)) {
      say.aside();
      continue;
    }
    const has = (next.flags & bits.tried) !== 0;
    if (before.vma !== true || before.flags & bits.tried) {
      if (has) say.held();
      else say.violated(`no TRIED after a RETRY ${before.vma ? 'of a second try' : 'under mmap_lock'}`, next.exit);
      // 46e714c729c8 changed the fault handlers of the architectures that archOf knows.
    } else if (kernel >= version(6, 8) && arch !== null) {
      const major = (before.ret & bits.major) !== 0;
      const words = `RETRY ${major ? 'with' : 'without'} MAJOR, then ${has ? '' : 'no '}TRIED`;
      if (has === major) say.held();
      // Such a kernel sets TRIED for a second try under the VMA lock, whose lookup may then have failed.
      else if (has) say.violatedUnless('retry-vma', words, next.exit);
      else say.violated(words, next.exit);
    }
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
  {
    number: 5,
    statement: 'An attempt under the VMA lock that did not return RETRY is followed by no lock_mm_and_find_vma.',
    // Before 6.10 a bad access gave the VMA lock back and went on to mmap_lock, with no lookup that failed.
    from: version(6, 10),
    hooks: [HMF, LOCK, LOOKUP],
    sees: {
      fallback: {
        shows: "lock_mm_and_find_vma with no failed lookup before it, at the address of the task's fault before",
        hooks: [HMF, LOCK, LOOKUP],
        options: ['scope all'],
        silent: 'fault before',
      },
    },
    premise: 'attempt under the VMA lock that did not return RETRY, with a fault of the same task after it',
    judge: noFallback,
  },
  {
    number: 6,
    statement:
      'RETRY under the VMA lock leads to lock_mm_and_find_vma, on some kernels to a second try with TRIED, or a pending signal ends the exception.',
    from: version(6, 4),
    hooks: [HMF, LOCK],
    sees: {
      next: {
        shows: 'an attempt with VMA_LOCK and without TRIED after that RETRY',
        hooks: [HMF, LOCK, 'signal_deliver'],
        silent: 'fault',
      },
    },
    premise: 'RETRY under the VMA lock',
    kinds: [VlKind.HMF_EXIT],
    judge: fallsBack,
  },
  {
    number: 7,
    statement:
      'After RETRY under the VMA lock the next attempt has TRIED if, and only if, MAJOR came with it (6.8 and later); after RETRY under mmap_lock always.',
    from: version(6, 4),
    hooks: [HMF, LOCK],
    sees: { flags: { shows: 'the flags of the next handle_mm_fault', hooks: [HMF, LOCK] } },
    premise: 'second attempt',
    kinds: [VlKind.MM_LOCK_EXIT],
    judge: tried,
  },
];
