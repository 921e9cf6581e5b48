// SPDX-License-Identifier: MIT
/** What rules are judged on: what happened between two snapshots, and how things stand at the later one. */
import type { Figures } from '../aggregate/figures.js';
import type { Losses } from './stuck.js';

/** Totals of `check` at the time of a snapshot. */
export interface Findings {
  /** Violations, of all rules together. */
  readonly violated: number;
}

export interface Interval {
  /** null: the session began with it. */
  readonly before: Figures | null;
  readonly now: Figures;
  /** > 0 */
  readonly seconds: number;
  readonly losses: Losses;
  /** null: nobody checks. */
  readonly findingsBefore: Findings | null;
  readonly findings: Findings | null;
}

/** A figure, or why there is none. */
export type Reading = number | Unknown;
export interface Unknown {
  readonly why: string;
}

export function isKnown(reading: Reading): reading is number {
  return typeof reading === 'number';
}

export function unknown(why: string): Unknown {
  return { why };
}

/** Increase over the interval. Provisional sums may shrink: that is no increase. */
export function increase({ before, now }: Interval, of: (snapshot: Figures) => number): number {
  return Math.max(0, of(now) - (before === null ? 0 : of(before)));
}

export function ratio(part: number, whole: number, why: string): Reading {
  return whole > 0 ? part / whole : unknown(why);
}

/** A field of rules: how it is read over an interval, and what it is called. */
export interface Measure {
  readonly id: string;
  readonly unit: '/s' | 's' | 'share' | 'count' | 's/s' | 'bytes';
  readonly title: string;
  read(interval: Interval): Reading;
}
