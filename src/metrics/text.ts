// SPDX-License-Identifier: MIT
/** Families as text: OpenMetrics 1.0, and Prometheus' format 0.0.4, which differ in how a counter is named. */
import { cleanLine } from '../core/present/clean.js';
import type { Distribution, Family, Labels } from './family.js';

export type TextFormat = 'openmetrics' | 'prometheus';

export const CONTENT_TYPE: Readonly<Record<TextFormat, string>> = {
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
};

/** What a scraper that sends this Accept header is given. */
export function negotiate(accept: string | undefined): TextFormat {
  return accept?.includes('application/openmetrics-text') === true ? 'openmetrics' : 'prometheus';
}

function escaped(text: string): string {
  return cleanLine(text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"'));
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

/** Shortest text that reads back as the same number, a floating-point tail of the sums in seconds cut off. */
function number(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(12)));
}

function histogramLines(name: string, { labels, bounds, counts, sum }: Distribution): string[] {
  const lines: string[] = [];
  let below = 0;
  counts.forEach((count, i) => {
    below += count;
    // Canonical form of a bound in OpenMetrics: a float's text.
    const le = i < bounds.length ? boundText(bounds[i] as number) : '+Inf';
    lines.push(`${name}_bucket${labelText({ ...labels, le })} ${number(below)}`);
  });
  // OpenMetrics: `_count` is there if and only if `_sum` is.
  if (sum !== null) {
    lines.push(`${name}_sum${labelText(labels)} ${number(sum)}`, `${name}_count${labelText(labels)} ${number(below)}`);
  }
  return lines;
}

function boundText(bound: number): string {
  const text = number(bound);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

function familyLines(family: Family, format: TextFormat): string[] {
  if (family.samples.length === 0) return [];
  const { name, help, unit, type } = family;
  const suffix = type === 'counter' ? '_total' : '';
  const head = format === 'openmetrics' ? name : name + suffix;
  const lines = [`# HELP ${head} ${escaped(help)}`, `# TYPE ${head} ${type}`];
  if (format === 'openmetrics' && unit !== '') lines.push(`# UNIT ${head} ${unit}`);
  if (family.type === 'histogram') for (const sample of family.samples) lines.push(...histogramLines(name, sample));
  else if (family.type === 'summary')
    for (const { labels, sum, count } of family.samples)
      lines.push(
        `${name}_sum${labelText(labels)} ${number(sum)}`,
        `${name}_count${labelText(labels)} ${number(count)}`,
      );
  else
    for (const { labels, value } of family.samples) lines.push(`${name}${suffix}${labelText(labels)} ${number(value)}`);
  return lines;
}

export function metricsText(families: readonly Family[], format: TextFormat): string {
  const lines = families.flatMap((family) => familyLines(family, format));
  if (format === 'openmetrics') lines.push('# EOF');
  return `${lines.join('\n')}\n`;
}
