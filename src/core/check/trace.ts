// SPDX-License-Identifier: MIT
/** The steps of one lifecycle, kept as they came until it can be judged. */

export interface Step {
  /** `enum vl_kind` */
  readonly kind: number;
  /** `enum vl_step_flag` */
  readonly flags: number;
  /** ns since the session's base. Evidence sent late carries the time of what it reports: order is that of the array. */
  readonly time: number;
  readonly a: number;
  readonly b: number;
}

export class StepRecord implements Step {
  kind = 0;
  flags = 0;
  time = 0;
  a = 0;
  b = 0;
}

/** More steps than this, and the rest is not kept: a userfault or get_user_pages loop; such a lifecycle is set aside. */
export const MAX_STEPS = 512;

/** Used again once nobody holds it (trace-pool.ts): `begin` names every field. */
export class Trace {
  declare fault: number;
  declare faultCpu: number;
  declare tid: number;
  /** While steps come, steps of the trace this was before may be behind them: see `seal`. */
  readonly steps: StepRecord[] = [];
  declare nextStep: number;
  /** Why steps are known to be absent: `step 3 lost`. Empty when the step numbers have no gap. */
  declare lost: string;

  // From the first step (VL_F_INFO); as in `EventBatch`.
  declare tgid: number;
  declare comm: string;
  declare depth: number;
  declare mm: number;
  declare address: number;
  declare vmaStart: number;
  declare vmaEnd: number;
  declare vmFlags: bigint;
  declare pte: bigint;
  /** Time lock_vma_under_rcu returned the VMA; NaN when not known. */
  declare acquired: number;

  /** The task's fault from user mode before this one, for the rules that look over the edge; null when none is known. */
  declare before: Trace | null;
  /** From its first step, or from when it had its VMA lock, to its last; known once sealed. */
  declare from: number;
  declare to: number;
  /** How many hold it: who collects it, its task, traces it came before, and suspicions, which never let go. */
  declare holders: number;
  /** Steps that came. */
  #count = 0;
  /** Kinds of the steps that are there, a bit each. */
  #kinds0 = 0;
  #kinds1 = 0;
  #kinds2 = 0;
  #kinds3 = 0;

  constructor(fault: number, faultCpu: number, tid: number) {
    this.begin(fault, faultCpu, tid);
  }

  begin(fault: number, faultCpu: number, tid: number): this {
    this.fault = fault;
    this.faultCpu = faultCpu;
    this.tid = tid;
    this.nextStep = 0;
    this.lost = '';
    this.tgid = 0;
    this.comm = '';
    this.depth = 0;
    this.mm = 0;
    this.address = Number.NaN;
    this.vmaStart = 0;
    this.vmaEnd = 0;
    this.vmFlags = 0n;
    this.pte = 0n;
    this.acquired = Number.NaN;
    this.before = null;
    this.from = Number.POSITIVE_INFINITY;
    this.to = Number.NEGATIVE_INFINITY;
    this.holders = 1;
    this.#count = 0;
    this.#kinds0 = this.#kinds1 = this.#kinds2 = this.#kinds3 = 0;
    return this;
  }

  /** Room for one more step, at its end; null when it has too many. `kind`: below 128. */
  add(kind: number, free: StepRecord[]): StepRecord | null {
    const at = this.#count;
    if (at >= MAX_STEPS) {
      this.lost ||= `more than ${MAX_STEPS} steps`;
      return null;
    }
    if (at === this.steps.length) this.steps.push(free.pop() ?? new StepRecord());
    this.#count = at + 1;
    const bit = 1 << (kind & 31);
    if (kind < 32) this.#kinds0 |= bit;
    else if (kind < 64) this.#kinds1 |= bit;
    else if (kind < 96) this.#kinds2 |= bit;
    else this.#kinds3 |= bit;
    return this.steps[at] as StepRecord;
  }

  /** No more steps will come. What is left of an earlier trace goes to `free`. */
  seal(free: StepRecord[]): void {
    const { steps, acquired } = this;
    while (steps.length > this.#count) free.push(steps.pop() as StepRecord);
    let from = Number.isNaN(acquired) ? Number.POSITIVE_INFINITY : acquired;
    let to = Number.isNaN(acquired) ? Number.NEGATIVE_INFINITY : acquired;
    for (let i = 0; i < steps.length; i++) {
      const { time } = steps[i] as StepRecord;
      if (time < from) from = time;
      if (time > to) to = time;
    }
    this.from = from;
    this.to = to;
  }

  has(kind: number): boolean {
    const kinds = kind < 32 ? this.#kinds0 : kind < 64 ? this.#kinds1 : kind < 96 ? this.#kinds2 : this.#kinds3;
    return ((kinds >>> (kind & 31)) & 1) !== 0;
  }
}
