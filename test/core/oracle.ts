// SPDX-License-Identifier: MIT
/**
 * A slow and naive reconstruction, written another way than the fold: it looks at all the steps of a lifecycle at
 * once, cuts them into attempts by the order in which the kernel runs the hooks, and asks each attempt what it has.
 * No states, no transitions.
 */
import { VlKind, VlStepFlag } from '../../src/schema/events.gen.js';
import { abortCause } from './oracle-causes.js';
import type { OracleAttempt, OracleFault } from './oracle-fault.js';
import { judge, verdictOf } from './oracle-judge.js';
import {
  CUTS,
  cut,
  grammatical,
  inPass,
  LOCKING,
  NOTES,
  outstanding,
  type Pass,
  passFlags,
  stepsOf,
} from './oracle-passes.js';
import { type PassWaits, waitsOf } from './oracle-waits.js';
import type { Sight } from './script-writer.js';
import { FLAG, RET } from './session.js';
import type { SyntheticRow } from './synthetic-pack.js';

const { VMA_LOCK, HMF_EXIT, SWAP_ENTER, MM_LOCK_ENTER, MM_CONTENDED, MM_LOCK_EXIT, VMA_RELEASE, ABANDONED } = VlKind;
const RETRY = RET.VM_FAULT_RETRY;
const COMPLETED = RET.VM_FAULT_COMPLETED;
const ERROR = RET.VM_FAULT_SIGBUS | RET.VM_FAULT_SIGSEGV | RET.VM_FAULT_OOM;
const { FAULT_FLAG_VMA_LOCK } = FLAG;

export function reconstruct(rows: readonly SyntheticRow[], sight: Sight): Map<number, OracleFault> {
  const byId = new Map<number, SyntheticRow[]>();
  const byTid = new Map<number, SyntheticRow[]>();
  const position = new Map<SyntheticRow, number>();
  rows.forEach((row, i) => {
    position.set(row, i);
    push(byId, idOf(row), row);
    push(byTid, row.tid, row);
  });
  const out = new Map<number, OracleFault>();
  for (const [id, own] of byId)
    out.set(id, one(id, own, byTid.get((own[0] as SyntheticRow).tid) ?? [], byId, position, sight));
  return out;
}

function push<K>(map: Map<K, SyntheticRow[]>, key: K, row: SyntheticRow): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [row]);
  else list.push(row);
}

const idOf = (row: SyntheticRow): number => row.faultCpu * 2 ** 32 + row.fault;
const depthOf = (row: SyntheticRow): number => (row.flags & VlStepFlag.INFO ? row.who.depth : 0);
const isDone = (row: SyntheticRow): boolean => !(row.b & (RETRY | COMPLETED));

/** The lock an attempt is under, null where nothing tells; `second`: it is not the fault's first. */
function lockOf(pass: Pass, second: boolean): 'vma' | 'mmap' | null {
  const flags = pass.rows.map(passFlags).find((f) => f !== null) ?? (pass.released ? FAULT_FLAG_VMA_LOCK : null);
  if (second || pass.mmReleased !== null || inPass(pass, ...LOCKING, MM_LOCK_EXIT) !== undefined) return 'mmap';
  if (flags === null) return null;
  return flags & FAULT_FLAG_VMA_LOCK ? 'vma' : 'mmap';
}

/** mmap_lock was given back, and nothing inside that drops it was under way or had said RETRY. */
function isOver(pass: Pass | undefined, lock: 'vma' | 'mmap' | null): boolean {
  if (pass?.mmReleased == null || lock !== 'mmap' || inPass(pass, HMF_EXIT) !== undefined) return false;
  const { FLOR_ENTER, FLOR_SLEEP, FLOR_EXIT, UFFD_ENTER, UFFD_EXIT, FILE_ENTER, FILE_SLEEP, FILE_EXIT } = VlKind;
  let under = false;
  for (const { kind, b } of stepsOf(pass)) {
    const exit = kind === FLOR_EXIT || kind === UFFD_EXIT || kind === FILE_EXIT;
    if (b & RETRY && (exit || kind === VlKind.SWAP_EXIT || kind === VlKind.INNER_RETRY)) return false;
    if (kind === VlKind.ANON_PREPARE) return false;
    if ([FLOR_ENTER, FLOR_SLEEP, UFFD_ENTER, FILE_ENTER, FILE_SLEEP].some((one) => one === kind)) under = true;
    if (exit) under = false;
  }
  return !under;
}

function one(
  id: number,
  own: readonly SyntheticRow[],
  task: readonly SyntheticRow[],
  all: ReadonlyMap<number, SyntheticRow[]>,
  position: ReadonlyMap<SyntheticRow, number>,
  { observed, released }: Sight,
): OracleFault {
  const at = (row: SyntheticRow): number => position.get(row) as number;
  const first = own[0] as SyntheticRow;
  const gaps = new Set(own.filter((row, i) => row.step !== (i === 0 ? 0 : (own[i - 1] as SyntheticRow).step + 1)));
  const steps = own.filter((row) => !NOTES.includes(row.kind));
  // A gap before a note is a gap before the step after it as well.
  let lost = false;
  const gapped = new Set<SyntheticRow>();
  for (const row of own) {
    lost ||= gaps.has(row);
    if (lost) gapped.add(row);
    if (!NOTES.includes(row.kind)) lost = false;
  }
  const passes = cut(own.filter((row) => !CUTS.includes(row.kind)));
  const exact = own.find((row) => row.kind === VMA_RELEASE)?.time ?? Number.NaN;
  const cutBy = steps.find((row) => CUTS.includes(row.kind));
  const before = Math.max(
    -Infinity,
    ...task
      .filter((row) => at(row) < at(first) && row.kind !== ABANDONED)
      .map((row) => row.time)
      .slice(-1),
  );
  /** The step before a row, of this fault, else of its task. */
  const since = (row: SyntheticRow): number =>
    own.findLast((other) => at(other) < at(row) && !NOTES.includes(other.kind))?.time ?? before;

  const outlived = task.some((row) => {
    if (at(row) < at(own[own.length - 1] as SyntheticRow) || idOf(row) === id) return false;
    const other = (all.get(idOf(row)) as SyntheticRow[])[0] as SyntheticRow;
    if (at(other) < at(first)) return true; // what it interrupted goes on
    return other === row && (row.flags & VlStepFlag.INFO) !== 0 && depthOf(row) <= depthOf(first);
  });
  const regs = steps.findLast((row) => row.kind === HMF_EXIT);
  const gup = regs !== undefined && !(regs.flags & VlStepFlag.REGS);
  const second = (i: number): boolean => i > 0 || steps[0]?.kind === VMA_LOCK;
  const lastPass = passes[passes.length - 1];
  const lastLock = lastPass === undefined ? null : lockOf(lastPass, second(passes.length - 1));
  const hmf = inPass(lastPass, HMF_EXIT);
  const mmExit = inPass(lastPass, MM_LOCK_EXIT);
  const failed = mmExit !== undefined && mmExit.a === 0;
  /** handle_mm_fault is done, and the release of its lock is awaited or was seen. */
  const keepsVma = observed && hmf !== undefined && isDone(hmf) && (hmf.a & FAULT_FLAG_VMA_LOCK) !== 0;
  const keepsMm =
    released &&
    hmf !== undefined &&
    isDone(hmf) &&
    !(hmf.a & FAULT_FLAG_VMA_LOCK) &&
    (hmf.flags & VlStepFlag.REGS) !== 0;
  const awaited = (keepsVma && Number.isNaN(exact)) || (keepsMm && lastPass?.mmReleased === null);
  const waits: PassWaits[] = passes.map((pass, i) => waitsOf(pass, lockOf(pass, second(i)), at));
  const torn = waits.some((one) => one.torn);
  const over = cutBy !== undefined || outlived;
  const missing = gaps.size > 0 || torn || !grammatical(own, passes);

  let end: string;
  if (failed) end = 'error';
  else if (hmf !== undefined && !(hmf.b & RETRY)) {
    end =
      hmf.b & ERROR ? 'error' : hmf.b & COMPLETED ? 'completed' : hmf.a & FAULT_FLAG_VMA_LOCK ? 'ok-vma' : 'ok-mmap';
    if (awaited && !over) end = 'in-flight';
  } else if (cutBy !== undefined) {
    const retried = hmf !== undefined && !gup && !gapped.has(cutBy);
    end = retried && (cutBy.kind !== ABANDONED || !missing) ? 'signal' : 'incomplete';
    if (!gapped.has(cutBy) && isOver(lastPass, lastLock)) end = 'ok-mmap';
  } else if (outlived) end = isOver(lastPass, lastLock) ? 'ok-mmap' : 'incomplete';
  else end = 'in-flight';

  const [firstPass, fallback] = passes;
  const vmaPass = firstPass !== undefined && lockOf(firstPass, second(0)) === 'vma' ? firstPass : undefined;
  const aborted = first.step === 0 && (first.kind === VMA_LOCK || (first.kind === MM_LOCK_ENTER && first.a === 1));
  const judged =
    vmaPass === undefined
      ? null
      : judge(vmaPass, fallback, {
          steps,
          task,
          gapped,
          at,
          since,
          acquired: first.flags & VlStepFlag.INFO ? first.who.acquired : Number.NaN,
          vmFlags: first.flags & VlStepFlag.INFO ? first.who.vmFlags : 0n,
          pte: first.flags & VlStepFlag.INFO ? first.who.pte : 0n,
          fileDropped: waits[0]?.fileDropped ?? Number.NaN,
        });
  const unclosed = end === 'incomplete' || (awaited && over) || (end === 'ok-mmap' && hmf === undefined);
  return {
    id,
    end,
    vma: aborted ? 'abort' : (judged?.vma ?? 'none'),
    cause: aborted ? abortCause(firstPass) : (judged?.cause ?? null),
    verdict: judged !== null && judged.vma === 'retry' ? verdictOf(judged, fallback, end) : null,
    folio: inPass(vmaPass, VlKind.FLOR_ENTER)?.b ?? 0,
    faultHandler: judged?.faultHandler ?? 0n,
    joined: judged?.vma === 'retry' && passes.length > 1,
    waits: waits.flatMap((one) => one.waits),
    release: judged?.release ?? null,
    exact,
    whole: !missing && !unclosed,
    enteredSwap: own.some((row) => row.kind === SWAP_ENTER),
    attempts: passes.flatMap((pass, i) => attemptOf(pass, second(i), { since, over, exact, before, first })),
    endSeen: cutBy !== undefined,
    lastMissing:
      cutBy !== undefined && end === 'incomplete' && !gapped.has(cutBy) && !gup
        ? `${outstanding(own, passes)} missed`
        : '',
    stacks: own.filter((row) => row.kind === VlKind.STACK).map((row) => row.a),
  };
}

interface Around {
  readonly since: (row: SyntheticRow) => number;
  readonly over: boolean;
  readonly exact: number;
  readonly before: number;
  readonly first: SyntheticRow;
}

function attemptOf(pass: Pass, second: boolean, { since, over, exact, before, first }: Around): OracleAttempt[] {
  const lock = lockOf(pass, second);
  if (lock === null) return [];
  const { rows } = pass;
  const hmf = inPass(pass, HMF_EXIT);
  const mm = inPass(pass, MM_LOCK_EXIT);
  const failed = mm !== undefined && mm.a === 0;
  let outcome = pass.next !== null ? 'retry' : over ? 'unknown' : 'pending';
  if (failed) outcome = 'error';
  else if (hmf !== undefined)
    outcome = hmf.b & RETRY ? 'retry' : hmf.b & ERROR ? 'error' : hmf.b & COMPLETED ? 'completed' : 'ok';
  const exactRelease = lock === 'vma' ? exact : (pass.mmReleased?.time ?? Number.NaN);
  const beginnings = [rows[0], pass.released, pass.mmReleased].filter((row) => row != null) as SyntheticRow[];
  const start = beginnings.reduce((x, y) => (y.step < x.step ? y : x));
  let acquired = { lo: since(start), hi: start.time };
  if (failed) acquired = { lo: Number.NaN, hi: Number.NaN };
  else if (LOCKING.includes(start.kind)) {
    // Had by the end of lock_mm_and_find_vma, or by the first step that proves it over; not before its trylock failed.
    const queued = rows.find((row) => row.kind === MM_CONTENDED);
    const locking = [...LOCKING, VlKind.WAIT_ENTER, VlKind.WAIT_EXIT];
    const ends = [rows.find((row) => !locking.includes(row.kind)), pass.mmReleased, pass.next].filter(
      (row) => row != null,
    ) as SyntheticRow[];
    acquired = {
      lo: queued?.time ?? (start.kind === MM_LOCK_ENTER ? start.time : since(start)),
      hi: Math.min(Infinity, ...ends.map((row) => row.time)),
    };
  } else if (first === start && first.flags & VlStepFlag.INFO && !Number.isNaN(first.who.acquired) && lock === 'vma') {
    acquired = { lo: first.who.acquired, hi: first.who.acquired };
  } else if (first === start) acquired = { lo: before, hi: first.time };
  return [{ lock, outcome, acquired, exactRelease }];
}
