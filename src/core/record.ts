// SPDX-License-Identifier: MIT
/** A fault while it is rebuilt: the public `Lifecycle` and what the fold needs besides. */
import type { EventBatch } from './batch.js';
import type {
  Attempt,
  Cause,
  End,
  Interval,
  Lifecycle,
  LockKind,
  ReleaseRule,
  Verdict,
  Wait,
  WaitKind,
} from './lifecycle.js';

export { copyLifecycle } from './copy-lifecycle.js';

/** Shared by everything that has no interval yet. */
export const UNKNOWN_INTERVAL: Interval = Object.freeze({ lo: Number.NaN, hi: Number.NaN });
const NOTHING_LOST: string[] = [];
const NO_ATTEMPTS: AttemptRecord[] = [];
const NO_WAITS: WaitRecord[] = [];

/**
 * A fault's list with one more at its end, to be used in the place of the old one. `push` onto an empty one would make
 * room for seventeen, and most lists stay at one or two.
 */
export function appended<T>(list: T[], item: T): T[] {
  switch (list.length) {
    case 0:
      return [item];
    case 1:
      return [list[0] as T, item];
    case 2:
      return [list[0] as T, list[1] as T, item];
    default:
      list.push(item);
      return list;
  }
}

/** The hooked function that first returned RETRY within an attempt: the innermost one, since returns run outward. */
export const Innermost = {
  None: 0,
  Flor: 1,
  Uffd: 2,
  Anon: 3,
  Swap: 4,
  Hmf: 5,
  Filemap: 6,
  Shmem: 7,
  Hugetlb: 8,
  PmdPrivate: 9,
} as const;
export type Innermost = (typeof Innermost)[keyof typeof Innermost];

export class AttemptRecord implements Attempt {
  lock: LockKind;
  acquired: Interval;
  released: Interval = UNKNOWN_INTERVAL;
  rule: ReleaseRule = 'none';
  exactRelease: number = Number.NaN;
  flags = -1;
  ret = -1;
  outcome: Attempt['outcome'] = 'pending';
  cause: Cause | null = null;
  innermost = '';
  verdict: Verdict | null = null;
  faultHandler = 0n;
  folio = 0;

  /** False while `lock` is a guess: nothing with fault flags was seen of this attempt. */
  lockKnown: boolean;
  /** VMA_LOCK and TRIED of this attempt, constant within one handle_mm_fault; -1 not known. */
  passFlags = -1;
  /** A step was dropped within: absence of a step means nothing. */
  gap = false;
  swapAt: number = Number.NaN;
  deviceSeen = false;
  /** vm_fault_t bits of the returns seen so far; -1 none. */
  result = -1;
  /** Flags of the VL_FLOR_ENTER step; -1 not seen. */
  florFlags = -1;
  /** Something inside that drops the lock was seen; `open`: entered, its return not seen yet. */
  florSeen = false;
  florTried = false;
  uffdSeen = false;
  /** VM_UFFD_* of handle_userfault; -1: its entry was not seen. */
  uffdReason = -1;
  /** `enum vl_file` of the return of filemap_fault or shmem_fault; 0 not seen. */
  fileBits = 0;
  /** filemap_fault's first try: it gives the lock back before it reads or waits. */
  fileDrops = false;
  /** filemap_read_folio was seen inside. */
  fileRead = false;
  hugetlb = false;
  /** The lock is known to be gone though the attempt is not over. */
  dropped = false;
  /** `settled` was told of it with its lock known. */
  told = false;
  open: Innermost = Innermost.None;
  first: Innermost = Innermost.None;
  /**
   * What bounds the release, of the callee entered last (`innerAt`: its entry, NaN when not seen) or of the return
   * that first said RETRY. One set for all of them: doubles are boxed, and the callee that says RETRY is the last one.
   */
  innerAt: number = Number.NaN;
  innerLo: number = Number.NaN;
  innerHi: number = Number.NaN;

  constructor(lock: LockKind, lockKnown: boolean, acquired: Interval) {
    this.lock = lock;
    this.lockKnown = lockKnown;
    this.acquired = acquired;
  }
}

export class WaitRecord implements Wait {
  readonly kind: WaitKind;
  held: Wait['held'];
  readonly start: number;
  end: number = Number.NaN;
  slept = false;
  contended: number = Number.NaN;
  holder = 0;
  /** The wait it lies in, while it lasts. */
  outer: WaitRecord | null;
  /** `held` follows when the lock of its attempt becomes known; the sink hears of the wait then. */
  deferred = false;

  constructor(kind: WaitKind, held: Wait['held'], start: number, outer: WaitRecord | null) {
    this.kind = kind;
    this.held = held;
    this.start = start;
    this.outer = outer;
  }
}

export class FaultRecord implements Lifecycle {
  readonly tid: number;
  tgid = 0;
  comm = '';
  cgroup = 0;
  mm = 0;
  address: number = Number.NaN;
  vmaStart = 0;
  vmaEnd = 0;
  vmFlags = 0n;
  pte = 0n;
  depth = 0;
  origin: Lifecycle['origin'] = 'unknown';
  readonly first: number;
  last: number;
  start: Interval = UNKNOWN_INTERVAL;
  end: number = Number.NaN;
  how: End = 'in-flight';
  attempts: AttemptRecord[] = NO_ATTEMPTS;
  waits: WaitRecord[] = NO_WAITS;
  swap: Lifecycle['swap'] = null;
  enteredSwap = false;
  major = false;
  lost: string[] = NOTHING_LOST;
  state = '';

  readonly fault: number;
  readonly faultCpu: number;
  /** Index into STATES. */
  at = 0;
  nextStep = 0;
  /** Steps dropped just before the one being looked at. */
  gap = 0;
  /** Time of the previous step; a release or an abandonment is none (they come from elsewhere in the fault). */
  mark: number = Number.NEGATIVE_INFINITY;
  /** Previous step of this task before this fault's first. */
  readonly before: number;
  acquired: number = Number.NaN;
  /** The attempt under way. */
  attempt: AttemptRecord | null = null;
  /** The attempt under the VMA lock, over or not. */
  vmaAttempt: AttemptRecord | null = null;
  /** The innermost wait that lasts. */
  wait: WaitRecord | null = null;
  /** Waits with `deferred` set. */
  deferred = 0;
  joined = false;
  /** The RETRY under the VMA lock was told of, and its verdict not yet. */
  unjudged = false;
  /** VL_MM_WRITER of the fallback under way. */
  writer: Verdict['writer'] = null;
  /** Rows this fault counts in; owned by the aggregate. */
  process: unknown = null;
  page: unknown = null;
  /** Swap device type this fault was counted for; -1 none. */
  device = -1;
  /** Faults of the same task, outer and inner. */
  below: FaultRecord | null = null;
  above: FaultRecord | null = null;
  /** All open faults in order of opening. */
  older: FaultRecord | null = null;
  newer: FaultRecord | null = null;

  constructor(fault: number, faultCpu: number, tid: number, time: number, before: number) {
    this.fault = fault;
    this.faultCpu = faultCpu;
    this.tid = tid;
    this.first = time;
    this.last = time;
    this.before = Math.min(before, time);
  }

  get id(): number {
    return this.faultCpu * 2 ** 32 + this.fault;
  }

  lose(what: string): void {
    if (this.lost === NOTHING_LOST) this.lost = [];
    if (!this.lost.includes(what)) this.lost.push(what);
  }
}

/** Who and where, from the first step of a lifecycle. */
export function fillInfo(f: FaultRecord, batch: EventBatch, i: number): void {
  f.tgid = batch.tgid[i] as number;
  f.comm = batch.strings[batch.comm[i] as number] ?? '';
  f.cgroup = batch.cgroup[i] as number;
  f.mm = batch.mm[i] as number;
  f.address = batch.address[i] as number;
  f.vmaStart = batch.vmaStart[i] as number;
  f.vmaEnd = batch.vmaEnd[i] as number;
  f.vmFlags = batch.vmFlags[i] as bigint;
  f.pte = batch.pte[i] as bigint;
  f.acquired = batch.acquired[i] as number;
}

/** How a fault whose last attempt came to this ended. */
export function endOf(attempt: AttemptRecord | undefined): End {
  switch (attempt?.outcome) {
    case 'ok':
      return attempt.lock === 'vma' ? 'ok-vma' : 'ok-mmap';
    case 'completed':
      return 'completed';
    case 'error':
      return 'error';
    default:
      return 'incomplete';
  }
}
