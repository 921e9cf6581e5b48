// SPDX-License-Identifier: MIT
/**
 * A trace taken apart: its attempts (each one handle_mm_fault) and the calls inside them. Where the order of the steps
 * proves that one is absent although no number is (a program's run was missed), it says which.
 */
import { VlArgs, VlKind, VlSharedArgs, VlStepFlag } from '../../schema/events.gen.js';
import { CALLS, type Call, type CallKind, ENTERS, EXITS, INSIDE, WITHIN } from './calls.js';
import type { Facts } from './facts.js';
import type { Step } from './step-store.js';
import type { Trace } from './trace.js';

export interface Attempt {
  /** First step of it. */
  readonly first: number;
  /** HMF_EXIT; -1 when it did not come. */
  readonly exit: number;
  /** Fault flags and result of handle_mm_fault; -1 while `exit` is. */
  readonly flags: number;
  readonly ret: number;
  /** Under the VMA lock, by the fault flags of any of its steps; null when none of them carries any. */
  readonly vma: boolean | null;
  readonly regs: boolean;
  /** MM_LOCK_EXIT that gave it mmap_lock; -1 when none was seen. */
  readonly locked: number;
  readonly calls: readonly Call[];
}

export interface Shape {
  readonly attempts: readonly Attempt[];
  /** What is absent, in words; '' when nothing is. */
  readonly missing: string;
  /** VL_SIGNAL, VL_TASK_EXIT or VL_ABANDONED that cut it short; 0 when none did. */
  readonly cut: number;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type CallRecord = Mutable<Call>;
type AttemptRecord = Mutable<Omit<Attempt, 'calls'>> & { readonly calls: CallRecord[] };

/** Its records are used again: what `read` returns is valid until it is called again. */
export class ShapeReader {
  readonly #facts: Facts;
  readonly #attempts: AttemptRecord[] = [];
  #attempt: AttemptRecord | null = null;
  readonly #open: CallRecord[] = [];
  readonly #freeAttempts: AttemptRecord[] = [];
  readonly #freeCalls: CallRecord[] = [];
  #missing = '';
  #cut = 0;
  /** lock_mm_and_find_vma: entered, or returned with the VMA at this step. */
  #mmEntered = false;
  #mmLocked = -1;
  #refused = false;
  #over = false;

  constructor(facts: Facts) {
    this.#facts = facts;
  }

  read({ steps }: Trace): Shape {
    this.#begin();
    for (let i = 0; i < steps.length; i++) this.#step(i, steps[i] as Step);
    if (this.#cut === 0 && !this.#over) this.#miss('the end');
    return { attempts: this.#attempts, missing: this.#missing, cut: this.#cut };
  }

  #begin(): void {
    for (let attempt = this.#attempts.pop(); attempt !== undefined; attempt = this.#attempts.pop()) {
      for (let call = attempt.calls.pop(); call !== undefined; call = attempt.calls.pop()) this.#freeCalls.push(call);
      this.#freeAttempts.push(attempt);
    }
    while (this.#open.length > 0) this.#open.pop();
    this.#attempt = null;
    this.#missing = '';
    this.#cut = 0;
    this.#mmEntered = false;
    this.#mmLocked = -1;
    this.#refused = false;
    this.#over = false;
  }

  #call(attempt: AttemptRecord, kind: CallKind, enter: number, exit: number): CallRecord {
    const call = this.#freeCalls.pop() ?? { kind, enter, exit };
    call.kind = kind;
    call.enter = enter;
    call.exit = exit;
    attempt.calls.push(call);
    return call;
  }

  #miss(what: string): void {
    this.#missing ||= `${what} missed`;
  }

  #step(i: number, step: Step): void {
    const enters = ENTERS[step.kind];
    const exits = EXITS[step.kind];
    const inside = INSIDE[step.kind];
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
    for (let i = 0; i < this.#open.length; i++) if (this.#open[i]?.kind === kind) return true;
    return false;
  }

  /** The calls that are under way were not seen to return. */
  #missOpen(): void {
    for (let i = 0; i < this.#open.length; i++) this.#miss(`${CALLS[(this.#open[i] as Call).kind].name} exit`);
    while (this.#open.length > 0) this.#open.pop();
  }

  #current(i: number): AttemptRecord {
    if (this.#attempt !== null) return this.#attempt;
    if (this.#mmEntered) this.#miss('lock_mm_and_find_vma exit');
    const attempt = this.#freeAttempts.pop() ?? newAttempt();
    attempt.first = i;
    attempt.exit = -1;
    attempt.flags = -1;
    attempt.ret = -1;
    attempt.vma = null;
    attempt.regs = false;
    attempt.locked = this.#mmLocked;
    this.#mmEntered = false;
    this.#mmLocked = -1;
    this.#attempts.push(attempt);
    this.#attempt = attempt;
    this.#over = false;
    return attempt;
  }

  /** Flags that do not change within one handle_mm_fault: others mean that its return was missed. */
  #learn(attempt: AttemptRecord, flags: number): void {
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
    this.#open.push(this.#call(attempt, kind, i, -1));
  }

  #exit(i: number, kind: CallKind): void {
    const attempt = this.#current(i);
    const call = this.#open.at(-1);
    if (call?.kind !== kind) {
      this.#miss(this.#isOpen(kind) ? `${CALLS[call?.kind ?? kind].name} exit` : `${CALLS[kind].name} entry`);
      while (this.#isOpen(kind)) this.#open.pop();
      this.#call(attempt, kind, -1, i);
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
    this.#missOpen();
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
    this.#missOpen();
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
    this.#missOpen();
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

function newAttempt(): AttemptRecord {
  return { first: 0, exit: -1, flags: -1, ret: -1, vma: null, regs: false, locked: -1, calls: [] };
}
