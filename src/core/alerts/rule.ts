// SPDX-License-Identifier: MIT
/** A rule as the engine takes it: durations in ns, expressions compiled. */
import type { Grouping, Severity } from './event.js';

/** What an expression can read; a field that is not known is absent. */
export type Known = Readonly<Record<string, number | string>>;

export interface Condition {
  /** As the user wrote it. */
  readonly source: string;
  /** Names of the fields it reads, in order. */
  readonly fields: readonly string[];
  /** null: not known, since a field that decides is not. */
  test(known: Known): boolean | null;
}

export interface AlertRule {
  /** Unique in its set. */
  readonly name: string;
  readonly summary: string;
  readonly severity: Severity;
  readonly groupBy: Grouping | null;
  /** How long `when` must hold, and the end of it last, ns of event time; 0: one snapshot is enough. */
  readonly forNs: number;
  readonly clearForNs: number;
  /** After an alert is over, the rule (of this group) rests this long, ns. */
  readonly cooldownNs: number;
  readonly when: Condition;
  /** Hysteresis: the alert is over only when this holds; null: when `when` does not. */
  readonly clear: Condition | null;
}
