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

/**
 * Records are used again once nobody holds them (record-pool.ts), so a constructor is `begin`, and `begin` names every
 * field: one that it forgot would come from another fault.
 */
export class AttemptRecord implements Attempt {
  declare lock: LockKind;
  declare acquired: Interval;
  declare released: Interval;
  declare rule: ReleaseRule;
  declare exactRelease: number;
  declare flags: number;
  declare ret: number;
  declare outcome: Attempt['outcome'];
  declare cause: Cause | null;
  declare innermost: string;
  declare verdict: Verdict | null;
  declare faultHandler: bigint;
  declare folio: number;

  /** False while `lock` is a guess: nothing with fault flags was seen of this attempt. */
  declare lockKnown: boolean;
  /** VMA_LOCK and TRIED of this attempt, constant within one handle_mm_fault; -1 not known. */
  declare passFlags: number;
  /** A step was dropped within: absence of a step means nothing. */
  declare gap: boolean;
  declare swapAt: number;
  declare deviceSeen: boolean;
  /** vm_fault_t bits of the returns seen so far; -1 none. */
  declare result: number;
  /** Flags of the VL_FLOR_ENTER step; -1 not seen. */
  declare florFlags: number;
  /** Something inside that drops the lock was seen; `open`: entered, its return not seen yet. */
  declare florSeen: boolean;
  declare florTried: boolean;
  declare uffdSeen: boolean;
  /** VM_UFFD_* of handle_userfault; -1: its entry was not seen. */
  declare uffdReason: number;
  /** `enum vl_file` of the return of filemap_fault or shmem_fault; 0 not seen. */
  declare fileBits: number;
  /** filemap_fault's first try: it gives the lock back before it reads or waits. */
  declare fileDrops: boolean;
  /** filemap_read_folio was seen inside. */
  declare fileRead: boolean;
  declare hugetlb: boolean;
  /** The lock is known to be gone though the attempt is not over. */
  declare dropped: boolean;
  /** `settled` was told of it with its lock known. */
  declare told: boolean;
  declare open: Innermost;
  declare first: Innermost;
  /**
   * What bounds the release, of the callee entered last (`innerAt`: its entry, NaN when not seen) or of the return
   * that first said RETRY. One set for all of them: doubles are boxed, and the callee that says RETRY is the last one.
   */
  declare innerAt: number;
  declare innerLo: number;
  declare innerHi: number;
  /** Row this attempt's stack counts in; owned by the aggregate. */
  declare stackRow: unknown;
  /** How many hold it (record-pool.ts): its fault is one. */
  declare holders: number;

  constructor(lock: LockKind, lockKnown: boolean, acquired: Interval) {
    this.begin(lock, lockKnown, acquired);
  }

  begin(lock: LockKind, lockKnown: boolean, acquired: Interval): this {
    this.lock = lock;
    this.acquired = acquired;
    this.released = UNKNOWN_INTERVAL;
    this.rule = 'none';
    this.exactRelease = Number.NaN;
    this.flags = -1;
    this.ret = -1;
    this.outcome = 'pending';
    this.cause = null;
    this.innermost = '';
    this.verdict = null;
    this.faultHandler = 0n;
    this.folio = 0;
    this.lockKnown = lockKnown;
    this.passFlags = -1;
    this.gap = false;
    this.swapAt = Number.NaN;
    this.deviceSeen = false;
    this.result = -1;
    this.florFlags = -1;
    this.florSeen = false;
    this.florTried = false;
    this.uffdSeen = false;
    this.uffdReason = -1;
    this.fileBits = 0;
    this.fileDrops = false;
    this.fileRead = false;
    this.hugetlb = false;
    this.dropped = false;
    this.told = false;
    this.open = Innermost.None;
    this.first = Innermost.None;
    this.innerAt = Number.NaN;
    this.innerLo = Number.NaN;
    this.innerHi = Number.NaN;
    this.stackRow = null;
    this.holders = 1;
    return this;
  }
}

export class WaitRecord implements Wait {
  declare kind: WaitKind;
  declare held: Wait['held'];
  declare start: number;
  declare end: number;
  declare slept: boolean;
  declare contended: number;
  declare holder: number;
  /** The wait it lies in, while it lasts. */
  declare outer: WaitRecord | null;
  /** `held` follows when the lock of its attempt becomes known; the sink hears of the wait then. */
  declare deferred: boolean;

  constructor(kind: WaitKind, held: Wait['held'], start: number, outer: WaitRecord | null) {
    this.begin(kind, held, start, outer);
  }

  begin(kind: WaitKind, held: Wait['held'], start: number, outer: WaitRecord | null): this {
    this.kind = kind;
    this.held = held;
    this.start = start;
    this.end = Number.NaN;
    this.slept = false;
    this.contended = Number.NaN;
    this.holder = 0;
    this.outer = outer;
    this.deferred = false;
    return this;
  }
}

export class FaultRecord implements Lifecycle {
  declare tid: number;
  declare tgid: number;
  declare comm: string;
  declare cgroup: number;
  declare mm: number;
  declare address: number;
  declare vmaStart: number;
  declare vmaEnd: number;
  declare vmFlags: bigint;
  declare pte: bigint;
  declare depth: number;
  declare origin: Lifecycle['origin'];
  declare first: number;
  declare last: number;
  declare start: Interval;
  declare end: number;
  declare how: End;
  declare attempts: AttemptRecord[];
  declare waits: WaitRecord[];
  declare swap: Lifecycle['swap'];
  declare enteredSwap: boolean;
  declare major: boolean;
  declare lost: string[];
  declare state: string;

  declare fault: number;
  declare faultCpu: number;
  /** Index into STATES. */
  declare at: number;
  declare nextStep: number;
  /** Steps dropped just before the one being looked at. */
  declare gap: number;
  /** Time of the previous step; a release or an abandonment is none (they come from elsewhere in the fault). */
  declare mark: number;
  /** Previous step of this task before this fault's first. */
  declare before: number;
  declare acquired: number;
  /** The attempt under way. */
  declare attempt: AttemptRecord | null;
  /** The attempt under the VMA lock, over or not. */
  declare vmaAttempt: AttemptRecord | null;
  /** The innermost wait that lasts. */
  declare wait: WaitRecord | null;
  /** Waits with `deferred` set. */
  declare deferred: number;
  declare joined: boolean;
  /** The RETRY under the VMA lock was told of, and its verdict not yet. */
  declare unjudged: boolean;
  /** VL_MM_WRITER of the fallback under way. */
  declare writer: Verdict['writer'];
  /** Rows this fault counts in; owned by the aggregate. */
  declare process: unknown;
  declare page: unknown;
  /** Swap device type this fault was counted for; -1 none. */
  declare device: number;
  /** Faults of the same task, outer and inner. */
  declare below: FaultRecord | null;
  declare above: FaultRecord | null;
  /** All open faults in order of opening. */
  declare older: FaultRecord | null;
  declare newer: FaultRecord | null;
  /** How many hold it (record-pool.ts): the fold, while it is open, is one. */
  declare holders: number;

  constructor(fault: number, faultCpu: number, tid: number, time: number, before: number) {
    this.begin(fault, faultCpu, tid, time, before);
  }

  begin(fault: number, faultCpu: number, tid: number, time: number, before: number): this {
    this.tid = tid;
    this.tgid = 0;
    this.comm = '';
    this.cgroup = 0;
    this.mm = 0;
    this.address = Number.NaN;
    this.vmaStart = 0;
    this.vmaEnd = 0;
    this.vmFlags = 0n;
    this.pte = 0n;
    this.depth = 0;
    this.origin = 'unknown';
    this.first = time;
    this.last = time;
    this.start = UNKNOWN_INTERVAL;
    this.end = Number.NaN;
    this.how = 'in-flight';
    this.attempts = NO_ATTEMPTS;
    this.waits = NO_WAITS;
    this.swap = null;
    this.enteredSwap = false;
    this.major = false;
    this.lost = NOTHING_LOST;
    this.state = '';
    this.fault = fault;
    this.faultCpu = faultCpu;
    this.at = 0;
    this.nextStep = 0;
    this.gap = 0;
    this.mark = Number.NEGATIVE_INFINITY;
    this.before = Math.min(before, time);
    this.acquired = Number.NaN;
    this.attempt = null;
    this.vmaAttempt = null;
    this.wait = null;
    this.deferred = 0;
    this.joined = false;
    this.unjudged = false;
    this.writer = null;
    this.process = null;
    this.page = null;
    this.device = -1;
    this.below = null;
    this.above = null;
    this.older = null;
    this.newer = null;
    this.holders = 1;
    return this;
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
