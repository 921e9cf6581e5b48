// SPDX-License-Identifier: MIT
/**
 * A slow and naive reconstruction, written another way than the fold: it looks at all the steps of a lifecycle at
 * once, cuts them into attempts by the order in which the kernel runs the hooks, and asks each attempt what it has.
 * No states, no transitions.
 */
import { VlKind, VlStepFlag } from '../../src/schema/events.gen.js';
import { FLAG, RET } from './session.js';
import type { SyntheticRow } from './synthetic.js';

const { VMA_LOCK, HMF_EXIT, SWAP_ENTER, SWAP_EXIT, SWAP_DEVICE, FLOR_ENTER, FLOR_SLEEP, FLOR_EXIT } = VlKind;
const { UFFD_ENTER, UFFD_EXIT, ANON_PREPARE, MM_LOCK_ENTER, MM_LOCK_EXIT, VMA_RELEASE, SIGNAL, TASK_EXIT, ABANDONED } =
  VlKind;
const CUTS: readonly number[] = [SIGNAL, TASK_EXIT, ABANDONED];
const RETRY = RET.VM_FAULT_RETRY;
const ERROR = RET.VM_FAULT_SIGBUS | RET.VM_FAULT_SIGSEGV | RET.VM_FAULT_OOM;

/** Place within one attempt, on arrival and after: steps of one attempt only ever climb. */
const RANK: Readonly<Record<number, readonly [number, number]>> = {
  [MM_LOCK_ENTER]: [0, 0],
  [MM_LOCK_EXIT]: [1, 1],
  [SWAP_ENTER]: [2, 2],
  [SWAP_DEVICE]: [3, 3],
  [FLOR_ENTER]: [4, 4],
  [FLOR_SLEEP]: [5, 5],
  [FLOR_EXIT]: [6, 6],
  [UFFD_ENTER]: [7, 7],
  [UFFD_EXIT]: [8, 8],
  [ANON_PREPARE]: [7, 8],
  [SWAP_EXIT]: [9, 9],
  [HMF_EXIT]: [10, 11],
  [VMA_RELEASE]: [1.5, 1.5],
};

export interface OracleWait {
  readonly kind: string;
  readonly start: number;
  readonly end: number;
}

export interface OracleFault {
  readonly id: number;
  readonly end: string;
  /** What became of the attempt under the VMA lock. */
  readonly vma: 'none' | 'ok' | 'retry' | 'completed' | 'error' | 'abort';
  readonly cause: string | null;
  readonly joined: boolean;
  readonly waits: readonly OracleWait[];
  readonly release: { readonly rule: string; readonly lo: number; readonly hi: number } | null;
  readonly exact: number;
  readonly whole: boolean;
  readonly enteredSwap: boolean;
  /** Attempts whose lock is known, in order; an abort is not among them. */
  readonly attempts: readonly OracleAttempt[];
  /** What a loss must be called, where the last step alone decides it; '' elsewhere. */
  readonly lastMissing: string;
  /** The step that ended it was seen: its end is not lost. */
  readonly endSeen: boolean;
}

export interface OracleAttempt {
  readonly lock: 'vma' | 'mmap';
  readonly outcome: string;
  readonly acquired: { readonly lo: number; readonly hi: number };
  readonly exactRelease: number;
}

interface Pass {
  readonly rows: SyntheticRow[];
  /** A release of the VMA lock was seen within. */
  released: boolean;
  /** The step after it, if any. */
  next: SyntheticRow | null;
}

export function reconstruct(rows: readonly SyntheticRow[], observed: boolean): Map<number, OracleFault> {
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
    out.set(id, one(id, own, byTid.get((own[0] as SyntheticRow).tid) ?? [], byId, position, observed));
  return out;
}

function push<K>(map: Map<K, SyntheticRow[]>, key: K, row: SyntheticRow): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [row]);
  else list.push(row);
}

const idOf = (row: SyntheticRow): number => row.faultCpu * 2 ** 32 + row.fault;
const depthOf = (row: SyntheticRow): number => (row.flags & VlStepFlag.INFO ? row.who.depth : 0);
const passFlags = (row: SyntheticRow): number | null =>
  [HMF_EXIT, SWAP_ENTER, FLOR_ENTER, UFFD_ENTER].some((kind) => kind === row.kind)
    ? row.a & (FLAG.FAULT_FLAG_VMA_LOCK | FLAG.FAULT_FLAG_TRIED)
    : row.kind === VMA_RELEASE
      ? FLAG.FAULT_FLAG_VMA_LOCK
      : null;

function one(
  id: number,
  own: readonly SyntheticRow[],
  task: readonly SyntheticRow[],
  all: ReadonlyMap<number, SyntheticRow[]>,
  position: ReadonlyMap<SyntheticRow, number>,
  observed: boolean,
): OracleFault {
  const at = (row: SyntheticRow): number => position.get(row) as number;
  const first = own[0] as SyntheticRow;
  const gaps = new Set(own.filter((row, i) => row.step !== (i === 0 ? 0 : (own[i - 1] as SyntheticRow).step + 1)));
  const steps = own.filter((row) => row.kind !== VMA_RELEASE);
  // A gap before a release is a gap before the step after it as well.
  const gapped = new Set(
    own.filter((row, i) => gaps.has(row) || (gaps.has(own[i - 1] as SyntheticRow) && own[i - 1]?.kind === VMA_RELEASE)),
  );
  const passes = cut(own.filter((row) => !CUTS.includes(row.kind)));
  const exact = own.find((row) => row.kind === VMA_RELEASE)?.time ?? Number.NaN;
  const final = steps.findLast((row) => !CUTS.includes(row.kind)) ?? first;
  const cutBy = steps.find((row) => CUTS.includes(row.kind));
  const before = Math.max(
    -Infinity,
    ...task
      .filter((row) => at(row) < at(first) && row.kind !== ABANDONED)
      .map((row) => row.time)
      .slice(-1),
  );

  const outlived = task.some((row) => {
    if (at(row) < at(own[own.length - 1] as SyntheticRow) || idOf(row) === id) return false;
    const other = (all.get(idOf(row)) as SyntheticRow[])[0] as SyntheticRow;
    if (at(other) < at(first)) return true; // what it interrupted goes on
    return other === row && (row.flags & VlStepFlag.INFO) !== 0 && depthOf(row) <= depthOf(first);
  });
  const regs = steps.findLast((row) => row.kind === HMF_EXIT);
  const gup = regs !== undefined && !(regs.flags & VlStepFlag.REGS);
  const kept =
    observed &&
    final.kind === HMF_EXIT &&
    (final.a & FLAG.FAULT_FLAG_VMA_LOCK) !== 0 &&
    !(final.b & (RETRY | RET.VM_FAULT_COMPLETED));
  const missing = gaps.size > 0 || !grammatical(own, passes, observed && Number.isNaN(exact));
  const over = cutBy !== undefined || outlived;

  let end: string;
  if (final.kind === MM_LOCK_EXIT && final.a === 0) end = 'error';
  else if (final.kind === HMF_EXIT && !(final.b & RETRY)) {
    end =
      final.b & ERROR
        ? 'error'
        : final.b & RET.VM_FAULT_COMPLETED
          ? 'completed'
          : final.a & FLAG.FAULT_FLAG_VMA_LOCK
            ? 'ok-vma'
            : 'ok-mmap';
    if (kept && Number.isNaN(exact) && !over) end = 'in-flight';
  } else if (cutBy !== undefined) {
    const retried = final.kind === HMF_EXIT && !gup && !gaps.has(cutBy);
    end = retried && (cutBy.kind !== ABANDONED || !missing) ? 'signal' : 'incomplete';
  } else end = outlived ? 'incomplete' : 'in-flight';

  const vmaPass = passes.find(
    (pass, i) =>
      i === 0 && (pass.released || pass.rows.some((row) => (passFlags(row) ?? 0) & FLAG.FAULT_FLAG_VMA_LOCK)),
  );
  const aborted = first.step === 0 && (first.kind === VMA_LOCK || (first.kind === MM_LOCK_ENTER && first.a === 1));
  const verdict =
    vmaPass === undefined
      ? { vma: 'none' as const, cause: null, release: null }
      : judge(vmaPass, steps, task, gapped, before, at);
  const ends = end === 'incomplete' || end === 'signal' || (kept && Number.isNaN(exact) && over);
  return {
    id,
    end,
    vma: aborted ? 'abort' : verdict.vma,
    cause: aborted ? 'VMA lock unavailable' : verdict.cause,
    joined: verdict.vma === 'retry' && passes.length > 1,
    waits: passes.flatMap((pass) => waitsOf(pass)),
    release: verdict.release,
    exact,
    whole: !missing && !(ends && end !== 'signal'),
    enteredSwap: own.some((row) => row.kind === SWAP_ENTER),
    attempts: passes.flatMap((pass, i) => attemptOf(pass, i, steps, before, over, exact)),
    endSeen: cutBy !== undefined,
    lastMissing:
      cutBy !== undefined && end === 'incomplete' && !gaps.has(cutBy) && !gup
        ? `${nextAfter(final, passes)} missed`
        : '',
  };
}

function cut(rows: readonly SyntheticRow[]): Pass[] {
  const passes: Pass[] = [];
  let level = Infinity;
  let known: number | null = null;
  for (const row of rows) {
    if (row.kind === VMA_LOCK) continue;
    const pass = passes[passes.length - 1];
    // A release that comes first is all that is seen of the beginning of its attempt; elsewhere it only says which lock.
    if (row.kind === VMA_RELEASE && pass !== undefined) {
      if (
        passes.length === 1 &&
        level < 11 &&
        pass.rows[0]?.kind !== MM_LOCK_ENTER &&
        pass.rows[0]?.kind !== MM_LOCK_EXIT
      ) {
        known ??= FLAG.FAULT_FLAG_VMA_LOCK;
        pass.released = true;
      }
      continue;
    }
    const [arrive, leave] = RANK[row.kind] as readonly [number, number];
    const flags = passFlags(row);
    if (arrive <= level || (known !== null && flags !== null && flags !== known)) {
      if (pass !== undefined) pass.next = row;
      passes.push({ rows: [], released: false, next: null });
      known = null;
    }
    (passes[passes.length - 1] as Pass).rows.push(row);
    if (flags !== null) known = flags;
    level = leave;
  }
  return passes;
}

/** What the kernel side says of a whole lifecycle, one letter a step: attempts, the last one perhaps not over. */
const INSIDE = '(sd?(fz?F)?(uU|n)?S|uU|n)?';
const OPEN = '(s|sd?fz?|sd?(fz?F)?u?|sd?(fz?F)?(uU|n)|sd?(fz?F)?(uU|n)?S|u|uU|n)';
const WHOLE = new RegExp(`^v?((Mm)?${INSIDE}H)*(Mm?|(Mm)?${OPEN})?$`);
const LETTER: Readonly<Record<number, string>> = {
  [VMA_LOCK]: 'v',
  [HMF_EXIT]: 'H',
  [SWAP_ENTER]: 's',
  [SWAP_EXIT]: 'S',
  [SWAP_DEVICE]: 'd',
  [FLOR_ENTER]: 'f',
  [FLOR_SLEEP]: 'z',
  [FLOR_EXIT]: 'F',
  [UFFD_ENTER]: 'u',
  [UFFD_EXIT]: 'U',
  [ANON_PREPARE]: 'n',
  [MM_LOCK_ENTER]: 'M',
  [MM_LOCK_EXIT]: 'm',
};

/** Whether nothing can be proven to be missing. */
function grammatical(own: readonly SyntheticRow[], passes: readonly Pass[], releaseMissing: boolean): boolean {
  const letters = own.map((row) => LETTER[row.kind] ?? '').join('');
  if (!WHOLE.test(letters)) return false;
  // Each attempt but the last must end in handle_mm_fault's return, and each but the first begin at mmap_lock.
  const gup = own.some((row) => row.kind === HMF_EXIT && !(row.flags & VlStepFlag.REGS));
  for (const [i, pass] of passes.entries()) {
    const last = pass.rows[pass.rows.length - 1] as SyntheticRow;
    if (i < passes.length - 1 && last.kind !== HMF_EXIT) return false;
    if (i > 0 && pass.rows[0]?.kind !== MM_LOCK_ENTER && !gup) return false;
  }
  // A VMA_LOCK step is NULL: mmap_lock comes next.
  if (letters.startsWith('v') && letters.length > 1 && letters[1] !== 'M') return false;
  const done = own.findLast((row) => row.kind === HMF_EXIT);
  const cutShort = own.some((row) => CUTS.includes(row.kind));
  const kept =
    done !== undefined && (done.a & FLAG.FAULT_FLAG_VMA_LOCK) !== 0 && !(done.b & (RETRY | RET.VM_FAULT_COMPLETED));
  return !(releaseMissing && kept && cutShort);
}

/** What the kernel runs next after a step; handle_mm_fault's return where nothing else is certain. */
const AFTER: Readonly<Record<number, string>> = {
  [VMA_LOCK]: 'lock_mm_and_find_vma',
  [HMF_EXIT]: 'lock_mm_and_find_vma',
  [MM_LOCK_ENTER]: 'lock_mm_and_find_vma exit',
  [FLOR_ENTER]: '__folio_lock_or_retry exit',
  [FLOR_SLEEP]: '__folio_lock_or_retry exit',
  [UFFD_ENTER]: 'handle_userfault exit',
  [SWAP_ENTER]: 'do_swap_page exit',
  [SWAP_DEVICE]: 'do_swap_page exit',
  [FLOR_EXIT]: 'do_swap_page exit',
};

function nextAfter(final: SyntheticRow, passes: readonly Pass[]): string {
  const inner = final.kind === UFFD_EXIT || final.kind === ANON_PREPARE;
  const kinds = passes[passes.length - 1]?.rows.map((row) => row.kind) ?? [];
  const inSwap =
    inner && [SWAP_ENTER, SWAP_DEVICE, FLOR_ENTER, FLOR_SLEEP, FLOR_EXIT].some((kind) => kinds.includes(kind));
  return inSwap ? 'do_swap_page exit' : (AFTER[final.kind] ?? 'handle_mm_fault exit');
}

function attemptOf(
  pass: Pass,
  i: number,
  steps: readonly SyntheticRow[],
  before: number,
  over: boolean,
  exact: number,
): OracleAttempt[] {
  const { rows } = pass;
  const start = rows[0] as SyntheticRow;
  const flags = rows.map(passFlags).find((f) => f !== null) ?? (pass.released ? FLAG.FAULT_FLAG_VMA_LOCK : null);
  const byLock = start.kind === MM_LOCK_ENTER || start.kind === MM_LOCK_EXIT;
  // VMA_LOCK (NULL) leads to mmap_lock, and so does every attempt but the first.
  const second = i > 0 || steps[0]?.kind === VMA_LOCK;
  if (flags === null && !byLock && !second) return [];
  const lock = !byLock && !second && flags !== null && flags & FLAG.FAULT_FLAG_VMA_LOCK ? 'vma' : 'mmap';
  const hmf = rows.find((row) => row.kind === HMF_EXIT);
  const mm = rows.find((row) => row.kind === MM_LOCK_EXIT);
  const failed = mm !== undefined && mm.a === 0;
  let outcome = pass.next !== null ? 'retry' : over ? 'unknown' : 'pending';
  if (failed) outcome = 'error';
  else if (hmf !== undefined) {
    outcome = hmf.b & RETRY ? 'retry' : hmf.b & ERROR ? 'error' : hmf.b & RET.VM_FAULT_COMPLETED ? 'completed' : 'ok';
  }
  const at = steps.indexOf(start);
  const lo = start.kind === MM_LOCK_ENTER ? start.time : at > 0 ? (steps[at - 1] as SyntheticRow).time : before;
  // Had by the end of lock_mm_and_find_vma, or by the first step after its entry that proves it over.
  const hi = start.kind === MM_LOCK_ENTER ? ((rows[1] ?? pass.next)?.time ?? Number.POSITIVE_INFINITY) : start.time;
  const begun =
    at === 0 && start.flags & VlStepFlag.INFO && !Number.isNaN(start.who.acquired) ? start.who.acquired : null;
  const acquired = failed
    ? { lo: Number.NaN, hi: Number.NaN }
    : begun !== null && lock === 'vma'
      ? { lo: begun, hi: begun }
      : { lo, hi };
  return [{ lock, outcome, acquired, exactRelease: lock === 'vma' ? exact : Number.NaN }];
}

function waitsOf(pass: Pass): OracleWait[] {
  const pairs: readonly (readonly [string, number, number])[] = [
    ['folio', FLOR_ENTER, FLOR_EXIT],
    ['userfault', UFFD_ENTER, UFFD_EXIT],
    ['mmapLock', MM_LOCK_ENTER, MM_LOCK_EXIT],
  ];
  return pairs.flatMap(([kind, enter, exit]) => {
    const from = pass.rows.find((row) => row.kind === enter);
    if (from === undefined) return [];
    return [{ kind, start: from.time, end: pass.rows.find((row) => row.kind === exit)?.time ?? Number.NaN }];
  });
}

function judge(
  pass: Pass,
  steps: readonly SyntheticRow[],
  task: readonly SyntheticRow[],
  gaps: ReadonlySet<SyntheticRow>,
  before: number,
  at: (row: SyntheticRow) => number,
): Pick<OracleFault, 'vma' | 'cause' | 'release'> {
  const find = (kind: number): SyntheticRow | undefined => pass.rows.find((row) => row.kind === kind);
  const said = (kind: number): SyntheticRow | undefined =>
    pass.rows.find((row) => row.kind === kind && (row.b & RETRY) !== 0);
  const previous = (row: SyntheticRow): number => {
    const i = steps.indexOf(row);
    return i > 0
      ? (steps[i - 1] as SyntheticRow).time
      : Number.isNaN(row.who.acquired) || !(row.flags & VlStepFlag.INFO)
        ? before
        : row.who.acquired;
  };
  const after = (row: SyntheticRow): number => (steps[steps.indexOf(row) + 1] as SyntheticRow).time;
  const hmf = find(HMF_EXIT);
  const proof = hmf ?? pass.next;
  if (proof === null || proof === undefined) return { vma: 'none', cause: null, release: null };
  if (hmf !== undefined && !(hmf.b & RETRY)) {
    if (hmf.b & RET.VM_FAULT_COMPLETED)
      return { vma: 'completed', cause: null, release: { rule: 'none', lo: previous(hmf), hi: hmf.time } };
    const next = task.find((row) => at(row) > at(hmf) && row.kind !== VMA_RELEASE);
    return {
      vma: hmf.b & ERROR ? 'error' : 'ok',
      cause: null,
      release: { rule: 'R2', lo: hmf.time, hi: Math.max(hmf.time, next?.time ?? Infinity) },
    };
  }
  const flor = [FLOR_ENTER, FLOR_SLEEP, FLOR_EXIT].map(find).find((row) => row !== undefined);
  const uffd = [UFFD_ENTER, UFFD_EXIT].map(find).find((row) => row !== undefined);
  const anon = find(ANON_PREPARE);
  const swap = said(SWAP_EXIT);
  const unfinished = uffd !== undefined && find(UFFD_EXIT) === undefined;
  if (
    said(FLOR_EXIT) !== undefined ||
    (flor !== undefined && find(FLOR_EXIT) === undefined && uffd === undefined && anon === undefined)
  ) {
    const entry = find(FLOR_ENTER);
    const seen = flor as SyntheticRow;
    const release =
      entry !== undefined
        ? { rule: 'R1', lo: entry.time, hi: after(entry) }
        : { rule: 'none', lo: previous(seen), hi: seen.time };
    return { vma: 'retry', cause: 'folio locked', release };
  }
  if (said(UFFD_EXIT) !== undefined || unfinished) {
    const entry = find(UFFD_ENTER);
    const seen = uffd as SyntheticRow;
    const release =
      entry !== undefined
        ? { rule: 'R5', lo: entry.time, hi: after(entry) }
        : { rule: 'none', lo: previous(seen), hi: seen.time };
    return { vma: 'retry', cause: 'userfault', release };
  }
  if (anon !== undefined)
    return { vma: 'retry', cause: 'anon_vma', release: { rule: 'R3', lo: anon.time, hi: proof.time } };
  const gap = [...pass.rows, proof].some((row) => gaps.has(row));
  const entry = find(SWAP_ENTER);
  if (swap !== undefined && entry !== undefined && !gap && find(SWAP_DEVICE) === undefined) {
    return { vma: 'retry', cause: 'device-private', release: { rule: 'R4', lo: entry.time, hi: swap.time } };
  }
  const by = swap ?? proof;
  return { vma: 'retry', cause: 'unknown', release: { rule: 'none', lo: previous(by), hi: by.time } };
}
