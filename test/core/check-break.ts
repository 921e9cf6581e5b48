// SPDX-License-Identifier: MIT
/** How a fault that breaks a rule is written down. */
import { VlKind, VlStepFlag } from '../../src/schema/events.gen.js';
import { type Flavour, type Life, type LifeWriter, PTE_DISK } from './check-life.js';

export interface Break {
  readonly rule: number;
  /** Others that the same fault breaks. */
  readonly also?: readonly number[];
  readonly name: string;
  readonly flavours: readonly Flavour[];
  /** One after another on one thread. */
  readonly lives: (w: () => LifeWriter) => readonly Life[];
}

export const NEW: readonly Flavour[] = ['7.3', '6.12'];
export const SEEN: readonly Flavour[] = ['6.12'];
export const disk: Partial<Life> = { pte: PTE_DISK };
export const unlooked: Partial<Life> = { looksUp: false };
export const aborted: Partial<Life> = { looksUp: false, vmFlags: 0n };

/** A fault of one lifecycle. */
export const one = (
  rule: number,
  name: string,
  make: (w: LifeWriter) => Life,
  flavours: readonly Flavour[] = NEW,
  also: readonly number[] = [],
): Break => ({
  rule,
  also,
  name,
  flavours,
  lives: (w) => [make(w())],
});

/** A fault like any other but for the flags and the result of its only attempt. */
export const plain = (rule: number, name: string, flags: number, ret = 0, stepFlags: number = VlStepFlag.REGS): Break =>
  one(rule, name, (w) => w.add(VlKind.HMF_EXIT, flags, ret, stepFlags).release().life('broken'));
