// SPDX-License-Identifier: MIT
/** The counterfactual of a RETRY under the VMA lock: what the fallback found, against what the attempt had. */
import { VlFound } from '../../schema/events.gen.js';
import { type Cause, isByDesign } from '../vocabulary/causes.js';
import type { VerdictKind } from '../vocabulary/verdicts.js';
import type { AttemptRecord, WaitRecord } from './attempt-record.js';
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
const NOT_READ: Judgement = { kind: 'unknown', why: 'lock sequence not read' };

/** `found`: `enum vl_found`, 0 for NULL. */
function compare(cause: Cause | null, found: number): Judgement {
  if (isByDesign(cause)) return AS['by design'];
  if (found === 0) return AS.gone;
  // Recordings older than the comparison say that a VMA was found and no more; since then a found VMA covers the address.
  if (found === VlFound.FOUND) return NOT_RECORDED;
  if (!(found & VlFound.FOUND_COVERS)) return AS.replaced;
  // A record that was opened only when handle_mm_fault returned knows nothing of the attempt's VMA, not even which it was.
  if (!(found & VlFound.FOUND_SEQ_KNOWN)) return NOT_READ;
  if (!(found & VlFound.FOUND_SAME)) return AS.replaced;
  return found & VlFound.FOUND_SEQ_SAME ? AS.avoidable : AS['write-locked'];
}

function tell(
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
  const known = s.a & VlFound.FOUND_MM_KNOWN;
  tell(f, s, attempt, compare(attempt.cause, s.a), known ? s.b : -1, wait);
}

/** What the fallback found will not be known. */
export function judgeUnseen(f: FaultRecord, s: StepContext): void {
  const attempt = f.vmaAttempt;
  if (!f.unjudged || attempt === null) return;
  const why = f.how === 'signal' ? 'signal: no fallback' : 'fallback not seen';
  tell(f, s, attempt, { kind: 'unknown', why }, -1, null);
}
