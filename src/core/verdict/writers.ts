// SPDX-License-Identifier: MIT
/** Rows of writers (VL_W_*, and VL_L_COPIED of forks) → their holds, pushed to the stalls of every policy; and the priorities they show. */
import { VlArgs, VlKind, VlSharedArgs, VlStepFlag } from '../../schema/events.gen.js';
import { BoundedMap } from '../bounded/bounded-map.js';
import type { EventBatch } from '../events/batch.js';
import { syscallNumber } from '../vocabulary/syscalls.js';
import type { ComesAgain } from './comes-again.js';
import { type PolicyStalls, type Who, WriterHold } from './policy-stalls.js';

/** Threads whose hold under way, and threads whose priority, are remembered. */
const MAX_HOLDS = 8192;
const MAX_PRIORITIES = 65_536;

interface UnderWay {
  readonly mm: number;
  readonly had: number;
  readonly holds: readonly WriterHold[];
}

export class WriterRows {
  /** Writers that waited today for mmap_lock behind a task of lower priority, of those that waited. */
  waited = 0;
  inverted = 0;
  readonly #policies: readonly PolicyStalls[];
  readonly #again: ComesAgain;
  readonly #acquisitionsSeen: boolean;
  readonly #underWay: BoundedMap<number, UnderWay> = new BoundedMap(MAX_HOLDS, ({ had }) => had || 0);
  readonly #priorities: BoundedMap<number, number>;

  /** `acquisitionsSeen`: mmap_lock's tracepoints are hooked, so that one hold can be distinguished from the next. */
  constructor(
    policies: readonly PolicyStalls[],
    again: ComesAgain,
    priorities: BoundedMap<number, number>,
    acquisitionsSeen: boolean,
  ) {
    this.#policies = policies;
    this.#again = again;
    this.#priorities = priorities;
    this.#acquisitionsSeen = acquisitionsSeen;
  }

  static priorities(): BoundedMap<number, number> {
    return new BoundedMap(MAX_PRIORITIES, () => 0);
  }

  /** A row of a kind that `isOfNoFault`; those of readers say nothing. */
  push(batch: EventBatch, i: number): void {
    const tid = batch.tid[i] as number;
    const mm = batch.mm[i] as number;
    const time = batch.time[i] as number;
    switch (batch.kind[i]) {
      case VlKind.W_ACQUIRED: {
        const [lo, hi] = [batch.vmaStart[i], batch.vmaEnd[i]] as [number, number];
        const { holds } = this.#begin(tid, mm, time, this.#who(batch, i));
        for (const [n, policy] of this.#policies.entries())
          policy.stalls.acquired(holds[n] as WriterHold, time, lo, hi);
        return;
      }
      case VlKind.W_RELEASED:
        if (this.#underWay.get(tid)?.mm !== mm) return;
        for (const hold of this.#underWay.get(tid)?.holds ?? []) hold.released = time;
        this.#underWay.set(tid, { mm: Number.NaN, had: 0, holds: [] });
        return;
      case VlKind.W_VMA:
      case VlKind.L_COPIED: {
        const [lo, hi] = [batch.vmaStart[i], batch.vmaEnd[i]] as [number, number];
        const from = batch.kind[i] === VlKind.W_VMA ? (batch.acquired[i] as number) : time;
        const known = this.#acquisitionsSeen ? this.#underWay.get(tid) : undefined;
        const begun = known?.mm === mm;
        const { holds } = begun ? known : this.#begin(tid, mm, Number.NaN, this.#who(batch, i));
        for (const [n, policy] of this.#policies.entries()) {
          const hold = holds[n] as WriterHold;
          // When it had mmap_lock was not sent; it has it here.
          if (!begun && batch.kind[i] === VlKind.L_COPIED) policy.stalls.acquired(hold, time, lo, hi);
          policy.stalls.writeLocks(hold, from, lo, hi);
        }
        this.#again.locked(holds[0] as WriterHold, from, lo, hi);
        return;
      }
    }
  }

  #begin(tid: number, mm: number, had: number, who: Who): UnderWay {
    const hold = { mm, had, holds: this.#policies.map(() => new WriterHold(tid, mm, had, who)) };
    this.#underWay.set(tid, hold);
    return hold;
  }

  /** W_ACQUIRED alone carries priorities. */
  #who(batch: EventBatch, i: number): Who {
    const tid = batch.tid[i] as number;
    if (batch.kind[i] === VlKind.W_ACQUIRED) {
      const holder = batch[VlArgs.W_ACQUIRED.holder][i] as number;
      this.#priorities.set(tid, batch.prio[i] as number);
      if (holder !== 0) this.#priorities.set(holder, batch.holderPrio[i] as number);
      if (!Number.isNaN(batch.acquired[i])) {
        this.waited++;
        if ((batch.flags[i] as number) & VlStepFlag.INVERTED) this.inverted++;
      }
    }
    return {
      tgid: batch.tgid[i] as number,
      comm: batch.strings[batch.comm[i] as number] ?? '',
      syscall: syscallNumber(batch[VlSharedArgs.syscall][i] as number),
      prio: this.#priorities.get(tid) ?? Number.NaN,
    };
  }
}
