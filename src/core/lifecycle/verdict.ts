// SPDX-License-Identifier: MIT
/** The counterfactual of a RETRY under the VMA lock: what the fallback found, against what the attempt had. */
import { VlArgs, VlFound } from '../../schema/events.gen.js';
import { isByDesign } from '../vocabulary/causes.js';
import type { VerdictKind } from '../vocabulary/verdicts.js';
import { type AttemptRecord, Innermost, type WaitRecord } from './attempt-record.js';
import type { Verdict } from './lifecycle.js';
import type { FaultRecord } from './record.js';
import type { StepContext } from './step.js';

interface Judgement {
  readonly kind: VerdictKind;
  readonly why: string;
}

const AS: Readonly<Record<Exclude<VerdictKind, 'unknown'>, Judgement>> = {
  avoidable: { kind: 'avoidable', why: '' },
  'write-locked': { kind: 'write-locked', why: '' },
  replaced: { kind: 'replaced', why: '' },
  gone: { kind: 'gone', why: '' },
  'by design': { kind: 'by design', why: '' },
};
const NOT_RECORDED: Judgement = { kind: 'unknown', why: 'not recorded' };
const NO_CAUSE: Judgement = { kind: 'unknown', why: 'cause unknown' };
const NOT_READ: Judgement = { kind: 'unknown', why: 'lock sequence not read' };

/**
 * A RETRY whose cause is not known may be one of those by design: do_swap_page or a caller of ->fault returned it, and
 * nothing was seen that they come to only when they handle the fault under the VMA lock.
 */
function mayBeByDesign(
  { cause, first, result, deviceSeen, florSeen, uffdSeen }: AttemptRecord,
  s: StepContext,
): boolean {
  if (cause !== 'unknown' || (first !== Innermost.Swap && first !== Innermost.Hmf)) return false;
  return !(deviceSeen || florSeen || uffdSeen || (result !== -1 && result & s.bits.major));
}

/** The step is a VL_MM_LOCK_EXIT. */
function compare(attempt: AttemptRecord, s: StepContext): Judgement {
  const found = s[VlArgs.MM_LOCK_EXIT.found];
  if (isByDesign(attempt.cause)) return AS['by design'];
  // Recordings older than the comparison say that a VMA was found and no more; since then a found VMA covers the address.
  if (found === VlFound.FOUND) return NOT_RECORDED;
  if (mayBeByDesign(attempt, s)) return NO_CAUSE;
  if (found === 0) return AS.gone;
  if (!(found & VlFound.FOUND_COVERS)) return AS.replaced;
  // A record that was opened only when handle_mm_fault returned knows nothing of the attempt's VMA, not even which it was.
  if (!(found & VlFound.FOUND_SEQ_KNOWN)) return NOT_READ;
  if (!(found & VlFound.FOUND_SAME)) return AS.replaced;
  return found & VlFound.FOUND_SEQ_SAME ? AS.avoidable : AS['write-locked'];
}

function report(
  f: FaultRecord,
  s: StepContext,
  attempt: AttemptRecord,
  judgement: Judgement,
  mmWriters: number,
  wait: WaitRecord | null,
): void {
  attempt.verdict = { kind: judgement.kind, why: judgement.why, mmWriters, writer: f.writer } satisfies Verdict;
  f.unjudged = false;
  s.sink.judged(f, attempt, wait);
}

/** lock_mm_and_find_vma returned: the step at hand says what it found. */
export function judge(f: FaultRecord, s: StepContext, wait: WaitRecord | null): void {
  const attempt = f.vmaAttempt;
  if (!f.unjudged || attempt === null) return;
  const known = s[VlArgs.MM_LOCK_EXIT.found] & VlFound.FOUND_MM_KNOWN;
  report(f, s, attempt, compare(attempt, s), known ? s[VlArgs.MM_LOCK_EXIT.writers] : -1, wait);
}

/** Why there is no fallback to compare with, on kernels that go on under the VMA lock. */
export const TRIED_AGAIN = 'tried once more under the VMA lock';

/** What the fallback found will not be known. */
export function judgeUnseen(f: FaultRecord, s: StepContext, instead: string = ''): void {
  const attempt = f.vmaAttempt;
  if (!f.unjudged || attempt === null) return;
  const why = instead || (f.how === 'signal' ? 'signal: no fallback' : 'fallback not seen');
  report(f, s, attempt, { kind: 'unknown', why }, -1, null);
}
