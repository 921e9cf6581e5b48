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

/** More steps than this, and the rest is not kept: a userfault or get_user_pages loop; such a lifecycle is set aside. */
export const MAX_STEPS = 512;

export class Trace {
  readonly fault: number;
  readonly faultCpu: number;
  readonly tid: number;
  readonly steps: Step[] = [];
  /** Kinds of the steps that are there. */
  readonly kinds: Set<number> = new Set();
  nextStep = 0;
  /** Why steps are known to be absent: `step 3 lost`. Empty when the step numbers have no gap. */
  lost = '';

  // From the first step (VL_F_INFO); as in `EventBatch`.
  tgid = 0;
  comm = '';
  depth = 0;
  mm = 0;
  address: number = Number.NaN;
  vmaStart = 0;
  vmaEnd = 0;
  vmFlags = 0n;
  pte = 0n;
  /** Time lock_vma_under_rcu returned the VMA; NaN when not known. */
  acquired: number = Number.NaN;

  /** The task's fault from user mode before this one, for the rules that look over the edge; null when none is known. */
  before: Trace | null = null;

  constructor(fault: number, faultCpu: number, tid: number) {
    this.fault = fault;
    this.faultCpu = faultCpu;
    this.tid = tid;
  }

  add(step: Step): void {
    if (this.steps.length >= MAX_STEPS) {
      this.lost ||= `more than ${MAX_STEPS} steps`;
      return;
    }
    this.steps.push(step);
    this.kinds.add(step.kind);
  }

  has(kind: number): boolean {
    return this.kinds.has(kind);
  }
}
