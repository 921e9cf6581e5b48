// SPDX-License-Identifier: MIT
/**
 * A trace taken apart: its attempts (each one handle_mm_fault) and the calls inside them. Where the order of the steps
 * proves that one is absent although no number is (a program's run was missed), it says which.
 */
import { VlArgs, VlKind, VlSharedArgs, VlStepFlag } from '../../schema/events.gen.js';
import type { Facts } from './facts.js';
import type { Step, Trace } from './trace.js';

/** Indices into `Trace.steps`; -1 for what was not seen. */
export interface Call {
  readonly kind: 'swap' | 'flor' | 'uffd' | 'file';
  readonly enter: number;
  exit: number;
}

export interface Attempt {
  /** First step of it. */
  readonly first: number;
  /** HMF_EXIT; -1 when it did not come. */
  exit: number;
  /** Fault flags and result of handle_mm_fault; -1 while `exit` is. */
  flags: number;
  ret: number;
  /** Under the VMA lock, by the fault flags of any of its steps; null when none of them carries any. */
  vma: boolean | null;
  regs: boolean;
  /** MM_LOCK_EXIT that gave it mmap_lock; -1 when none was seen. */
  readonly locked: number;
  readonly calls: Call[];
}

export interface Shape {
  readonly attempts: readonly Attempt[];
  /** What is absent, in words; '' when nothing is. */
  readonly missing: string;
  /** VL_SIGNAL, VL_TASK_EXIT or VL_ABANDONED that cut it short; 0 when none did. */
  readonly cut: number;
}

type CallKind = Call['kind'];
/** Entry and return of each call, and the steps that come only inside it. */
const CALLS: Readonly<Record<CallKind, { readonly enter: number; readonly exit: number; readonly name: string }>> = {
  swap: { enter: VlKind.SWAP_ENTER, exit: VlKind.SWAP_EXIT, name: 'do_swap_page' },
  flor: { enter: VlKind.FLOR_ENTER, exit: VlKind.FLOR_EXIT, name: '__folio_lock_or_retry' },
  uffd: { enter: VlKind.UFFD_ENTER, exit: VlKind.UFFD_EXIT, name: 'handle_userfault' },
  file: { enter: VlKind.FILE_ENTER, exit: VlKind.FILE_EXIT, name: 'filemap_fault or shmem_fault' },
};
const ENTERS: ReadonlyMap<number, CallKind> = new Map(
  (Object.keys(CALLS) as CallKind[]).map((kind) => [CALLS[kind].enter, kind]),
);
const EXITS: ReadonlyMap<number, CallKind> = new Map(
  (Object.keys(CALLS) as CallKind[]).map((kind) => [CALLS[kind].exit, kind]),
);
/** Steps that come only inside a call. __folio_lock_or_retry is followed inside do_swap_page alone. */
const INSIDE: ReadonlyMap<number, CallKind> = new Map([
  [VlKind.SWAP_DEVICE, 'swap'],
  [VlKind.FLOR_ENTER, 'swap'],
  [VlKind.FLOR_SLEEP, 'flor'],
  [VlKind.FILE_SLEEP, 'file'],
]);
/** Steps of an attempt that are no calls. */
const WITHIN: ReadonlySet<number> = new Set([
  VlKind.ANON_PREPARE,
  VlKind.INNER_RETRY,
  VlKind.WAIT_ENTER,
  VlKind.WAIT_EXIT,
  VlKind.MM_INSIDE,
]);

export function shapeOf(trace: Trace, facts: Facts): Shape {
  return new Reader(trace, facts).read();
}

class Reader {
  readonly #trace: Trace;
  readonly #facts: Facts;
  readonly #attempts: Attempt[] = [];
  #attempt: Attempt | null = null;
  readonly #open: Call[] = [];
  #missing = '';
  #cut = 0;
  /** lock_mm_and_find_vma: entered, or returned with the VMA at this step. */
  #mmEntered = false;
  #mmLocked = -1;
  #refused = false;
  #over = false;

  constructor(trace: Trace, facts: Facts) {
    this.#trace = trace;
    this.#facts = facts;
  }

  read(): Shape {
    this.#trace.steps.forEach((step, i) => {
      this.#step(i, step);
    });
    if (this.#cut === 0 && !this.#over) this.#miss('the end');
    return { attempts: this.#attempts, missing: this.#missing, cut: this.#cut };
  }

  #miss(what: string): void {
    this.#missing ||= `${what} missed`;
  }

  #step(i: number, step: Step): void {
    const enters = ENTERS.get(step.kind);
    const exits = EXITS.get(step.kind);
    const inside = INSIDE.get(step.kind);
    if (inside !== undefined && this.#top() !== inside && !(inside === 'swap' && this.#isOpen('swap')))
      this.#miss(`${CALLS[inside].name} entry`);
    if (enters !== undefined) this.#enter(i, step, enters);
    else if (exits !== undefined) this.#exit(i, exits);
    else if (inside !== undefined || WITHIN.has(step.kind)) this.#current(i);
    else if (step.kind === VlKind.HMF_EXIT) this.#hmfExit(i, step);
    else if (step.kind === VlKind.VMA_LOCK) this.#refused = step[VlArgs.VMA_LOCK.locked] === 0;
    else if (step.kind === VlKind.MM_LOCK_ENTER) this.#mmEnter();
    else if (step.kind === VlKind.MM_LOCK_EXIT) this.#mmExit(i, step);
    else if (step.kind === VlKind.ACCESS_ERROR) this.#accessError();
    else if (step.kind >= VlKind.SIGNAL && step.kind <= VlKind.ABANDONED) this.#cutShort(step);
  }

  #top(): CallKind | undefined {
    return this.#open.at(-1)?.kind;
  }

  #isOpen(kind: CallKind): boolean {
    return this.#open.some((call) => call.kind === kind);
  }

  #current(i: number): Attempt {
    if (this.#attempt !== null) return this.#attempt;
    if (this.#mmEntered) this.#miss('lock_mm_and_find_vma exit');
    const attempt: Attempt = {
      first: i,
      exit: -1,
      flags: -1,
      ret: -1,
      vma: null,
      regs: false,
      locked: this.#mmLocked,
      calls: [],
    };
    this.#mmEntered = false;
    this.#mmLocked = -1;
    this.#attempts.push(attempt);
    this.#attempt = attempt;
    this.#over = false;
    return attempt;
  }

  /** Flags that do not change within one handle_mm_fault: others mean that its return was missed. */
  #learn(attempt: Attempt, flags: number): void {
    const vma = (flags & this.#facts.bits.vmaLock) !== 0;
    if (attempt.vma !== null && attempt.vma !== vma) this.#miss('handle_mm_fault exit');
    attempt.vma = vma;
  }

  #enter(i: number, step: Step, kind: CallKind): void {
    const attempt = this.#current(i);
    if (this.#isOpen(kind)) this.#miss(`${CALLS[kind].name} exit`);
    // 6.4 and 6.5 pass __folio_lock_or_retry no vm_fault: 0 stands for flags not seen.
    const flags = step[VlSharedArgs.flags];
    if (flags !== 0) this.#learn(attempt, flags);
    const call: Call = { kind, enter: i, exit: -1 };
    attempt.calls.push(call);
    this.#open.push(call);
  }

  #exit(i: number, kind: CallKind): void {
    const attempt = this.#current(i);
    const call = this.#open.at(-1);
    if (call?.kind !== kind) {
      this.#miss(this.#isOpen(kind) ? `${CALLS[call?.kind ?? kind].name} exit` : `${CALLS[kind].name} entry`);
      while (this.#isOpen(kind)) this.#open.pop();
      attempt.calls.push({ kind, enter: -1, exit: i });
      return;
    }
    call.exit = i;
    this.#open.pop();
  }

  #hmfExit(i: number, step: Step): void {
    const { bits } = this.#facts;
    const before = this.#attempts.at(-1);
    const fresh = this.#attempt === null;
    const attempt = this.#current(i);
    for (const call of this.#open.splice(0)) this.#miss(`${CALLS[call.kind].name} exit`);
    attempt.exit = i;
    attempt.flags = step[VlArgs.HMF_EXIT.flags];
    attempt.ret = step[VlArgs.HMF_EXIT.ret];
    this.#learn(attempt, attempt.flags);
    attempt.regs = (step.flags & VlStepFlag.REGS) !== 0;
    this.#attempt = null;
    this.#over = (attempt.ret & bits.retry) === 0;
    const previous = fresh ? before : this.#attempts.at(-2);
    // get_user_pages and its like take mmap_lock themselves. A second attempt under the VMA lock is a rule's matter.
    const byItself = !attempt.regs || attempt.vma === true || attempt.locked >= 0;
    if (byItself) return;
    if (this.#refused || (previous !== undefined && previous.exit >= 0)) this.#miss('lock_mm_and_find_vma');
  }

  #mmEnter(): void {
    for (const call of this.#open.splice(0)) this.#miss(`${CALLS[call.kind].name} exit`);
    if (this.#attempt !== null || this.#mmLocked >= 0) this.#miss('handle_mm_fault exit');
    if (this.#mmEntered) this.#miss('lock_mm_and_find_vma exit');
    this.#attempt = null;
    this.#mmEntered = true;
    this.#mmLocked = -1;
    this.#refused = false;
    this.#over = false;
  }

  #mmExit(i: number, step: Step): void {
    if (!this.#mmEntered) this.#miss('lock_mm_and_find_vma entry');
    if (this.#attempt !== null) this.#miss('handle_mm_fault exit');
    this.#attempt = null;
    this.#mmEntered = false;
    const failed = step[VlArgs.MM_LOCK_EXIT.found] === 0;
    this.#mmLocked = failed ? -1 : i;
    this.#refused = false;
    this.#over = failed;
  }

  /** The VMA does not permit it: no handle_mm_fault comes. */
  #accessError(): void {
    for (const call of this.#open.splice(0)) this.#miss(`${CALLS[call.kind].name} exit`);
    if (this.#attempt !== null) this.#miss('handle_mm_fault exit');
    if (this.#mmEntered) this.#miss('lock_mm_and_find_vma exit');
    this.#attempt = null;
    this.#mmEntered = false;
    this.#mmLocked = -1;
    this.#refused = false;
    this.#over = true;
  }

  /** After RETRY a pending signal ends the fault; anywhere else something that was to come is absent. */
  #cutShort(step: Step): void {
    this.#cut = step.kind;
    if (this.#over) return;
    const last = this.#attempts.at(-1);
    const retried = this.#attempt === null && last !== undefined && last.exit >= 0;
    if (!retried || this.#mmEntered || this.#mmLocked >= 0) this.#miss('what was to come before its end');
  }
}
