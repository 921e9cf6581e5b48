// SPDX-License-Identifier: MIT
/**
 * Rows → traces. A trace is handed on when nothing more of it will come: it was cut short, or its task began another
 * fault at the same depth. The steps of one task come in order; what may be wrong is that some are absent.
 */
import { VlArgs, VlKind, VlSharedArgs, VlStepFlag } from '../../schema/events.gen.js';
import { type EventBatch, isOfNoFault } from '../events/batch.js';
import { UserKind } from '../events/user-rows.js';
import type { Trace } from './trace.js';
import { TracePool } from './trace-pool.js';

/** Tasks remembered at most. Those known longest go first, and what they had open is judged as far as it came. */
const MAX_TASKS = 16_384;
/** Bytes of the steps of their traces at most: a fault that goes round and round has hundreds. */
const MAX_BYTES = 16 << 20;

/** What is left when some had to go. */
const LEFT_TASKS = MAX_TASKS - (MAX_TASKS >> 3);
const LEFT_BYTES = MAX_BYTES - (MAX_BYTES >> 3);

interface Task {
  /** Open or waiting for its successor; the innermost last. */
  readonly traces: Trace[];
  /** The latest fault from user mode that is over. */
  before: Trace | null;
}

const CUTS: ReadonlySet<number> = new Set([VlKind.SIGNAL, VlKind.TASK_EXIT, VlKind.ABANDONED]);

/** Steps with the fault flags of an attempt. */
const WITH_FLAGS: ReadonlySet<number> = new Set([
  VlKind.HMF_EXIT,
  VlKind.SWAP_ENTER,
  VlKind.FLOR_ENTER,
  VlKind.UFFD_ENTER,
  VlKind.FILE_ENTER,
]);

export class Collector {
  readonly #judge: (trace: Trace) => void;
  readonly #isUser: (trace: Trace) => boolean;
  readonly #tasks: Map<number, Task> = new Map();
  readonly #pool: TracePool = new TracePool();
  /** The task of the step before: steps come in runs. */
  #latest: Task = { traces: [], before: null };
  #latestTid = -1;

  /** `judge` hears of every trace once, and holds those it keeps. `isUser`: whether a trace is a fault from user mode. */
  constructor(judge: (trace: Trace) => void, isUser: (trace: Trace) => boolean) {
    this.#judge = judge;
    this.#isUser = isUser;
  }

  /** Row `i` of the batch, if it is a step of a fault. */
  row(batch: EventBatch, i: number): void {
    const kind = batch.kind[i] as number;
    // Kinds of a later version say nothing to a rule, but their step numbers count.
    if (kind >= UserKind.Counter || isOfNoFault(kind)) return;
    const tid = batch.tid[i] as number;
    const fault = batch.fault[i] as number;
    const cpu = batch.faultCpu[i] as number;
    const step = batch.step[i] as number;
    const info = ((batch.flags[i] as number) & VlStepFlag.INFO) !== 0;
    if (this.#pool.store.bytes >= MAX_BYTES) this.#forget();
    const task = this.#task(tid);
    let trace = info ? null : traceOf(task, fault, cpu);
    if (trace === null) {
      const depth = info ? (batch.depth[i] as number) : 0;
      this.#end(task, depth, info);
      trace = this.#pool.trace(fault, cpu, tid);
      if (info) fill(trace, batch, i);
      trace.before = task.before;
      if (trace.before !== null) trace.before.holders++;
      task.traces.push(trace);
    }
    if (step !== trace.nextStep)
      trace.lost ||= trace.nextStep === 0 ? 'first step lost' : `step ${trace.nextStep} lost`;
    trace.nextStep = (step + 1) & 0xffff;
    trace.add(kind, batch.flags[i] as number, batch.time[i] as number, batch.a[i] as number, batch.b[i] as number);
    if (CUTS.has(kind)) this.#close(task, trace);
    if (kind === VlKind.TASK_EXIT && task.traces.length === 0) this.#drop(tid, task);
  }

  /** The session is over: what is still open is judged as far as it came. */
  finish(): void {
    for (const task of this.#tasks.values()) for (const trace of [...task.traces]) this.#close(task, trace);
    this.#tasks.clear();
    this.#latestTid = -1;
  }

  #task(tid: number): Task {
    if (tid === this.#latestTid) return this.#latest;
    let task = this.#tasks.get(tid);
    if (task === undefined) {
      if (this.#tasks.size >= MAX_TASKS) this.#forget();
      task = { traces: [], before: null };
      this.#tasks.set(tid, task);
    }
    this.#latestTid = tid;
    this.#latest = task;
    return task;
  }

  #drop(tid: number, task: Task): void {
    if (tid === this.#latestTid) this.#latestTid = -1;
    this.#tasks.delete(tid);
    this.#pool.letGo(task.before);
  }

  #forget(): void {
    for (const [tid, task] of this.#tasks) {
      for (const trace of [...task.traces]) this.#close(task, trace);
      this.#drop(tid, task);
      if (this.#tasks.size < LEFT_TASKS && this.#pool.store.bytes < LEFT_BYTES) return;
    }
  }

  /** A fault that begins at a depth ends what was there or deeper. One without its first step may be at any depth. */
  #end(task: Task, depth: number, known: boolean): void {
    for (let i = task.traces.length - 1; i >= 0; i--) {
      const trace = task.traces[i];
      if (trace === undefined || trace.depth < depth) continue;
      if (!known) trace.lost ||= 'what followed it lost its first step';
      this.#close(task, trace);
    }
  }

  #close(task: Task, trace: Trace): void {
    remove(task.traces, trace);
    trace.seal();
    this.#judge(trace);
    this.#pool.letGo(trace.before);
    trace.before = null;
    if (this.#isUser(trace)) {
      this.#pool.letGo(task.before);
      task.before = trace;
    } else this.#pool.letGo(trace);
  }
}

function traceOf({ traces }: Task, fault: number, cpu: number): Trace | null {
  for (let i = 0; i < traces.length; i++) {
    const trace = traces[i] as Trace;
    if (trace.fault === fault && trace.faultCpu === cpu) return trace;
  }
  return null;
}

function remove(traces: Trace[], trace: Trace): void {
  for (let i = traces.indexOf(trace); i + 1 < traces.length; i++) traces[i] = traces[i + 1] as Trace;
  traces.pop();
}

function fill(trace: Trace, batch: EventBatch, i: number): void {
  trace.tgid = batch.tgid[i] as number;
  trace.comm = batch.strings[batch.comm[i] as number] ?? '';
  trace.depth = batch.depth[i] as number;
  trace.mm = batch.mm[i] as number;
  trace.address = batch.address[i] as number;
  trace.vmaStart = batch.vmaStart[i] as number;
  trace.vmaEnd = batch.vmaEnd[i] as number;
  trace.vmFlags = batch.vmFlags[i] as bigint;
  trace.pte = batch.pte[i] as bigint;
  trace.acquired = batch.acquired[i] as number;
}

/** Whether a step says so; `user`: FAULT_FLAG_USER. */
export function isFromUser({ steps }: Trace, user: number): boolean {
  return steps.some(
    (step) =>
      (step.kind === VlKind.MM_LOCK_ENTER && step[VlArgs.MM_LOCK_ENTER.userMode] === 1) ||
      (WITH_FLAGS.has(step.kind) && (step[VlSharedArgs.flags] & user) !== 0),
  );
}
