// SPDX-License-Identifier: MIT
/** Attempts and waits while their fault is rebuilt: the public `Attempt` and `Wait` and what the fold needs besides. */

import type { Cause } from '../vocabulary/causes.js';
import type { WaitKind } from '../vocabulary/waits.js';
import type { Attempt, Interval, LockKind, ReleaseRule, Verdict, Wait } from './lifecycle.js';

/** Shared by everything that has no interval yet. */
export const UNKNOWN_INTERVAL: Interval = Object.freeze({ lo: Number.NaN, hi: Number.NaN });

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
  declare kernelStack: number;
  declare userStack: number;

  /** False while `lock` is a guess: nothing with fault flags was seen of this attempt. */
  declare lockKnown: boolean;
  /** VMA_LOCK and TRIED of this attempt, constant within one handle_mm_fault; -1 not known. */
  declare passFlags: number;
  /** A step was dropped within: absence of a step means nothing. */
  declare gap: boolean;
  declare swapAt: number;
  declare deviceSeen: boolean;
  /** do_swap_page returned RETRY before anything inside it was seen, on an entry of a swap device. */
  declare refused: boolean;
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
  /** `settled` was called with it, its lock known. */
  declare reported: boolean;
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
    this.kernelStack = -1;
    this.userStack = -1;
    this.lockKnown = lockKnown;
    this.passFlags = -1;
    this.gap = false;
    this.swapAt = Number.NaN;
    this.deviceSeen = false;
    this.refused = false;
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
    this.reported = false;
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
