// SPDX-License-Identifier: MIT
/** For the oracle: the steps of a lifecycle, all at once, cut into attempts by the order in which the kernel runs the hooks. */
import { VlKind, VlStepFlag } from '../../src/schema/events.gen.js';
import { FLAG, RET } from './session.js';
import type { SyntheticRow } from './synthetic-pack.js';

const K = VlKind;
const TRIED_OR_VMA: number = FLAG.FAULT_FLAG_VMA_LOCK | FLAG.FAULT_FLAG_TRIED;

export const CUTS: readonly number[] = [K.SIGNAL, K.TASK_EXIT, K.ABANDONED];
/** Beside the steps: they bound nothing. */
export const NOTES: readonly number[] = [K.WAIT_ENTER, K.WAIT_EXIT, K.STACK, K.MM_INSIDE, K.VMA_RELEASE];
export const LOCKING: readonly number[] = [K.MM_LOCK_ENTER, K.MM_CONTENDED, K.VMA_OPS, K.MM_WRITER];
const WAITS: readonly number[] = [K.WAIT_ENTER, K.WAIT_EXIT];
const BEGINS: readonly number[] = [
  K.SWAP_ENTER,
  K.SWAP_DEVICE,
  K.FLOR_ENTER,
  K.UFFD_ENTER,
  K.FILE_ENTER,
  K.ANON_PREPARE,
];

/** Place within one attempt, on arrival and after: steps of one attempt only ever climb. */
const RANK: Readonly<Record<number, readonly [number, number]>> = {
  [K.MM_LOCK_ENTER]: [0, 0],
  [K.MM_CONTENDED]: [0.2, 0.2],
  [K.VMA_OPS]: [0.4, 0.4],
  [K.MM_WRITER]: [0.6, 0.6],
  [K.MM_LOCK_EXIT]: [1, 1],
  [K.SWAP_ENTER]: [2, 2],
  [K.SWAP_DEVICE]: [3, 3],
  [K.FLOR_ENTER]: [4, 4],
  [K.FLOR_SLEEP]: [5, 5],
  [K.FLOR_EXIT]: [6, 6],
  [K.FILE_ENTER]: [6.2, 6.2],
  [K.FILE_SLEEP]: [6.4, 6.4],
  [K.UFFD_ENTER]: [7, 7],
  [K.UFFD_EXIT]: [8, 8],
  [K.ANON_PREPARE]: [7, 8.4],
  [K.FILE_EXIT]: [8.3, 8.8],
  [K.INNER_RETRY]: [8.6, 8.8],
  [K.SWAP_EXIT]: [9, 9],
  [K.HMF_EXIT]: [10, 11],
};
const RUNNING = 1.5;
const OVER = 11;

export interface Pass {
  /** Steps and waits. */
  readonly rows: SyntheticRow[];
  /** A release of the VMA lock was seen within. */
  released: SyntheticRow | null;
  /** mmap_lock was given back. */
  mmReleased: SyntheticRow | null;
  /** The step after it, if any. */
  next: SyntheticRow | null;
}

export const passFlags = (row: SyntheticRow): number | null =>
  [K.HMF_EXIT, K.SWAP_ENTER, K.FLOR_ENTER, K.UFFD_ENTER, K.FILE_ENTER].some((kind) => kind === row.kind)
    ? row.a & TRIED_OR_VMA
    : row.kind === K.VMA_RELEASE
      ? FLAG.FAULT_FLAG_VMA_LOCK
      : null;

export const inPass = (pass: Pass | undefined, ...kinds: readonly number[]): SyntheticRow | undefined =>
  pass?.rows.find((row) => kinds.includes(row.kind));

export const stepsOf = (pass: Pass): SyntheticRow[] => pass.rows.filter((row) => !WAITS.includes(row.kind));

const RETRIES: readonly number[] = [K.FLOR_EXIT, K.UFFD_EXIT, K.ANON_PREPARE, K.FILE_EXIT, K.INNER_RETRY, K.SWAP_EXIT];
const saysRetry = (row: SyntheticRow): boolean => RETRIES.includes(row.kind) && (row.b & RET.VM_FAULT_RETRY) !== 0;

export function cut(rows: readonly SyntheticRow[]): Pass[] {
  const passes: Pass[] = [];
  let level = Infinity;
  let known: number | null = null;
  const begin = (row: SyntheticRow): Pass => {
    const before = passes[passes.length - 1];
    if (before !== undefined) before.next = row;
    const pass: Pass = { rows: [], released: null, mmReleased: null, next: null };
    passes.push(pass);
    known = null;
    return pass;
  };
  for (const row of rows) {
    const { kind } = row;
    if (kind === K.VMA_LOCK || kind === K.STACK || kind === K.MM_INSIDE) continue;
    let pass = passes[passes.length - 1];
    if (kind === K.VMA_RELEASE) {
      // One that comes first is all that is seen of the beginning of its attempt; elsewhere it only says which lock.
      if (pass === undefined) {
        pass = begin(row);
        level = RUNNING;
      }
      const first = pass.rows[0];
      if (passes.length > 1 || level >= OVER || LOCKING.concat(K.MM_LOCK_EXIT).includes(first?.kind ?? -1)) continue;
      known ??= FLAG.FAULT_FLAG_VMA_LOCK;
      pass.released ??= row;
      continue;
    }
    if (kind === K.MM_RELEASED) {
      const hmf = inPass(pass, K.HMF_EXIT);
      if (pass !== undefined && hmf !== undefined && !(hmf.b & RET.VM_FAULT_RETRY)) {
        pass.mmReleased = row;
        continue;
      }
      const vma: boolean = known !== null && (known & FLAG.FAULT_FLAG_VMA_LOCK) !== 0;
      if (pass === undefined || level >= OVER || vma || pass.mmReleased !== null) {
        pass = begin(row);
        level = RUNNING;
      }
      pass.mmReleased = row;
      level = Math.max(level, RUNNING);
      continue;
    }
    if (WAITS.includes(kind)) {
      if (pass === undefined || level >= OVER) {
        pass = begin(row);
        level = RUNNING;
      }
      pass.rows.push(row);
      continue;
    }
    const [arrive, leave] = RANK[kind] as readonly [number, number];
    const flags = passFlags(row);
    const twice = level === leave && (kind === K.ANON_PREPARE || kind === K.MM_CONTENDED);
    const gone = pass?.mmReleased !== null && BEGINS.includes(kind);
    const afterDevice =
      [K.FILE_ENTER, K.FILE_SLEEP, K.FILE_EXIT].some((one) => one === kind) &&
      inPass(pass, K.SWAP_DEVICE, K.FLOR_ENTER, K.FLOR_SLEEP, K.FLOR_EXIT) !== undefined &&
      inPass(pass, K.UFFD_EXIT) === undefined;
    // A RETRY inside comes out as one, and who keeps the lock has not given it back.
    const contradicts =
      kind === K.HMF_EXIT &&
      !(row.b & RET.VM_FAULT_RETRY) &&
      pass !== undefined &&
      (pass.rows.some((one) => saysRetry(one)) || (pass.mmReleased !== null && !(row.b & RET.VM_FAULT_COMPLETED)));
    const climbs = (arrive > level || twice) && !contradicts;
    if (pass === undefined || !climbs || gone || afterDevice || (known !== null && flags !== null && flags !== known))
      pass = begin(row);
    pass.rows.push(row);
    if (flags !== null) known = flags;
    level = leave;
  }
  return passes;
}

/** What the kernel side says of a whole lifecycle, one letter a step: attempts, the last one perhaps not over. */
const FILE = 'gy?(uU)?G';
const LOCK = 'Mc*o?w?m';
const INSIDE = `(sd?(fz?F)?(uU|nn?)?S|s${FILE}S|${FILE}|uUi?|nn?i?|i)?`;
const OPEN =
  '(s|sd?fz?|sd?(fz?F)?u?|sd?(fz?F)?(uU|nn?)|sd?(fz?F)?(uU|nn?)?S|s?gy?u?|s?gy?uU|s?gy?(uU)?G|sgy?(uU)?GS|u|uUi?|nn?i?|i)';
const WHOLE = new RegExp(`^v?((${LOCK})?${INSIDE}H)*(Mc*o?w?|(${LOCK})?${OPEN}|${LOCK})?$`);
const LETTER: Readonly<Record<number, string>> = {
  [K.VMA_LOCK]: 'v',
  [K.HMF_EXIT]: 'H',
  [K.SWAP_ENTER]: 's',
  [K.SWAP_EXIT]: 'S',
  [K.SWAP_DEVICE]: 'd',
  [K.FLOR_ENTER]: 'f',
  [K.FLOR_SLEEP]: 'z',
  [K.FLOR_EXIT]: 'F',
  [K.UFFD_ENTER]: 'u',
  [K.UFFD_EXIT]: 'U',
  [K.ANON_PREPARE]: 'n',
  [K.FILE_ENTER]: 'g',
  [K.FILE_SLEEP]: 'y',
  [K.FILE_EXIT]: 'G',
  [K.INNER_RETRY]: 'i',
  [K.MM_LOCK_ENTER]: 'M',
  [K.MM_CONTENDED]: 'c',
  [K.VMA_OPS]: 'o',
  [K.MM_WRITER]: 'w',
  [K.MM_LOCK_EXIT]: 'm',
};

/** Whether the order of the steps proves none of them to be missing (what is missing after the last is another matter). */
export function grammatical(own: readonly SyntheticRow[], passes: readonly Pass[]): boolean {
  const letters = own.map((row) => LETTER[row.kind] ?? '').join('');
  if (!WHOLE.test(letters)) return false;
  // Each attempt but the last must end in handle_mm_fault's return, and each but the first begin at mmap_lock.
  const gup = own.some((row) => row.kind === K.HMF_EXIT && !(row.flags & VlStepFlag.REGS));
  for (const [i, pass] of passes.entries()) {
    if (i < passes.length - 1 && inPass(pass, K.HMF_EXIT) === undefined) return false;
    if (i > 0 && pass.rows[0]?.kind !== K.MM_LOCK_ENTER && !gup) return false;
    const running = inPass(pass, K.MM_LOCK_EXIT) !== undefined || inPass(pass, ...LOCKING) === undefined;
    if (!running && (pass.mmReleased !== null || pass.rows.some((row) => (RANK[row.kind]?.[0] ?? 0) > 1))) return false;
  }
  // A VMA_LOCK step is NULL: mmap_lock comes next.
  return !letters.startsWith('v') || passes.length === 0 || passes[0]?.rows[0]?.kind === K.MM_LOCK_ENTER;
}

const SWAPPING = [K.SWAP_ENTER, K.SWAP_DEVICE, K.FLOR_ENTER, K.FLOR_SLEEP, K.FLOR_EXIT] as const;
const HMF = 'handle_mm_fault exit';
const SWAP_OUT = 'do_swap_page exit';
const FILE_OUT = 'filemap_fault or shmem_fault exit';
const MM_OUT = 'lock_mm_and_find_vma exit';

/** What the kernel runs next after the last step; handle_mm_fault's return where nothing else is certain. */
export function outstanding(own: readonly SyntheticRow[], passes: readonly Pass[]): string {
  const pass = passes[passes.length - 1];
  if (pass === undefined) return own.some((row) => row.kind === K.VMA_LOCK) ? 'lock_mm_and_find_vma' : HMF;
  const last = stepsOf(pass).at(-1);
  if (last === undefined) return HMF;
  const swap = inPass(pass, ...SWAPPING) !== undefined;
  switch (last.kind) {
    case K.HMF_EXIT:
      return 'lock_mm_and_find_vma';
    case K.MM_LOCK_ENTER:
    case K.MM_CONTENDED:
    case K.VMA_OPS:
    case K.MM_WRITER:
      return pass.mmReleased === null ? MM_OUT : HMF;
    case K.FLOR_ENTER:
    case K.FLOR_SLEEP:
      return '__folio_lock_or_retry exit';
    case K.UFFD_ENTER:
      return 'handle_userfault exit';
    case K.FILE_ENTER:
    case K.FILE_SLEEP:
      return FILE_OUT;
    case K.UFFD_EXIT:
      if (inPass(pass, K.FILE_ENTER, K.FILE_SLEEP) !== undefined) return FILE_OUT;
      return swap ? SWAP_OUT : HMF;
    case K.SWAP_EXIT:
      return HMF;
    default:
      return swap ? SWAP_OUT : HMF;
  }
}
