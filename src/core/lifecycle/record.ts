// SPDX-License-Identifier: MIT
/** A fault while it is rebuilt: the public `Lifecycle` and what the fold needs besides. */

import type { EventBatch } from '../events/batch.js';
import type { WaitKind } from '../vocabulary/waits.js';
import { type AttemptRecord, UNKNOWN_INTERVAL, type WaitRecord } from './attempt-record.js';
import { type End, type Interval, type LeftOut, type Lifecycle, MOST_KEPT, type Verdict } from './lifecycle.js';

const NOTHING_LOST: string[] = [];
const NO_ATTEMPTS: AttemptRecord[] = [];
const NO_WAITS: WaitRecord[] = [];

/** So many words on what was lost. */
export const MOST_LOST = 16;

/**
 * A fault's list with one more at its end, to be used in the place of the old one. `push` onto an empty one would make
 * room for seventeen, and most lists stay at one or two.
 */
function appended<T>(list: T[], item: T): T[] {
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

type CountedOut = { -readonly [K in keyof LeftOut]: LeftOut[K] } & {
  readonly waited: Map<WaitKind, { readonly count: number; readonly ns: number }>;
};

export class FaultRecord implements Lifecycle {
  declare tid: number;
  declare tgid: number;
  declare comm: string;
  declare processName: string;
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
  declare leftOut: CountedOut | null;
  declare swap: Lifecycle['swap'];
  declare enteredSwap: boolean;
  /** Its PTE, or get_swap_device, says that the entry is of a swap device. */
  declare swapFault: boolean;
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
  /** The RETRY under the VMA lock was reported, and its verdict not yet. */
  declare unjudged: boolean;
  /** VL_MM_WRITER of the fallback under way. */
  declare writer: Verdict['writer'];
  /** Rows this fault counts in; owned by the aggregate. */
  declare process: unknown;
  declare group: unknown;
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
    this.processName = '';
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
    this.leftOut = null;
    this.swap = null;
    this.enteredSwap = false;
    this.swapFault = false;
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
    this.group = null;
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
    if (this.lost.includes(what) || this.lost.length > MOST_LOST) return;
    this.lost.push(this.lost.length < MOST_LOST ? what : 'and more');
  }

  addAttempt(attempt: AttemptRecord): void {
    this.attempts = appended(this.attempts, attempt);
    if (this.attempts.length <= MOST_KEPT) return;
    const out = this.#leaveOut('attempts');
    const [gone] = this.attempts.splice(MOST_KEPT / 2, 1) as [AttemptRecord];
    if (gone.outcome === 'retry') out.retries++;
  }

  /** Whoever holds the record of one that is left out may go on with it: it is not used again. */
  addWait(wait: WaitRecord): void {
    this.waits = appended(this.waits, wait);
    if (this.waits.length <= MOST_KEPT) return;
    const out = this.#leaveOut('waits');
    const [{ kind, start, end }] = this.waits.splice(MOST_KEPT / 2, 1) as [WaitRecord];
    const { count, ns } = out.waited.get(kind) ?? { count: 0, ns: 0 };
    out.waited.set(kind, { count: count + 1, ns: ns + (end - start) });
  }

  #leaveOut(what: 'attempts' | 'waits'): CountedOut {
    this.leftOut ??= { attempts: 0, retries: 0, waits: 0, waited: new Map() };
    this.leftOut[what]++;
    this.lose(`${what} in its middle not kept`);
    return this.leftOut;
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

/** Steps from the one that is next up to `step` did not come. */
export function loseSteps(f: FaultRecord, step: number): void {
  let from = f.nextStep;
  if (f.attempt !== null) f.attempt.gap = true;
  if (from === 0) {
    f.lose('first step lost');
    from = 1;
  }
  if (step - 1 === from) f.lose(`step ${from} lost`);
  else if (step - 1 > from) f.lose(`steps ${from} to ${step - 1} lost`);
}
