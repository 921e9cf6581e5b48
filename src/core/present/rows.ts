// SPDX-License-Identifier: MIT
/** Rows that views show and a Snapshot holds only in parts: counts with their rate and share. */

import type { Snapshot } from '../aggregate/snapshot.js';
import type { ProgramCost } from '../aggregate/snapshot-rows.js';
import type { Cause } from '../vocabulary/causes.js';
import { formatCount } from './format.js';
import type { Style } from './text.js';

export interface OutcomeRow {
  readonly id: 'success' | 'retry' | 'completed' | 'abort' | 'error' | 'access-error' | 'kernel';
  readonly title: string;
  readonly style: Style;
  readonly count: number;
  /** Per second since the previous snapshot; over the session without one. */
  readonly rate: number;
  /** Of all faults; NaN when there was none. */
  readonly share: number;
}

export interface ProgramRow {
  readonly cost: ProgramCost;
  /** ns during which run times were taken; 0 when never. */
  readonly measuredNs: number;
}

/**
 * Increase per second between two snapshots of one session; without an earlier one, over the session so far. NaN when
 * there is no time between them.
 */
export function perSecond(now: Snapshot, before: Snapshot | null, of: (snapshot: Snapshot) => number): number {
  if (before === null) return now.durationNs > 0 ? (of(now) * 1e9) / now.durationNs : Number.NaN;
  if (now.time <= before.time) return Number.NaN;
  return ((of(now) - of(before)) * 1e9) / (now.time - before.time);
}

const OUTCOMES: readonly (readonly [OutcomeRow['id'], string, Style, (s: Snapshot) => number])[] = [
  ['success', 'success', 'good', (s) => s.counts.vmaLock.success],
  ['retry', 'RETRY', 'retry', (s) => s.counts.vmaLock.retry],
  ['completed', 'COMPLETED', 'completed', (s) => s.counts.vmaLock.completed],
  ['abort', 'ABORT', 'abort', (s) => s.counts.vmaLock.abort],
  ['error', 'error', 'bad', (s) => s.counts.vmaLock.error],
  ['access-error', 'access err', 'bad', (s) => s.counts.vmaLock.accessError ?? Number.NaN],
  ['kernel', 'kernel-mode', 'kernel', (s) => s.counts.kernelMode],
];

export function outcomeRows(now: Snapshot, before: Snapshot | null): OutcomeRow[] {
  return OUTCOMES.filter(([, , , of]) => !Number.isNaN(of(now))).map(([id, title, style, of]) => ({
    id,
    title,
    style,
    count: of(now),
    rate: perSecond(now, before, of),
    share: of(now) / (now.counts.faults || Number.NaN),
  }));
}

/** Attempts of one cause: each cause belongs to RETRY or to ABORT alone. */
export function countOf(snapshot: Pick<Snapshot, 'retry' | 'abort'>, cause: Cause): number {
  const retry: Readonly<Partial<Record<Cause, number>>> = snapshot.retry.byCause;
  const abort: Readonly<Partial<Record<Cause, number>>> = snapshot.abort.byCause;
  return retry[cause] ?? abort[cause] ?? 0;
}

/** Of those, the ones whose cause is sure: the only ones a rate can be made of, since what is not may go elsewhere. */
export function finalCount(snapshot: Pick<Snapshot, 'retry' | 'abort'>, cause: Cause): number {
  const retry: Readonly<Partial<Record<Cause, number>>> = snapshot.retry.undecided;
  const abort: Readonly<Partial<Record<Cause, number>>> = snapshot.abort.undecided;
  return countOf(snapshot, cause) - (retry[cause] ?? abort[cause] ?? 0);
}

/** `≥` while the kernel's count, which is read four times a second, is older than what was decoded. */
export function emittedWords(
  { emitted, emittedAtLeast }: Pick<Snapshot['events'], 'emitted' | 'emittedAtLeast'>,
  format: (count: number) => string = formatCount,
): string {
  return `${emittedAtLeast ? '≥ ' : ''}${format(emitted)}`;
}

export function programRows(now: Snapshot): ProgramRow[] {
  return now.overhead.programs.map((cost) => ({ cost, measuredNs: now.overhead.measuredNs }));
}

/** Our BPF programs' run time as a share of one CPU, over the time it was measured; NaN when it was not. */
export function programShare(now: Snapshot): number {
  let ns = 0;
  for (const program of now.overhead.programs) ns += program.runTimeNs;
  return now.overhead.measuredNs > 0 ? ns / now.overhead.measuredNs : Number.NaN;
}

/** Our own process as a share of one CPU: since the previous snapshot, or over the session without one. */
export function selfShare(now: Snapshot, before: Snapshot | null): number {
  const recent = perSecond(now, before, (s) => s.overhead.selfCpuNs) / 1e9;
  return Number.isNaN(recent) ? perSecond(now, null, (s) => s.overhead.selfCpuNs) / 1e9 : recent;
}
