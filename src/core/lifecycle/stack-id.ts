// SPDX-License-Identifier: MIT
/** Ids of stacks as the kernel side sends them: a slot of its stack map, or what bpf_get_stackid said instead. */
import type { EventBatch } from '../events/batch.js';

/** Ids are slots of the map; whatever is above is a negative errno or ~0: no stack was taken. */
const NO_STACK = 0x8000_0000;

/** -1: none was taken. */
export function stackIdOf(sent: number): number {
  return sent >= NO_STACK ? -1 : sent;
}

/** The kernel stack and the user stack of a row of a writer or a holder; -1: none was taken. */
export function stackIdsOf(batch: EventBatch, i: number): { readonly kernel: number; readonly user: number } {
  return { kernel: batch.kernelStack[i] as number, user: batch.userStack[i] as number };
}
