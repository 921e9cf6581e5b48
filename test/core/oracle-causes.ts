// SPDX-License-Identifier: MIT
/** For the oracle: who returned RETRY first, and the cause that tells; the cause of an ABORT. */
import { VlFile, VlFound, VlHolder, VlInner, VlKind, VlStepFlag } from '../../src/schema/events.gen.js';
import { inPass, type Pass, stepsOf } from './oracle-passes.js';
import { RET } from './session.js';
import type { SyntheticRow } from './synthetic-pack.js';

const K = VlKind;
const RETRY = RET.VM_FAULT_RETRY;
const MAJOR = RET.VM_FAULT_MAJOR;

export type Who = 'flor' | 'uffd' | 'anon' | 'file' | 'shmem' | 'swap' | 'hugetlb' | 'pmd' | 'hmf';

/** Who returned RETRY first: `entry` when it was seen to begin, `seen` the first row of it otherwise. */
export interface First {
  readonly who: Who;
  readonly entry: SyntheticRow | null;
  readonly seen: SyntheticRow;
}

export function firstRetry(pass: Pass, proof: SyntheticRow): First {
  let open: First | null = null;
  for (const row of stepsOf(pass)) {
    const retry = (row.b & RETRY) !== 0;
    const enter = (who: Who): void => {
      open = { who, entry: row, seen: row };
    };
    const inside = (who: Who): First => (open?.who === who ? open : { who, entry: null, seen: row });
    switch (row.kind) {
      case K.FLOR_ENTER:
        enter('flor');
        break;
      case K.UFFD_ENTER:
        enter('uffd');
        break;
      case K.FILE_ENTER:
        enter(row.b & VlFile.SHMEM ? 'shmem' : 'file');
        break;
      case K.FLOR_SLEEP:
        open = inside('flor');
        break;
      case K.FILE_SLEEP:
        if ((open as First | null)?.who !== 'shmem') open = inside('file');
        break;
      case K.FLOR_EXIT:
      case K.UFFD_EXIT: {
        const mine = inside(row.kind === K.FLOR_EXIT ? 'flor' : 'uffd');
        if (retry) return mine;
        open = null;
        break;
      }
      case K.FILE_EXIT: {
        const now = open as First | null;
        const who = row.a & VlFile.SHMEM ? 'shmem' : 'file';
        const mine = now === null || now.who === 'flor' ? ({ who, entry: null, seen: row } as const) : now;
        if (retry) return mine.who === 'uffd' ? mine : { ...mine, who };
        open = null;
        break;
      }
      case K.ANON_PREPARE:
        if (retry) return { who: 'anon', entry: row, seen: row };
        enter('anon');
        break;
      case K.INNER_RETRY:
        return open ?? { who: row.a === VlInner.HUGETLB ? 'hugetlb' : 'pmd', entry: null, seen: row };
      case K.SWAP_EXIT:
        if (retry) return open ?? { who: 'swap', entry: null, seen: row };
        break;
      default:
    }
  }
  return open ?? { who: 'hmf', entry: null, seen: proof };
}

export interface Seen {
  readonly gap: boolean;
  /** do_swap_page was entered and no get_swap_device followed. */
  readonly noDevice: boolean;
  /** get_swap_device was seen, or the PTE is of a swap device. */
  readonly sure: boolean;
  /** The PTE is device-private in 6.12. */
  readonly isPrivate: boolean;
  readonly returns: readonly SyntheticRow[];
  /** With userfaultfd, as far as is known. */
  readonly registered: boolean;
}

export function causeOf(pass: Pass, first: First, { noDevice, sure, isPrivate, returns, registered }: Seen): string {
  const major = returns.some((row) => row.b & MAJOR);
  switch (first.who) {
    case 'flor': {
      const flags = inPass(pass, K.FLOR_ENTER)?.flags ?? 0;
      if (major) return 'folio locked: own read';
      if (noDevice) return 'device-exclusive';
      if (!sure) return 'folio locked';
      if (!(flags & VlStepFlag.FOLIO)) return 'folio locked';
      if (!returns.some((row) => row.b & RETRY)) return 'folio locked';
      return flags & VlStepFlag.UPTODATE ? 'folio locked: other holder' : 'folio locked: other read';
    }
    case 'uffd': {
      const reason = inPass(pass, K.UFFD_ENTER)?.b ?? -1;
      const of = new Map([
        [0x200, 'userfault: missing'],
        [0x1000, 'userfault: write-protect'],
        [0, 'userfault: minor'],
      ]);
      return of.get(reason) ?? 'userfault';
    }
    case 'anon':
      return inPass(pass, K.INNER_RETRY)?.a === VlInner.HUGETLB ? 'hugetlb' : 'anon_vma';
    case 'swap': {
      const others = [K.FLOR_ENTER, K.FLOR_SLEEP, K.FLOR_EXIT, K.UFFD_ENTER, K.UFFD_EXIT, K.WAIT_ENTER, K.FILE_ENTER];
      const plain = returns.every((row) => row.b === RETRY || row.b === 0);
      return noDevice && isPrivate && plain && inPass(pass, ...others) === undefined ? 'device-private' : 'unknown';
    }
    case 'file': {
      const bits = inPass(pass, K.FILE_EXIT)?.a ?? 0;
      if (major) return 'file: cache miss';
      if (bits === 0) return 'unknown';
      if (bits & VlFile.READAHEAD) return 'file: readahead';
      return bits & VlFile.READ ? 'file: not up to date' : 'file: page lock';
    }
    case 'shmem':
      return (inPass(pass, K.FILE_EXIT)?.a ?? 0) & VlFile.PUNCH ? 'shmem: hole punch' : 'unknown';
    case 'hugetlb':
      return registered ? 'unknown' : 'hugetlb';
    case 'pmd':
      return 'device-private';
    default:
      return 'unknown';
  }
}

export function atFallback(
  cause: string,
  who: Who,
  found: number,
  handler: bigint,
  mayFault: boolean,
  registered: boolean,
): string {
  if (found === 0) return cause;
  const hugetlb = (found & VlFound.FOUND_HUGETLB) !== 0;
  if (hugetlb && who === 'anon') return 'hugetlb';
  if (hugetlb && who === 'hmf') return registered ? 'unknown' : 'hugetlb';
  if (who !== 'hmf' || !mayFault) return cause;
  if (found & VlFound.FOUND_NO_MAP_PAGES) return '->fault needs mmap_lock';
  return handler !== 0n ? 'driver or file system' : cause;
}

/** `pass`: the attempt under mmap_lock that came first. */
export function abortCause(pass: Pass | undefined): string {
  const exit = inPass(pass, K.MM_LOCK_EXIT);
  if (exit?.a === 0) return 'VMA absent';
  if (exit !== undefined && exit.a & VlFound.FOUND_GREW) return 'stack growth';
  if (exit !== undefined && exit.a & VlFound.FOUND_LATEST) return 'VMA write-locked';
  const writer = pass?.rows.some(
    (row) => (row.kind === K.MM_LOCK_ENTER || row.kind === K.MM_CONTENDED) && row.b === VlHolder.WRITER,
  );
  return writer === true ? 'writer in the mm' : 'VMA lock unavailable';
}
