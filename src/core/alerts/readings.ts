// SPDX-License-Identifier: MIT
/** What a rule sees in an interval, and what it says of that. */
import type { AlertEvent, AlertGroup, AlertStatus, AlertValues, Grouping } from './event.js';
import type { GroupReading } from './groups.js';
import { type Interval, isKnown, type Reading } from './interval.js';
import { MEASURES } from './measures.js';
import type { AlertRule, Known } from './rule.js';
import type { AlertState, Signals } from './states.js';

/** What a rule sees of the host, or of a group. */
export interface Readings {
  readonly group: AlertGroup | null;
  readonly fields: Readonly<Record<string, Reading | string>>;
}

export const NOTHING: Readings['fields'] = {};

/** The fields that rules of this grouping read; null: those about the host. */
export function wantedBy(rules: readonly AlertRule[], by: Grouping | null): ReadonlySet<string> {
  return new Set(rules.filter((rule) => rule.groupBy === by).flatMap(fieldsOf));
}

export function readHost(wanted: ReadonlySet<string>, interval: Interval): Readings['fields'] {
  return Object.fromEntries(MEASURES.filter(({ id }) => wanted.has(id)).map(({ id, read }) => [id, read(interval)]));
}

export function readingsOf({ group, identity, fields }: GroupReading): Readings {
  return { group, fields: { ...identity, ...fields } };
}

/** What the rule's expressions read. */
function fieldsOf(rule: AlertRule): string[] {
  return [...new Set([...rule.when.fields, ...(rule.clear?.fields ?? [])])];
}

function isFigure(reading: Reading | string | undefined): reading is number | string {
  return typeof reading === 'string' || (reading !== undefined && isKnown(reading));
}

function isAllKnown(fields: Readings['fields']): fields is Known {
  for (const id in fields) if (!isFigure(fields[id])) return false;
  return true;
}

export function knownOf(fields: Readings['fields']): Known {
  if (isAllKnown(fields)) return fields;
  const known: Record<string, number | string> = {};
  for (const [id, reading] of Object.entries(fields)) if (isFigure(reading)) known[id] = reading;
  return known;
}

/**
 * What is not known does not fire, and keeps nothing firing: a storm that ends in silence has no ratio any more, and is
 * over. Where both expressions hold, the alert goes on.
 */
export function signalsOf(rule: AlertRule, known: Known): Signals {
  const active = rule.when.test(known) === true;
  return { active, quiet: !active && (rule.clear?.test(known) ?? true) };
}

function valuesOf(rule: AlertRule, fields: Readings['fields']): AlertValues {
  const values: Record<string, number | string | null> = {};
  for (const id of fieldsOf(rule)) {
    const reading = fields[id];
    values[id] = isFigure(reading) ? reading : null;
  }
  return values;
}

export function eventOf(
  rule: AlertRule,
  seen: Readings,
  kind: AlertEvent['kind'],
  time: number,
  since: number,
): AlertEvent {
  const { name, summary, severity, when, clear } = rule;
  const expression = kind === 'firing' ? when.source : (clear?.source ?? `!(${when.source})`);
  const values = valuesOf(rule, seen.fields);
  return { kind, rule: name, summary, severity, group: seen.group, time, since, values, expression };
}

export function quietStatus({ name, summary, severity, when }: AlertRule): AlertStatus {
  const about = { rule: name, summary, severity, expression: when.source, group: null };
  return { ...about, phase: 'inactive', since: Number.NaN, values: {}, unknown: {} };
}

export function statusOf(rule: AlertRule, { phase, since }: AlertState, seen: Readings): AlertStatus {
  const { name, summary, severity, when } = rule;
  const unknown: Record<string, string> = {};
  for (const id of fieldsOf(rule)) {
    const reading = seen.fields[id];
    if (!isFigure(reading)) unknown[id] = reading?.why ?? 'nothing was seen of it';
  }
  const values = valuesOf(rule, seen.fields);
  return { rule: name, summary, severity, expression: when.source, group: seen.group, phase, since, values, unknown };
}
