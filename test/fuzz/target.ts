// SPDX-License-Identifier: MIT
/** What is fuzzed: one kind of input each. A case that throws is a finding; a target itself expects the refusals that are right. */
import { UserError } from '../../src/errors.js';
import type { CaseRandom } from './random.js';

export interface Target {
  readonly name: string;
  /** Makes what all cases share. */
  prepare(): Promise<Prepared>;
}

export interface Prepared {
  run(random: CaseRandom): void | Promise<void>;
  /** Cases that were not refused but used: none would mean that nothing behind the first check was tried. */
  readonly used: () => number;
  close?(): Promise<void>;
}

/** Throws what is no refusal: a refusal has words for people, and what to do. */
export function refusal(error: unknown): void {
  const typed = error instanceof UserError || (error instanceof Error && error.name === 'BpfError');
  if (!typed || error.message === '') throw error;
  if (error instanceof UserError && error.exitCode !== 2 && error.exitCode !== 3) throw error;
}
