// SPDX-License-Identifier: MIT
/** Why an attempt returned RETRY: the innermost hooked function that first did, with its evidence. */
import { VlFile, VlFound, VlStepFlag } from '../../schema/events.gen.js';
import type { FaultBits } from '../events/fault-bits.js';
import { type PteKind, pteKind, swapTypeOf } from '../vocabulary/arch.js';
import type { AbortCause, RetryCause } from '../vocabulary/causes.js';
import { type AttemptRecord, Innermost } from './attempt-record.js';
import type { FaultRecord } from './record.js';
import type { StepContext } from './step.js';

/** By Innermost. */
const NAMES: readonly string[] = [
  '',
  '__folio_lock_or_retry',
  'handle_userfault',
  '__vmf_anon_prepare',
  'do_swap_page',
  'handle_mm_fault',
  'filemap_fault',
  'shmem_fault',
  'hugetlb_fault',
  'do_huge_pmd_device_private',
];

/** VM_UFFD_MISSING and VM_UFFD_WP (include/linux/mm.h). */
const VM_UFFD_MISSING = 1 << 9;
const VM_UFFD_WP = 1 << 12;
/** In vm_flags: VM_UFFD_MISSING and VM_UFFD_WP; VM_UFFD_MINOR's bit differs between kernels, 37, 38 or 41. */
const VM_UFFD = BigInt(VM_UFFD_MISSING | VM_UFFD_WP) | (1n << 37n) | (1n << 38n) | (1n << 41n);

/** In vm_flags; the same value since 2.6 (include/linux/mm.h). */
const VM_HUGETLB = 0x400000n;

/**
 * Notes that `outer` returned RETRY (or is proven to have), `previous` being the step before and `time` its own.
 * A callee that was entered and whose return was not seen returned RETRY too: under the VMA lock
 * __folio_lock_or_retry never returns anything else, __vmf_anon_prepare's trylock has failed by then, the fault lock
 * is gone once handle_userfault waits, and handle_mm_fault has no RETRY of its own after ->fault.
 */
export function noteRetry(attempt: AttemptRecord, outer: Innermost, previous: number, time: number): void {
  if (attempt.first !== Innermost.None) return;
  if (attempt.open !== Innermost.None) {
    attempt.first = attempt.open;
    return;
  }
  attempt.first = outer;
  attempt.innerLo = previous;
  attempt.innerHi = time;
}

/** The VMA is registered with userfaultfd, or its flags were not seen; then handle_userfault may have returned RETRY, unseen. */
const mayBeUserfault = (f: FaultRecord): boolean => f.vmFlags === 0n || (f.vmFlags & VM_UFFD) !== 0n;

/** False as well where its flags were not seen. */
export const isHugetlb = ({ vmFlags }: Pick<FaultRecord, 'vmFlags'>): boolean => (vmFlags & VM_HUGETLB) !== 0n;

/** What the PTE held that do_swap_page of an attempt under the VMA lock was called for. */
function entryOf(f: FaultRecord, attempt: AttemptRecord, bits: FaultBits): PteKind {
  // `f.pte` is that of the first pass; a gap may have swallowed a pass.
  if (attempt.lock !== 'vma' || attempt.gap || Number.isNaN(attempt.swapAt)) return 'unknown';
  return pteKind(f.pte, bits.arch);
}

/** Nothing that do_swap_page may call was seen inside it, and it returned RETRY and no more. */
function isSilent(f: FaultRecord, attempt: AttemptRecord, bits: FaultBits): boolean {
  const seen = attempt.deviceSeen || attempt.florSeen || attempt.uffdSeen || f.waits.length > 0;
  return !seen && attempt.result === bits.retry;
}

/**
 * do_swap_page's own RETRY under the VMA lock. A missed run leaves no trace, so an absent step is no evidence by itself:
 * the PTE must say that the entry is none of a swap device, or the kernel must have shown that it refuses those.
 */
function swapCause(f: FaultRecord, attempt: AttemptRecord, { bits, refusals }: StepContext): RetryCause {
  if (!isSilent(f, attempt, bits)) return 'unknown';
  const entry = entryOf(f, attempt, bits);
  // A kernel that refuses swap faults refuses migration entries as well, which look like device-private ones.
  if (entry === 'special') {
    const type = swapTypeOf(f.pte, bits.arch);
    // Of a device-exclusive entry __folio_lock_or_retry returned it, unseen; a hwpoison or migration entry never does.
    return !refusals.proven && type >= bits.firstPrivate && type <= bits.firstPrivate + 1
      ? 'device-private'
      : 'unknown';
  }
  attempt.refused = entry === 'swap' && bits.deviceHooked;
  return attempt.refused && refusals.proven ? 'swap refused' : 'unknown';
}

/** The first get_swap_device of an attempt: what it says of the kernel. */
export function noteDevice(f: FaultRecord, s: StepContext, attempt: AttemptRecord): void {
  if (!attempt.lockKnown || Number.isNaN(attempt.swapAt)) return;
  if (attempt.lock === 'vma') s.refusals.handled();
  else if (f.vmaAttempt?.refused) s.refusals.confirmed();
}

/** Fills `cause` and `innermost` of an attempt that returned RETRY. */
export function classify(f: FaultRecord, attempt: AttemptRecord, s: StepContext): void {
  attempt.innermost = NAMES[attempt.first] ?? '';
  attempt.cause = causeOf(f, attempt, s);
}

function causeOf(f: FaultRecord, attempt: AttemptRecord, s: StepContext): RetryCause {
  const { first } = attempt;
  const { bits } = s;
  // A later try keeps the lock while it waits, and gives up only when it is killed.
  const triedBefore = attempt.lock === 'mmap' && attempt.passFlags > 0 && (attempt.passFlags & bits.tried) !== 0;
  if (triedBefore && (first === Innermost.Flor || first === Innermost.Filemap)) return 'signal';
  switch (first) {
    case Innermost.Flor:
      return folioCause(f, attempt, bits);
    case Innermost.Uffd:
      return userfaultCause(attempt.uffdReason, bits);
    case Innermost.Anon:
      return attempt.hugetlb || isHugetlb(f) ? 'hugetlb' : 'anon_vma';
    case Innermost.Swap:
      return swapCause(f, attempt, s);
    case Innermost.Filemap:
      return fileCause(attempt, bits);
    case Innermost.Shmem:
      // It returns RETRY of its own only while a hole is being punched; else handle_userfault did, unseen.
      return attempt.fileBits & VlFile.PUNCH ? 'shmem: hole punch' : 'unknown';
    case Innermost.Hugetlb:
      return mayBeUserfault(f) ? 'unknown' : 'hugetlb';
    case Innermost.PmdPrivate:
      return 'device-private';
    default:
      return isHugetlb(f) && !mayBeUserfault(f) ? 'hugetlb' : 'unknown';
  }
}

function folioCause(f: FaultRecord, attempt: AttemptRecord, bits: FaultBits): RetryCause {
  const { result, florFlags } = attempt;
  if (result !== -1 && result & bits.major) return 'folio locked: own read';
  if (!attempt.deviceSeen) {
    const entry = entryOf(f, attempt, bits);
    if (entry === 'special') return 'device-exclusive';
    if (entry !== 'swap') return 'folio locked';
  }
  if (florFlags === -1 || !(florFlags & VlStepFlag.FOLIO)) return 'folio locked';
  // Whose read it is, or was, only a return can show, and one without RETRY is of another pass.
  if (result === -1 || !(result & bits.retry)) return 'folio locked';
  return florFlags & VlStepFlag.UPTODATE ? 'folio locked: other holder' : 'folio locked: other read';
}

function userfaultCause(reason: number, bits: FaultBits): RetryCause {
  if (reason === -1) return 'userfault';
  if (reason & VM_UFFD_MISSING) return 'userfault: missing';
  if (reason & VM_UFFD_WP) return 'userfault: write-protect';
  return reason === 0 && bits.uffdMinor ? 'userfault: minor' : 'userfault';
}

/** In the order of filemap_fault: what made it drop the lock first. */
function fileCause(attempt: AttemptRecord, bits: FaultBits): RetryCause {
  const { fileBits, result } = attempt;
  if (result !== -1 && result & bits.major) return 'file: cache miss';
  if (fileBits & VlFile.READAHEAD) return 'file: readahead';
  // A read alone does not say that no readahead came first: only the return does.
  if (fileBits & VlFile.READ) return 'file: not up to date';
  return fileBits === 0 ? 'unknown' : 'file: page lock';
}

/**
 * What the fallback adds to a RETRY: `found` is `enum vl_found`. handle_mm_fault's callers of ->fault have no probe
 * of their own, so what they refuse is taken from the VMA; a dropped step could have shown another cause.
 */
export function causeAtFallback(f: FaultRecord, attempt: AttemptRecord, found: number, bits: FaultBits): RetryCause {
  const cause = attempt.cause as RetryCause;
  if (!(found & VlFound.FOUND) || attempt.gap) return cause;
  if (cause === 'anon_vma' && found & VlFound.FOUND_HUGETLB) return 'hugetlb';
  if (cause !== 'unknown' || attempt.first !== Innermost.Hmf) return cause;
  if (found & VlFound.FOUND_HUGETLB) return mayBeUserfault(f) ? 'unknown' : 'hugetlb';
  // do_swap_page goes on to ->fault for a PTE marker only.
  if (!Number.isNaN(attempt.swapAt) && pteKind(f.pte, bits.arch) !== 'marker') return cause;
  if (found & VlFound.FOUND_NO_MAP_PAGES) return '->fault needs mmap_lock';
  return attempt.faultHandler !== 0n ? 'driver or file system' : cause;
}

/** What the fallback adds to an ABORT, of which nothing was seen but that a writer held the mm, or not. */
export function abortCauseAtFallback(was: AbortCause, found: number): AbortCause {
  if (found === 0) return 'VMA absent';
  if (found & VlFound.FOUND_GREW) return 'stack growth';
  return found & VlFound.FOUND_LATEST ? 'VMA write-locked' : was;
}
