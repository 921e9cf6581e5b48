// SPDX-License-Identifier: MIT
/** For the oracle: outcome, release and verdict of the attempt under the VMA lock. */
import type { VerdictKind } from '../../src/core/vocabulary/verdicts.js';
import { VlFound, VlKind } from '../../src/schema/events.gen.js';
import { atFallback, causeOf, firstRetry } from './oracle-causes.js';
import type { OracleFault } from './oracle-fault.js';
import { inPass, type Pass } from './oracle-passes.js';
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
