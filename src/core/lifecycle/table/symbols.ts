// SPDX-License-Identifier: MIT
/** The transition table as typed arrays, and the symbol a step stands for in it. */
import { VlArgs, VlKind, VlStepFlag } from '../../../schema/events.gen.js';
import type { FaultBits } from '../../events/fault-bits.js';
import { ACTIONS, STATES, type StateName, SYMBOLS, type SymbolName } from './states.js';
import { TABLE } from './transitions.js';

export const SYMBOL_COUNT: number = SYMBOLS.length;

const indices = <T extends string>(names: readonly T[]): Readonly<Record<T, number>> =>
  Object.fromEntries(names.map((name, i) => [name, i])) as Record<T, number>;

export const STATE: Readonly<Record<StateName, number>> = indices(STATES);
export const SYMBOL: Readonly<Record<SymbolName, number>> = indices(SYMBOLS);
export const OTHER_PASS: number = SYMBOL.OtherPass;
export const SECOND_TRY: number = SYMBOL.SecondTry;

export interface CompiledTable {
  readonly next: Uint8Array;
  readonly action: Uint8Array;
  readonly again: Uint8Array;
  readonly missed: readonly string[];
}

/** Cell of (state, symbol) at state * SYMBOL_COUNT + symbol. */
export const COMPILED: CompiledTable = compile();

function compile(): CompiledTable {
  const cells = STATES.flatMap((state) => SYMBOLS.map((symbol) => TABLE[state][symbol]));
  return {
    next: Uint8Array.from(cells, (cell) => STATE[cell.next]),
    action: Uint8Array.from(cells, (cell) => ACTIONS.indexOf(cell.action)),
    again: Uint8Array.from(cells, (cell) => (cell.again ? 1 : 0)),
    missed: cells.map((cell) => cell.missed),
  };
}

/** By kind, for the kinds whose symbol does not depend on what they say. */
const BY_KIND: Uint8Array = new Uint8Array(128).fill(SYMBOL.Other);
BY_KIND[VlKind.SWAP_ENTER] = SYMBOL.SwapEnter;
BY_KIND[VlKind.SWAP_EXIT] = SYMBOL.SwapExit;
BY_KIND[VlKind.SWAP_DEVICE] = SYMBOL.SwapDevice;
BY_KIND[VlKind.FLOR_ENTER] = SYMBOL.FlorEnter;
BY_KIND[VlKind.FLOR_SLEEP] = SYMBOL.FlorSleep;
BY_KIND[VlKind.FLOR_EXIT] = SYMBOL.FlorExit;
BY_KIND[VlKind.UFFD_ENTER] = SYMBOL.UffdEnter;
BY_KIND[VlKind.UFFD_EXIT] = SYMBOL.UffdExit;
BY_KIND[VlKind.ANON_PREPARE] = SYMBOL.AnonPrepare;
BY_KIND[VlKind.FILE_ENTER] = SYMBOL.FileEnter;
BY_KIND[VlKind.FILE_SLEEP] = SYMBOL.FileSleep;
BY_KIND[VlKind.FILE_EXIT] = SYMBOL.FileExit;
BY_KIND[VlKind.INNER_RETRY] = SYMBOL.InnerRetry;
BY_KIND[VlKind.WAIT_ENTER] = SYMBOL.WaitEnter;
BY_KIND[VlKind.WAIT_EXIT] = SYMBOL.WaitExit;
BY_KIND[VlKind.MM_LOCK_ENTER] = SYMBOL.MmEnter;
BY_KIND[VlKind.MM_CONTENDED] = SYMBOL.MmContended;
BY_KIND[VlKind.VMA_OPS] = SYMBOL.VmaOps;
BY_KIND[VlKind.MM_WRITER] = SYMBOL.MmWriter;
BY_KIND[VlKind.MM_RELEASED] = SYMBOL.MmReleased;
BY_KIND[VlKind.ACCESS_ERROR] = SYMBOL.AccessError;
BY_KIND[VlKind.STACK] = SYMBOL.Stack;
BY_KIND[VlKind.VMA_RELEASE] = SYMBOL.Release;
BY_KIND[VlKind.SIGNAL] = SYMBOL.Signal;
BY_KIND[VlKind.TASK_EXIT] = SYMBOL.TaskExit;
BY_KIND[VlKind.ABANDONED] = SYMBOL.Abandoned;

export function classifyStep(step: {
  readonly kind: number;
  readonly flags: number;
  readonly a: number;
  readonly b: number;
  readonly bits: FaultBits;
}): number {
  const { kind, bits } = step;
  switch (kind) {
    case VlKind.VMA_LOCK:
      return step[VlArgs.VMA_LOCK.locked] === 0 ? SYMBOL.VmaNull : SYMBOL.VmaLocked;
    case VlKind.HMF_EXIT: {
      const ret = step[VlArgs.HMF_EXIT.ret];
      if (ret & bits.retry) return SYMBOL.HmfRetry;
      if (ret & bits.completed) return SYMBOL.HmfDone;
      if (step[VlArgs.HMF_EXIT.flags] & bits.vmaLock) return bits.observed ? SYMBOL.HmfKept : SYMBOL.HmfDone;
      // get_user_pages and its like keep mmap_lock over many faults: its release is not theirs.
      return bits.mmapReleased && step.flags & VlStepFlag.REGS ? SYMBOL.HmfMmKept : SYMBOL.HmfDone;
    }
    case VlKind.MM_LOCK_EXIT:
      return step[VlArgs.MM_LOCK_EXIT.found] === 0 ? SYMBOL.MmNull : SYMBOL.MmLocked;
    default:
      return BY_KIND[kind] ?? SYMBOL.Other;
  }
}
