// SPDX-License-Identifier: MIT
/** For the oracle: outcome, cause, release and verdict of the attempt under the VMA lock. */
import type { VerdictKind } from '../../src/core/vocabulary/verdicts.js';
import { VlFile, VlFound, VlHolder, VlInner, VlKind, VlStepFlag } from '../../src/schema/events.gen.js';
import type { OracleFault } from './oracle.js';
import { inPass, type Pass, stepsOf } from './oracle-passes.js';
import { RET } from './session.js';
import type { SyntheticRow } from './synthetic-pack.js';

const K = VlKind;
const RETRY = RET.VM_FAULT_RETRY;
const MAJOR = RET.VM_FAULT_MAJOR;
const ERROR = RET.VM_FAULT_SIGBUS | RET.VM_FAULT_SIGSEGV | RET.VM_FAULT_OOM;

export interface Evidence {
  readonly steps: readonly SyntheticRow[];
  readonly task: readonly SyntheticRow[];
  readonly gapped: ReadonlySet<SyntheticRow>;
  readonly at: (row: SyntheticRow) => number;
  readonly since: (row: SyntheticRow) => number;
  readonly acquired: number;
  readonly pte: bigint;
  /** 0 where the row that says it is lost. */
  readonly vmFlags: bigint;
  readonly fileDropped: number;
}

export interface Judged {
  readonly vma: OracleFault['vma'];
  readonly cause: string | null;
  readonly release: OracleFault['release'];
  readonly faultHandler: bigint;
  /** What is seen leaves room for a cause by design. */
  readonly mayBeByDesign?: boolean;
}

type Who = 'flor' | 'uffd' | 'anon' | 'file' | 'shmem' | 'swap' | 'hugetlb' | 'pmd' | 'hmf';

/** Who returned RETRY first: `entry` when it was seen to begin, `seen` the first row of it otherwise. */
interface First {
  readonly who: Who;
  readonly entry: SyntheticRow | null;
  readonly seen: SyntheticRow;
}

function firstRetry(pass: Pass, proof: SyntheticRow): First {
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

export function judge(pass: Pass, fallback: Pass | undefined, evidence: Evidence): Judged | null {
  const { steps, task, gapped, at, since, acquired } = evidence;
  const hmf = inPass(pass, K.HMF_EXIT);
  const proof = hmf ?? pass.next;
  if (proof === null) return null;
  /** The step before; the VMA lock was not given back before it was had. */
  const previous = (row: SyntheticRow): number =>
    steps.indexOf(row) > 0 || Number.isNaN(acquired) ? since(row) : acquired;
  if (hmf !== undefined && !(hmf.b & RETRY)) {
    if (hmf.b & RET.VM_FAULT_COMPLETED)
      return {
        vma: 'completed',
        cause: null,
        faultHandler: 0n,
        release: { rule: 'none', lo: previous(hmf), hi: hmf.time },
      };
    const next = task.find((row) => at(row) > at(hmf) && row.kind !== K.VMA_RELEASE && row.kind !== K.MM_RELEASED);
    return {
      vma: hmf.b & ERROR ? 'error' : 'ok',
      cause: null,
      faultHandler: 0n,
      release: { rule: 'R2', lo: hmf.time, hi: Math.max(hmf.time, next?.time ?? Infinity) },
    };
  }
  const first = firstRetry(pass, proof);
  const gap = [...pass.rows, proof].some((row) => gapped.has(row));
  const swapEnter = inPass(pass, K.SWAP_ENTER);
  const returns = pass.rows.filter((row) => [K.SWAP_EXIT, K.FILE_EXIT, K.HMF_EXIT].some((kind) => kind === row.kind));
  const type = evidence.pte >> 59n;
  const special = type >= 23n && type < 31n;
  const marker = type === 31n;
  const noDevice = swapEnter !== undefined && !gap && inPass(pass, K.SWAP_DEVICE) === undefined && special;
  const named = swapEnter !== undefined && !gap && evidence.pte !== 0n && type < 23n;
  const sure = named || inPass(pass, K.SWAP_DEVICE) !== undefined;
  const registered = evidence.vmFlags === 0n || (evidence.vmFlags & 0x260_0000_1200n) !== 0n;
  const exit = inPass(fallback, K.MM_LOCK_EXIT);
  const ops = inPass(fallback, K.VMA_OPS);
  const faultHandler = ops === undefined ? 0n : (BigInt(ops.a) << 32n) | BigInt(ops.b);
  const cause = atFallback(
    causeOf(pass, first, { gap, noDevice, sure, isPrivate: type === 27n || type === 28n, returns, registered }),
    first.who,
    gap ? 0 : (exit?.a ?? 0),
    faultHandler,
    swapEnter === undefined || marker,
    registered,
  );

  const { entry, seen } = first;
  /** The next step; a wait that began in the next attempt may be what proves this one over. */
  const after = (row: SyntheticRow): number => {
    const asleep = first.who === 'file' || first.who === 'shmem';
    const next = steps.find((step) => at(step) > at(row) && !(asleep && step.kind === K.FILE_SLEEP));
    return next === undefined || at(proof) < at(next) ? proof.time : next.time;
  };
  const none = (lo: number, hi: number): OracleFault['release'] => ({ rule: 'none', lo, hi });
  let release: OracleFault['release'];
  switch (first.who) {
    case 'flor':
      release = entry ? { rule: 'R1', lo: entry.time, hi: after(entry) } : none(previous(seen), seen.time);
      break;
    case 'uffd':
      release = entry ? { rule: 'R5', lo: entry.time, hi: after(entry) } : none(previous(seen), seen.time);
      break;
    case 'file':
    case 'shmem': {
      const hi = seen.kind === K.FILE_EXIT ? seen.time : after(seen);
      const dropped = first.who === 'file' ? evidence.fileDropped : Number.NaN;
      if (entry) release = { rule: 'R6', lo: entry.time, hi: Number.isNaN(dropped) ? hi : dropped };
      else release = none(previous(seen), hi);
      break;
    }
    case 'anon':
      release = { rule: 'R3', lo: seen.time, hi: after(seen) };
      break;
    default:
      release =
        first.who === 'swap' && cause === 'device-private' && swapEnter !== undefined
          ? { rule: 'R4', lo: swapEnter.time, hi: seen.time }
          : none(previous(seen), seen.time);
  }
  const beyond = [K.SWAP_DEVICE, K.FLOR_ENTER, K.FLOR_SLEEP, K.FLOR_EXIT, K.UFFD_ENTER, K.UFFD_EXIT];
  const handled = inPass(pass, ...beyond) !== undefined || returns.some((row) => row.b & MAJOR);
  const mayBeByDesign = !handled && (first.who === 'swap' || first.who === 'hmf');
  return { vma: 'retry', cause, release, faultHandler, mayBeByDesign };
}

interface Seen {
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

function causeOf(pass: Pass, first: First, { noDevice, sure, isPrivate, returns, registered }: Seen): string {
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

function atFallback(
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

export function verdictOf(
  { cause, mayBeByDesign }: Judged,
  fallback: Pass | undefined,
  end: string,
): OracleFault['verdict'] {
  const exit = inPass(fallback, K.MM_LOCK_EXIT);
  const writer = inPass(fallback, K.MM_WRITER)?.a ?? 0;
  if (exit === undefined) {
    const over = end !== 'in-flight' || fallback?.next != null || inPass(fallback, K.HMF_EXIT) !== undefined;
    if (!over) return null;
    const signalled = end === 'signal' && fallback === undefined;
    return { kind: 'unknown', why: signalled ? 'signal: no fallback' : 'fallback not seen', mmWriters: -1, writer };
  }
  const { a } = exit;
  const mmWriters = a & VlFound.FOUND_MM_KNOWN ? exit.b : -1;
  const as = (kind: VerdictKind, why = ''): OracleFault['verdict'] => ({ kind, why, mmWriters, writer });
  if (cause === '->fault needs mmap_lock' || cause === 'device-private') return as('by design');
  if (a === VlFound.FOUND) return as('unknown', 'not recorded');
  if (cause === 'unknown' && mayBeByDesign) return as('unknown', 'cause unknown');
  if (a === 0) return as('gone');
  if (!(a & VlFound.FOUND_COVERS)) return as('replaced');
  if (!(a & VlFound.FOUND_SEQ_KNOWN)) return as('unknown', 'lock sequence not read');
  if (!(a & VlFound.FOUND_SAME)) return as('replaced');
  return as(a & VlFound.FOUND_SEQ_SAME ? 'avoidable' : 'write-locked');
}
