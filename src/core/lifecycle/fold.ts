// SPDX-License-Identifier: MIT
/**
 * Steps → lifecycles. The steps of one lifecycle come from one task through one ring, so they come in order;
 * what may be wrong with them is that some are absent: dropped (a gap in the step numbers) or missed (no gap).
 */
import { VlKind, VlStepFlag } from '../../schema/events.gen.js';
import { BoundedSet } from '../bounded/bounded-set.js';
import { type EventBatch, isOfNoFault } from '../events/batch.js';
import type { FaultBits } from '../events/fault-bits.js';
import { isReleased, PERFORM } from './actions.js';
import type { AttemptRecord } from './attempt-record.js';
import { OpenFaults } from './open-faults.js';
import { isNote, isOtherPass, isSecondTry } from './passes.js';
import { endOf, type FaultRecord, fillInfo, loseSteps } from './record.js';
import type { RecordPool } from './record-pool.js';
import { boundRelease, releasedExactly } from './release.js';
import type { FoldSink, StepContext } from './step.js';
import { SwapRefusals } from './swap-refusals.js';
import { HMF, MM_BOTH, OUTSTANDING } from './table/runs.js';
import { STATES } from './table/states.js';
import { COMPILED, classifyStep, OTHER_PASS, SECOND_TRY, STATE, SYMBOL_COUNT } from './table/symbols.js';
import { type Task, Tasks } from './tasks.js';
import { judgeUnseen } from './verdict.js';
import { settleDeferred } from './waits.js';

export const DEFAULT_MAX_OPEN = 65_536;
/** Lifecycles given up whose further steps would otherwise open them again. */
const MAX_GONE = 65_536;
const TWO_32 = 2 ** 32;
const LOST = 'lost';

export class LifecycleFold {
  /** Lifecycles given up since more were open than `maxOpen`. */
  evicted = 0;
  /** Steps of lifecycles that were over or given up: counted, and joined to nothing. */
  late = 0;
  readonly #maxOpen: number;
  readonly #sink: FoldSink;
  readonly #step: StepContext;
  readonly #pool: RecordPool;
  readonly #tasks: Tasks;
  readonly #gone: BoundedSet = new BoundedSet(MAX_GONE);
  readonly #open: OpenFaults = new OpenFaults();

  /** `pool`: where the sink holds the records it keeps. */
  constructor(bits: FaultBits, sink: FoldSink, pool: RecordPool, maxOpen: number = DEFAULT_MAX_OPEN) {
    this.#maxOpen = maxOpen;
    this.#sink = sink;
    this.#pool = pool;
    this.#tasks = new Tasks(pool);
    this.#step = { bits, sink, pool, refusals: new SwapRefusals(), kind: 0, flags: 0, time: 0, a: 0, b: 0 };
  }

  get openCount(): number {
    return this.#open.count;
  }

  /** Open lifecycles, oldest first. */
  open(): Generator<FaultRecord> {
    return this.#open.all();
  }

  /** Takes the steps of faults from `from` up to `to`; rows of writers and of the user side are not its business. */
  push(batch: EventBatch, from: number = 0, to: number = batch.length): void {
    for (let i = from; i < to; i++) {
      const kind = batch.kind[i] as number;
      if (kind < 128 && !isOfNoFault(kind)) this.#row(batch, i);
    }
  }

  #row(batch: EventBatch, i: number): void {
    const s = this.#step;
    s.kind = batch.kind[i] as number;
    s.flags = batch.flags[i] as number;
    s.time = batch.time[i] as number;
    s.a = batch.a[i] as number;
    s.b = batch.b[i] as number;
    const step = batch.step[i] as number;
    const task = this.#tasks.of(batch.tid[i] as number);
    if (task.kept !== null && s.kind !== VlKind.VMA_RELEASE && s.kind !== VlKind.MM_RELEASED) {
      // One that was seen needs no bound.
      if (task.kept.rule === 'R2') {
        boundRelease(task.kept, s.time);
        this.#sink.bounded(task.kept);
      }
      this.#pool.letGoAttempt(task.kept);
      task.kept = null;
    }
    const fault = batch.fault[i] as number;
    const cpu = batch.faultCpu[i] as number;
    let f = task.top;
    while (f !== null && (f.fault !== fault || f.faultCpu !== cpu)) f = f.below;
    // Step numbers are 16 bits wide: after 65 536 steps (a userfault that never ends) 0 is the next one.
    if (f !== null && (step !== 0 || f.nextStep === 0)) {
      // The fault that interrupted this one is over, or this one could not go on.
      if (f.above !== null) this.#endAbove(task, f);
    } else {
      if (f !== null) this.#endDownTo(task, f);
      else if (step !== 0 && this.#isOver(task, fault, cpu)) {
        this.late++;
        return;
      }
      f = this.#begin(batch, i, task);
      if (step >= 0x8000) {
        f.lose('first step lost');
        f.nextStep = step;
      }
    }
    const ahead = (step - f.nextStep) & 0xffff;
    if (ahead >= 0x8000) {
      this.late++;
      return;
    }
    // A note keeps what was lost before it for the step that follows.
    f.gap += ahead;
    if (ahead > 0) loseSteps(f, step);
    f.nextStep = (step + 1) & 0xffff;
    this.#advance(f, task);
  }

  #advance(f: FaultRecord, task: Task): void {
    const s = this.#step;
    const { kind } = s;
    const abandoned = kind === VlKind.ABANDONED;
    if (!abandoned && this.#isPart(f)) f.last = Math.max(f.last, s.time);
    if (f.attempt !== null && isOtherPass(f.attempt, s)) this.#dispatch(f, OTHER_PASS);
    if (f.at === STATE.Retried && f.vmaAttempt !== null && isSecondTry(s)) this.#dispatch(f, SECOND_TRY);
    this.#dispatch(f, classifyStep(s));
    const note = isNote(kind);
    if (!note && !abandoned) f.mark = s.time;
    // An abandonment is sent late, in the middle of the next fault: it bounds nothing from below.
    if (!abandoned) task.last = s.time;
    if (!note) f.gap = 0;
    const attempt = f.attempts[f.attempts.length - 1];
    const mayKeep = kind === VlKind.HMF_EXIT || kind === VlKind.ACCESS_ERROR;
    if (mayKeep && attempt !== undefined && attempt.rule === 'R2') this.#keep(task, attempt);
    if (f.at === STATE.Closed) this.#close(f, task);
  }

  #keep(task: Task, attempt: AttemptRecord): void {
    if (task.kept !== null) this.#pool.letGoAttempt(task.kept);
    task.kept = this.#pool.holdAttempt(attempt);
  }

  /** What comes after handle_mm_fault but the release is no part of a fault, nor is what cuts short one that is over. */
  #isPart(f: FaultRecord): boolean {
    const { kind } = this.#step;
    if (f.at === STATE.Kept) return kind === VlKind.VMA_RELEASE;
    if (f.at === STATE.MmKept) return kind === VlKind.MM_RELEASED;
    return (kind !== VlKind.SIGNAL && kind !== VlKind.TASK_EXIT) || !isReleased(f);
  }

  #dispatch(f: FaultRecord, symbol: number): void {
    for (;;) {
      const from = f.at;
      const cell = from * SYMBOL_COUNT + symbol;
      const missed = COMPILED.missed[cell];
      if (missed && f.gap === 0 && !(missed === MM_BOTH && f.origin === 'gup')) f.lose(`${missed} missed`);
      f.at = COMPILED.next[cell] as number;
      PERFORM[COMPILED.action[cell] as number]?.(f, this.#step, from);
      if (COMPILED.again[cell] === 0) return;
    }
  }

  #isOver(task: Task, fault: number, cpu: number): boolean {
    if (task.closedFault === fault && task.closedCpu === cpu) return true;
    return this.#gone.size > 0 && this.#gone.has(cpu * TWO_32 + fault);
  }

  #begin(batch: EventBatch, i: number, task: Task): FaultRecord {
    const s = this.#step;
    const tid = batch.tid[i] as number;
    const info = (s.flags & VlStepFlag.INFO) !== 0;
    // A first step from a depth means that what was open there or deeper is over. Without its first step a fault's
    // depth is not known: it ends nothing, and counts as outermost itself, so that nothing inside it ends it.
    const depth = info ? (batch.depth[i] as number) : 0;
    if (info) this.#endFrom(task, depth);
    if (this.#open.count >= this.#maxOpen) this.#evict();
    const f = this.#pool.fault(batch.fault[i] as number, batch.faultCpu[i] as number, tid, s.time, task.last);
    f.depth = depth;
    if (info) fillInfo(f, batch, i);
    f.start = Number.isNaN(f.acquired)
      ? { lo: Number.NEGATIVE_INFINITY, hi: s.time }
      : { lo: f.acquired, hi: f.acquired };
    this.#open.add(f, task);
    this.#sink.opened(f);
    return f;
  }

  #endAbove(task: Task, f: FaultRecord): void {
    while (task.top !== null && task.top !== f) this.#cutOff(task.top, task, LOST);
  }

  #endFrom(task: Task, depth: number): void {
    for (let f = task.top; f !== null; ) {
      const below: FaultRecord | null = f.below;
      if (f.depth >= depth) this.#cutOff(f, task, LOST);
      f = below;
    }
  }

  #endDownTo(task: Task, f: FaultRecord): void {
    this.#endAbove(task, f);
    this.#cutOff(f, task, LOST);
  }

  /** Ends a lifecycle of which nothing more will come, though its end was not seen. */
  #cutOff(f: FaultRecord, task: Task, why: string): void {
    const state = STATES[f.at] ?? 'Closed';
    f.lose(`${OUTSTANDING[state]} ${why}`);
    if (state !== 'Kept' && state !== 'MmKept') f.how = 'incomplete';
    if (why === LOST && isReleased(f)) {
      f.how = 'ok-mmap';
      f.lose(`${HMF} ${why}`);
    }
    this.#gone.add(f.id);
    this.#close(f, task);
  }

  #evict(): void {
    const f = this.#open.oldest;
    if (f === null) return;
    this.evicted++;
    this.#cutOff(f, this.#tasks.of(f.tid), 'not waited for: too many faults in flight');
  }

  #close(f: FaultRecord, task: Task): void {
    f.at = STATE.Closed;
    const attempt = f.attempt;
    if (attempt !== null) {
      attempt.outcome = 'unknown';
      if (!Number.isNaN(attempt.exactRelease)) releasedExactly(attempt);
      f.attempt = null;
    }
    f.wait = null;
    if (f.deferred > 0) settleDeferred(f, this.#step, 'unknown');
    judgeUnseen(f, this.#step);
    if (f.how === 'in-flight') f.how = endOf(f.attempts[f.attempts.length - 1]);
    f.end = f.last;
    this.#open.remove(f, task);
    task.closedFault = f.fault;
    task.closedCpu = f.faultCpu;
    this.#sink.closed(f);
    this.#pool.letGo(f);
  }
}
