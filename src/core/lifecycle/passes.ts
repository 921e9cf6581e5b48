// SPDX-License-Identifier: MIT
/** Whether a step is of another attempt than the one under way: then the steps between them are absent. */
import { VlArgs, VlKind, VlSharedArgs } from '../../schema/events.gen.js';
import { type AttemptRecord, Innermost } from './attempt-record.js';
import type { StepContext } from './step.js';

const FLAGS = 1;
const BEGINS = 2;
const RELEASE = 4;

/** By kind: it has fault flags; something begins inside the attempt; mmap_lock is given back. */
const ASKS: Uint8Array = new Uint8Array(128);
ASKS[VlKind.HMF_EXIT] = FLAGS;
for (const kind of [VlKind.SWAP_ENTER, VlKind.FLOR_ENTER, VlKind.UFFD_ENTER, VlKind.FILE_ENTER])
  ASKS[kind] = FLAGS | BEGINS;
for (const kind of [VlKind.SWAP_DEVICE, VlKind.ANON_PREPARE]) ASKS[kind] = BEGINS;
ASKS[VlKind.MM_RELEASED] = RELEASE;

export function isOtherPass(pending: AttemptRecord, s: StepContext): boolean {
  const asks = ASKS[s.kind] as number;
  if (asks === 0) return false;
  // Flags that do not change within one handle_mm_fault differ.
  if (asks & FLAGS && pending.passFlags >= 0 && s[VlSharedArgs.flags] !== 0) {
    if ((s[VlSharedArgs.flags] & (s.bits.vmaLock | s.bits.tried)) !== pending.passFlags) return true;
  }
  // Once mmap_lock is given back nothing begins any more, and it is not given back again.
  const released = pending.lock === 'mmap' && !Number.isNaN(pending.exactRelease);
  if (asks & (BEGINS | RELEASE) && released) return true;
  // What returned RETRY inside makes handle_mm_fault return it, and one that keeps its lock has not given it back.
  if (s.kind === VlKind.HMF_EXIT && !(s[VlArgs.HMF_EXIT.ret] & s.bits.retry)) {
    if (pending.first !== Innermost.None || (released && !(s[VlArgs.HMF_EXIT.ret] & s.bits.completed))) return true;
  }
  return (asks & RELEASE) !== 0 && pending.lockKnown && pending.lock === 'vma';
}

/**
 * Whether a step is of another attempt under the VMA lock: fault flags have FAULT_FLAG_TRIED with FAULT_FLAG_VMA_LOCK only
 * on kernels that try once more after a RETRY.
 */
export function isSecondTry(s: StepContext): boolean {
  const both = s.bits.vmaLock | s.bits.tried;
  return ((ASKS[s.kind] as number) & FLAGS) !== 0 && (s[VlSharedArgs.flags] & both) === both;
}

/** Notes beside the steps: they may be sent late, and bound nothing. */
const NOTES: Uint8Array = new Uint8Array(128);
for (const kind of [VlKind.WAIT_ENTER, VlKind.WAIT_EXIT, VlKind.STACK, VlKind.MM_INSIDE, VlKind.VMA_RELEASE])
  NOTES[kind] = 1;

export function isNote(kind: number): boolean {
  return NOTES[kind] === 1;
}
