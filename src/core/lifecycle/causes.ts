// SPDX-License-Identifier: MIT
/** Why an attempt returned RETRY: the innermost hooked function that first did, with its evidence. */
import { VlFile, VlFound, VlStepFlag } from '../../schema/events.gen.js';
import type { FaultBits } from '../events/fault-bits.js';
import type { AbortCause, RetryCause } from '../vocabulary/causes.js';
import { type AttemptRecord, Innermost } from './attempt-record.js';
import type { FaultRecord } from './record.js';

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
/** Swap types from here on are no swap devices on any kernel: MAX_SWAPFILES with every option on is 23 (kernel model, section 3). */
const FIRST_SPECIAL_TYPE = 23n;

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

/** Whether the PTE may be a special one: no swap slot. True where it was not seen. */
function maybeSpecial(f: FaultRecord, bits: FaultBits): boolean {
  return !bits.swapTypeOnTop || f.pte === 0n || f.pte >> 59n >= FIRST_SPECIAL_TYPE;
}

/**
 * do_swap_page's own RETRY under the VMA lock, before get_swap_device, is a device-private entry.
 * A dropped step could have been the evidence against it.
 */
function isDevicePrivate(f: FaultRecord, attempt: AttemptRecord, bits: FaultBits): boolean {
  return (
    attempt.lock === 'vma' &&
    !attempt.gap &&
    !Number.isNaN(attempt.swapAt) &&
    !attempt.deviceSeen &&
    !attempt.florSeen &&
    !attempt.uffdSeen &&
    maybeSpecial(f, bits)
  );
}

/** Fills `cause` and `innermost` of an attempt that returned RETRY. */
export function classify(f: FaultRecord, attempt: AttemptRecord, bits: FaultBits): void {
  attempt.innermost = NAMES[attempt.first] ?? '';
  attempt.cause = causeOf(f, attempt, bits);
}

function causeOf(f: FaultRecord, attempt: AttemptRecord, bits: FaultBits): RetryCause {
  const { first } = attempt;
  // A later try keeps the lock while it waits, and gives up only when it is killed.
  const triedBefore = attempt.lock === 'mmap' && attempt.passFlags > 0 && (attempt.passFlags & bits.tried) !== 0;
  if (triedBefore && (first === Innermost.Flor || first === Innermost.Filemap)) return 'signal';
  switch (first) {
    case Innermost.Flor:
      return folioCause(f, attempt, bits);
    case Innermost.Uffd:
      return userfaultCause(attempt.uffdReason, bits);
    case Innermost.Anon:
      return attempt.hugetlb ? 'hugetlb' : 'anon_vma';
    case Innermost.Swap:
      if (bits.refusesSwap && attempt.lock === 'vma') return 'swap refused';
      return isDevicePrivate(f, attempt, bits) ? 'device-private' : 'unknown';
    case Innermost.Filemap:
      return fileCause(attempt, bits);
    case Innermost.Shmem:
      return 'shmem: hole punch';
    case Innermost.Hugetlb:
      return 'hugetlb';
    case Innermost.PmdPrivate:
      return 'device-private';
    default:
      return 'unknown';
  }
}

function folioCause(f: FaultRecord, attempt: AttemptRecord, bits: FaultBits): RetryCause {
  const { result, florFlags } = attempt;
  if (result !== -1 && result & bits.major) return 'folio locked: own read';
  const entrySeen = !Number.isNaN(attempt.swapAt) && !attempt.gap && bits.deviceHooked;
  if (entrySeen && !attempt.deviceSeen && maybeSpecial(f, bits)) return 'device-exclusive';
  if (florFlags === -1 || !(florFlags & VlStepFlag.FOLIO)) return 'folio locked';
  if (florFlags & VlStepFlag.UPTODATE) return 'folio locked: other holder';
  // Whose read it is that is awaited, only a return can tell.
  return result === -1 ? 'folio locked' : 'folio locked: other read';
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
  if (fileBits & VlFile.READ || (fileBits === 0 && attempt.fileRead)) return 'file: not up to date';
  return fileBits === 0 ? 'unknown' : 'file: page lock';
}

/**
 * What the fallback adds to a RETRY: `found` is `enum vl_found`. handle_mm_fault's callers of ->fault have no probe
 * of their own, so what they refuse is told from the VMA; a dropped step could have told another cause.
 */
export function causeAtFallback(attempt: AttemptRecord, found: number): RetryCause {
  const cause = attempt.cause as RetryCause;
  if (!(found & VlFound.FOUND) || attempt.gap) return cause;
  if (cause === 'anon_vma' && found & VlFound.FOUND_HUGETLB) return 'hugetlb';
  if (cause !== 'unknown' || attempt.first !== Innermost.Hmf) return cause;
  if (found & VlFound.FOUND_HUGETLB) return 'hugetlb';
  if (found & VlFound.FOUND_NO_MAP_PAGES) return '->fault needs mmap_lock';
  return attempt.faultHandler !== 0n ? 'driver or file system' : cause;
}

/** What the fallback adds to an ABORT, of which nothing was seen but that a writer held the mm, or not. */
export function abortCauseAtFallback(was: AbortCause, found: number): AbortCause {
  if (found === 0) return 'VMA absent';
  if (found & VlFound.FOUND_GREW) return 'stack growth';
  return found & VlFound.FOUND_LATEST ? 'VMA write-locked' : was;
}
