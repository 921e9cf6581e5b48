// SPDX-License-Identifier: MIT
/** The kernel's fault flags and results by name: their numbers changed between kernels, so the session brings them. */
import { type Arch, archOf } from '../vocabulary/arch.js';
import { isHooked, type KernelEnums, type SessionInfo } from './session.js';

/** si->flags of a device that completes its reads in place; anonymous in include/linux/swap.h, so BTF has no name for it. */
export const SWP_SYNCHRONOUS_IO: number = 1 << 12;

const ERRORS = ['OOM', 'SIGBUS', 'SIGSEGV', 'HWPOISON', 'HWPOISON_LARGE', 'FALLBACK'];

/** Masks; 0 where this kernel has no such name, which no flag matches. */
export interface FaultBits {
  readonly vmaLock: number;
  readonly user: number;
  readonly tried: number;
  readonly allowRetry: number;
  readonly nowait: number;
  readonly retry: number;
  readonly completed: number;
  readonly major: number;
  readonly error: number;
  /** The arch gives the VMA lock back where a VL_VMA_RELEASE step is sent. */
  readonly observed: boolean;
  /** 6.4 and 6.5: the arch code gives the VMA lock back after every handle_mm_fault, RETRY included. */
  readonly outlivesRetry: boolean;
  /** Type of SWP_DEVICE_WRITE, with SWP_DEVICE_READ above it: 6.15 gave one type to device-exclusive entries, of two before. */
  readonly firstPrivate: number;
  /** get_swap_device is hooked: a do_swap_page without it handles no swap entry. */
  readonly deviceHooked: boolean;
  /** The end of every mmap_lock hold of a fault is sent (VL_MM_RELEASED). */
  readonly mmapReleased: boolean;
  /** handle_userfault gets VM_UFFD_MINOR, a bit above 31, so that its low half reads 0 (6.4 and later). */
  readonly uffdMinor: boolean;
  /** By which a PTE is read; null when not known. */
  readonly arch: Arch | null;
}

export function faultBits(session: SessionInfo): FaultBits {
  const flag = (name: string): number => session.enums.faultFlags[`FAULT_FLAG_${name}`] ?? 0;
  const reason = (name: string): number => session.enums.faultReasons[`VM_FAULT_${name}`] ?? 0;
  const hooked = (target: string): boolean => isHooked(session, target);
  return {
    vmaLock: flag('VMA_LOCK'),
    user: flag('USER'),
    tried: flag('TRIED'),
    allowRetry: flag('ALLOW_RETRY'),
    nowait: flag('RETRY_NOWAIT'),
    retry: retryBits(session.enums.faultReasons),
    completed: reason('COMPLETED'),
    major: reason('MAJOR'),
    error: ERRORS.reduce((mask, name) => mask | reason(name), 0),
    observed: session.release === 'observed',
    outlivesRetry: /^6\.[45](\D|$)/.test(session.kernel),
    firstPrivate: /^([0-5]\.|6\.(\d|1[0-4])(\D|$))/.test(session.kernel) ? 27 : 28,
    deviceHooked: hooked('get_swap_device'),
    mmapReleased: hooked('mmap_lock_released'),
    uffdMinor: !/^([0-5]\.|6\.[0-3](\D|$))/.test(session.kernel),
    arch: archOf(session.arch),
  };
}

/**
 * VM_FAULT_RETRY, and the bits beside it whose names begin so: kernels that try once more under the VMA lock may say by one
 * of their own which lock is to be taken (as VM_FAULT_RETRY_VMA). What came of it, the next attempt shows.
 */
export function retryBits(faultReasons: KernelEnums['faultReasons']): number {
  return Object.entries(faultReasons).reduce(
    (mask, [name, bit]) => (/^VM_FAULT_RETRY(_|$)/.test(name) ? mask | bit : mask),
    0,
  );
}

/** Names of the bits of `value`, without what all of them begin with; what no name is known for as a number. */
function bitWords(value: number, names: Readonly<Record<string, number>>, prefix: string): string {
  const words: string[] = [];
  let left = value;
  for (const [name, bit] of Object.entries(names)) {
    // VM_FAULT_HINDEX_MASK is a field of several bits, not a flag.
    if ((bit & (bit - 1)) !== 0 || (left & bit) === 0) continue;
    words.push(name.startsWith(prefix) ? name.slice(prefix.length) : name);
    left &= ~bit;
  }
  if (left !== 0) words.push(`0x${(left >>> 0).toString(16)}`);
  return words.join('|');
}

/** handle_mm_fault's flags as include/linux/mm_types.h names them: `USER|VMA_LOCK|INTERRUPTIBLE`; `0` for none. */
export function faultFlagWords(flags: number, { faultFlags }: KernelEnums): string {
  return bitWords(flags, faultFlags, 'FAULT_FLAG_') || '0';
}

/** Its vm_fault_t: `RETRY|MAJOR`; `0` where it is done. */
export function faultResultWords(ret: number, { faultReasons }: KernelEnums): string {
  return bitWords(ret, faultReasons, 'VM_FAULT_') || '0';
}
