// SPDX-License-Identifier: MIT
/** What an alert rule says when it fires or is over: all that banners, logs, hooks and time lines need of it. */

export const SEVERITIES = ['info', 'warning', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** What a rule can be judged for, one by one. */
export const GROUPINGS = ['process', 'cgroup', 'cause'] as const;
export type Grouping = (typeof GROUPINGS)[number];

export interface AlertGroup {
  readonly by: Grouping;
  /** Distinguishes it from the others of its kind: the tgid, the cgroup's id, the cause. */
  readonly key: string;
  /** For people: `comm (tgid)`, the cgroup's path, the cause. */
  readonly name: string;
}

/** Fields by their name in expressions; null where a field is not known. */
export type AlertValues = Readonly<Record<string, number | string | null>>;

export interface AlertEvent {
  readonly kind: 'firing' | 'resolved';
  /** Name of the rule. */
  readonly rule: string;
  /** The rule in words. */
  readonly summary: string;
  readonly severity: Severity;
  /** null for a rule about the whole host. */
  readonly group: AlertGroup | null;
  /** Time of the snapshot that decided it, ns since the session's base. */
  readonly time: number;
  /** firing: since when the condition has held. resolved: since when the alert had been firing. ns since the base. */
  readonly since: number;
  /** What the rule's expressions read, at `time`. */
  readonly values: AlertValues;
  /** The expression that held: `when`, or what cleared it. */
  readonly expression: string;
}

/** `inactive` → `pending` (holds, not long enough yet) → `firing` → `clearing` (over, not long enough yet) → `cooldown`. */
export type AlertPhase = 'inactive' | 'pending' | 'firing' | 'clearing' | 'cooldown';

/** A rule as it stands now: one row, or one per group that is not `inactive`, where there is any. */
export interface AlertStatus {
  readonly rule: string;
  readonly summary: string;
  readonly severity: Severity;
  readonly expression: string;
  readonly group: AlertGroup | null;
  readonly phase: AlertPhase;
  /** Beginning of the phase, ns since the session's base; NaN while inactive. */
  readonly since: number;
  readonly values: AlertValues;
  /** Why fields of `values` are null, by field. */
  readonly unknown: Readonly<Record<string, string>>;
}

/** An alert that is firing. */
export function isOut(phase: AlertPhase): boolean {
  return phase === 'firing' || phase === 'clearing';
}

/** A value as a person reads it: four digits at most say all there is to say. */
function formatValue(value: number | string | null): string {
  if (value === null) return 'unknown';
  if (typeof value === 'string') return value;
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
}

export function formatValues(values: AlertValues): string {
  return Object.entries(values)
    .map(([field, value]) => `${field} ${formatValue(value)}`)
    .join(', ');
}

/** One line: `warning retry-storm firing (postgres (812)): excessive RETRY fallbacks [retry_ratio 0.31, retry_rate 4210]`. */
export function alertText(event: AlertEvent): string {
  const who = event.group === null ? '' : ` (${event.group.name})`;
  return `${event.severity} ${event.rule} ${event.kind}${who}: ${event.summary} [${formatValues(event.values)}]`;
}
