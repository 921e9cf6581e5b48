// SPDX-License-Identifier: MIT
/** Rules 5 to 7: what follows an attempt under the VMA lock: the fallback to mmap_lock, and TRIED. */
import { VlArgs, VlKind } from '../../schema/events.gen.js';
import { version } from './facts.js';
import {
  firstBetween,
  isOver,
  type Judged,
  pairs,
  signalPending as pending,
  type Rule,
  type Say,
  secondTry,
} from './rule.js';

const HMF = 'handle_mm_fault';
const LOCK = 'lock_mm_and_find_vma';
const LOOKUP = 'lock_vma_under_rcu';

/** A fault that is over under the VMA lock, judged when the task's next one is known. */
function noFallback(x: Judged, say: Say): void {
  const { steps, trace, shape } = x;
  const own = shape.attempts.find((a) => isOver(a) && a.vma === true && !(a.ret & x.facts.bits.retry));
  const after = own === undefined ? -1 : firstBetween(steps, own.exit, steps.length, VlKind.MM_LOCK_ENTER);
  if (after >= 0) {
    say.violated('lock_mm_and_find_vma after an attempt under the VMA lock that did not return RETRY', after);
    return;
  }
  const { before } = trace;
  const last = before?.lost === '' ? before.steps.findLast((step) => step.kind === VlKind.HMF_EXIT) : undefined;
  const { vmaLock, retry } = x.facts.bits;
  if (
    before === null ||
    last === undefined ||
    !(last[VlArgs.HMF_EXIT.flags] & vmaLock) ||
    last[VlArgs.HMF_EXIT.ret] & retry
  )
    return;
  // A fault from user mode comes to lock_mm_and_find_vma by a lookup that gave NULL, which is sent first.
  const bare = steps[0]?.kind === VlKind.MM_LOCK_ENTER && steps[0][VlArgs.MM_LOCK_ENTER.userMode] === 1;
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

export const FALLBACK_RULES: readonly Rule[] = [
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
