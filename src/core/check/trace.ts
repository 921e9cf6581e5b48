// SPDX-License-Identifier: MIT
/** The steps of one lifecycle, kept as they came until it can be judged. */
import type { Step, StepStore, Steps } from './step-store.js';

/** Where traces have their steps. */
export interface Holder {
  readonly store: StepStore;
  /** Valid until those of another two traces were shown. */
  show(trace: Trace): readonly Step[];
}

/** More steps than this, and the rest is not kept: a userfault or get_user_pages loop; such a lifecycle is set aside. */
export const MAX_STEPS = 512;

/** Used again once nobody holds it (trace-pool.ts): `begin` names every field. */
export class Trace implements Steps {
  declare fault: number;
  declare faultCpu: number;
  declare tid: number;
  readonly chunks: number[] = [];
  count = 0;
  /** Tells what this is from what it was before. */
  uses = 0;
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
  /** From its first step, or (once sealed) from when it had its VMA lock, to its last. */
  declare from: number;
  declare to: number;
  /** How many hold it: who collects it, its task, traces it came before, and suspicions, which never let go. */
  declare holders: number;
  readonly #holder: Holder;
  /** Those of one that is suspected: they outlast the holder's. */
  #kept: readonly Step[] | null = null;
  /** Kinds of the steps that are there, a bit each. */
  #kinds0 = 0;
  #kinds1 = 0;
  #kinds2 = 0;
  #kinds3 = 0;

  constructor(holder: Holder, fault: number, faultCpu: number, tid: number) {
    this.#holder = holder;
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
    this.uses++;
    this.#kinds0 = this.#kinds1 = this.#kinds2 = this.#kinds3 = 0;
    return this;
  }

  /** Valid until those of another two traces are read. */
  get steps(): readonly Step[] {
    return this.#kept ?? this.#holder.show(this);
  }

  /** One more step at its end, if there is room for it. `kind`: below 128. */
  add(kind: number, flags: number, time: number, a: number, b: number): void {
    if (this.count >= MAX_STEPS) {
      this.lost ||= `more than ${MAX_STEPS} steps`;
      return;
    }
    this.#holder.store.add(this, kind, flags, time, a, b);
    if (time < this.from) this.from = time;
    if (time > this.to) this.to = time;
    const bit = 1 << (kind & 31);
    if (kind < 32) this.#kinds0 |= bit;
    else if (kind < 64) this.#kinds1 |= bit;
    else if (kind < 96) this.#kinds2 |= bit;
    else this.#kinds3 |= bit;
  }

  /** No more steps will come. */
  seal(): void {
    const { acquired } = this;
    if (acquired < this.from) this.from = acquired;
    if (acquired > this.to) this.to = acquired;
  }

  /** It is held for good, and takes its steps along: they are asked for long after. */
  keep(): void {
    this.holders++;
    if (this.#kept !== null) return;
    this.#kept = this.steps.map((step) => ({ ...step }));
    this.#holder.store.letGo(this);
  }

  has(kind: number): boolean {
    const kinds = kind < 32 ? this.#kinds0 : kind < 64 ? this.#kinds1 : kind < 96 ? this.#kinds2 : this.#kinds3;
    return ((kinds >>> (kind & 31)) & 1) !== 0;
  }
}
