// SPDX-License-Identifier: MIT
/** Faults written out by hand, step by step, and what the fold makes of them. */
import assert from 'node:assert/strict';
import type { Snapshot } from '../../src/core/aggregate/snapshot.js';
import type { SessionInfo } from '../../src/core/events/session.js';
import type { Attempt, Lifecycle } from '../../src/core/lifecycle/lifecycle.js';
import { VlFound, VlKind, VlStepFlag } from '../../src/schema/events.gen.js';
import { feed, type PlainRow } from './compare.js';
import { MMAP_FLAGS, RET, SWAP_ZRAM, TRIED_FLAGS, VMA_FLAGS } from './session.js';

const K = VlKind;
export const RETRY: number = RET.VM_FAULT_RETRY;
export const RETRY_MAJOR: number = RETRY | RET.VM_FAULT_MAJOR;
export const FOUND: number = VlFound.FOUND | VlFound.FOUND_COVERS;
export const SAME: number = FOUND | VlFound.FOUND_SAME;
export const KNOWN: number = VlFound.FOUND_SEQ_KNOWN | VlFound.FOUND_MM_KNOWN;
export const AVOIDABLE: number = SAME | KNOWN | VlFound.FOUND_SEQ_SAME;

export type Step = readonly [kind: number, a?: number, b?: number, flags?: number];

/** Steps 100 ns apart, numbered, the first with who and where. */
export function fault(steps: readonly Step[], more: Partial<PlainRow> = {}, at = 0): PlainRow[] {
  return steps.map(([kind, a = 0, b = 0, flags = kind === K.HMF_EXIT ? VlStepFlag.REGS : 0], step) => ({
    ...more,
    kind,
    a,
    b,
    step,
    flags: flags | (step === 0 ? VlStepFlag.INFO : 0),
    time: at + (step + 1) * 100,
  }));
}

export function run(
  rows: readonly PlainRow[],
  observed = false,
  changes: Partial<SessionInfo> = {},
): { closed: Lifecycle[]; snapshot: Snapshot } {
  const closed: Lifecycle[] = [];
  const snapshot = feed(rows, observed, closed, changes);
  return { closed, snapshot };
}

/** Of a fault that is the only one. */
export function only(rows: readonly PlainRow[], observed = false, changes: Partial<SessionInfo> = {}): Lifecycle {
  const { closed, snapshot } = run(rows, observed, changes);
  assert.equal(closed.length + snapshot.inFlightTotal, 1);
  return (closed[0] ?? snapshot.inFlight[0]) as Lifecycle;
}

export function lifecycle(steps: readonly Step[], changes: Partial<SessionInfo> = {}): Lifecycle {
  const closed: Lifecycle[] = [];
  const snapshot = feed(fault(steps), false, closed, changes);
  return (closed[0] ?? snapshot.inFlight[0]) as Lifecycle;
}

export const vmaOf = (life: Lifecycle): Attempt => life.attempts.find((one) => one.lock === 'vma') as Attempt;
export const lock = (found: number, writers = 0, ...between: Step[]): Step[] => [
  [K.MM_LOCK_ENTER, 1],
  ...between,
  [K.MM_LOCK_EXIT, found, writers],
];
export const done: Step = [K.HMF_EXIT, MMAP_FLAGS];
export const retries = (ret: number = RETRY): Step => [K.HMF_EXIT, VMA_FLAGS, ret];
export const swap = (inside: readonly Step[], ret: number = RETRY): Step[] => [
  [K.SWAP_ENTER, VMA_FLAGS],
  ...inside,
  [K.SWAP_EXIT, 0, ret],
];
export const flor = (flags: number = 0): Step[] => [
  [K.SWAP_DEVICE, 1],
  [K.FLOR_ENTER, VMA_FLAGS, 0x100, flags],
  [K.FLOR_EXIT, 0, RETRY],
];

/** A fault that sleeps for a locked folio, then retries, and what comes after. */
export const SLEEPS: readonly Step[] = [
  [K.SWAP_ENTER, VMA_FLAGS],
  [K.SWAP_DEVICE, 1, SWAP_ZRAM],
  [K.FLOR_ENTER, VMA_FLAGS],
  [K.FLOR_SLEEP],
];
export const FOLIO: readonly Step[] = [
  ...SLEEPS,
  [K.FLOR_EXIT, 0, RETRY],
  [K.SWAP_EXIT, 0, RETRY_MAJOR],
  [K.HMF_EXIT, VMA_FLAGS, RETRY_MAJOR],
];
export const LOCK: readonly Step[] = [
  [K.MM_LOCK_ENTER, 1],
  [K.MM_LOCK_EXIT, 1],
];
export const FALLBACK: readonly Step[] = [...LOCK, [K.HMF_EXIT, TRIED_FLAGS]];
