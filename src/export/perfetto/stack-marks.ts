// SPDX-License-Identifier: MIT
/** Where stacks were taken: marks on threads, each held back until its frames have names, which come later. */
import type { EventBatch } from '../../core/events/batch.js';
import { Names } from '../../core/events/names.js';
import { UserKind } from '../../core/events/user-rows.js';
import { stackIdOf, stackIdsOf } from '../../core/lifecycle/stack-id.js';
import { VlArgs, VlKind } from '../../schema/events.gen.js';

/** Marks held back; the oldest go as they are, without the names that have not come. */
const MAX_PENDING = 65_536;

interface Pending {
  readonly tid: number;
  readonly time: number;
  readonly name: string;
  readonly kernelStack: number;
  readonly userStack: number;
}

export interface StackMark extends Pick<Pending, 'tid' | 'time' | 'name'> {
  /** Symbols, innermost first; empty when none was taken or its names did not come. */
  readonly kernel: readonly string[];
  readonly user: readonly string[];
}

export class StackMarks {
  readonly #names: Names = new Names();
  #pending: Pending[] = [];
  /** Frames came since the last `ready`. */
  #named = false;

  /** Row `i` of a batch. */
  row(batch: EventBatch, i: number): void {
    switch (batch.kind[i]) {
      case UserKind.Frame:
        this.#names.push(batch, i);
        this.#named = true;
        return;
      case VlKind.STACK:
        this.#add(batch, i, 'stack of a fault', {
          kernel: stackIdOf(batch[VlArgs.STACK.kernel][i] as number),
          user: stackIdOf(batch[VlArgs.STACK.user][i] as number),
        });
        return;
      case VlKind.W_ACQUIRED:
        this.#add(batch, i, 'stack of a writer that waited', stackIdsOf(batch, i));
        return;
      case VlKind.L_HELD:
        this.#add(batch, i, 'stack of a holder of mmap_lock', stackIdsOf(batch, i));
    }
  }

  /** Those whose frames are known, or with `last` all that have any. They are then gone from here. */
  *ready(last = false): Generator<StackMark, void, undefined> {
    if (!last && !this.#named && this.#pending.length <= MAX_PENDING) return;
    this.#named = false;
    const ids = new Set(this.#pending.flatMap(({ kernelStack, userStack }) => [kernelStack, userStack]));
    const frames = this.#names.stacks(ids);
    const beyond = this.#pending.length - MAX_PENDING;
    const later: Pending[] = [];
    for (const [at, mark] of this.#pending.entries()) {
      const { kernelStack, userStack, ...rest } = mark;
      const kernel = kernelStack < 0 ? [] : frames[kernelStack];
      const user = userStack < 0 ? [] : frames[userStack];
      const isKnown = kernel !== undefined && user !== undefined;
      if (!isKnown && !last && at >= beyond) later.push(mark);
      else if ((kernel?.length ?? 0) + (user?.length ?? 0) > 0)
        yield { ...rest, kernel: kernel ?? [], user: user ?? [] };
    }
    this.#pending = later;
  }

  #add(batch: EventBatch, i: number, name: string, { kernel, user }: { kernel: number; user: number }): void {
    if (kernel < 0 && user < 0) return;
    const tid = batch.tid[i] as number;
    this.#pending.push({ tid, time: batch.time[i] as number, name, kernelStack: kernel, userStack: user });
  }
}
