// SPDX-License-Identifier: MIT
/** Lines of the summary of `stat`: a figure in front, then what it counts, then a note. Pure. */
import type { WaitStats } from '../../../src/core/aggregate/snapshot-rows.js';
import { exact, type Field } from '../../../src/core/present/fields/field.js';
import { formatDuration, formatExact, formatShare } from '../../../src/core/present/format.js';
import { pad, textWidth } from '../../../src/core/present/text.js';

const FIGURE = 16;
/** The longest of them: `retries: folio locked: other holder`. */
const LABEL = 35;

export function row(figure: string, label: string, note = ''): string {
  return `${figure.padStart(FIGURE)}  ${note === '' ? label : `${label.padEnd(LABEL)}  ${note}`}`;
}

/** A line without a figure. */
export function remark(text: string): string {
  return `${' '.repeat(FIGURE)}  ${text}`;
}

export function count(value: number, label: string, of = 0, ofWhat = ''): string {
  return row(formatExact(value), label, of > 0 ? `${formatShare(value / of)} of ${ofWhat}` : '');
}

export function wait(stats: WaitStats, label: string): string {
  if (stats.count === 0) return row('0', label);
  const times = [stats.p50Ns, stats.p99Ns, stats.maxNs].map(formatDuration);
  return row(
    formatExact(stats.count),
    label,
    `p50 ${times[0]}  p99 ${times[1]}  max ${times[2]}  sum ${formatDuration(stats.sumNs)}`,
  );
}

/** The rows as a table of the fields that have a value in any of them. `total`: how many there are behind `rows`. */
export function fieldTable<Row>(
  caption: string,
  rows: readonly Row[],
  all: readonly Field<Row>[],
  most: number,
  total: number = rows.length,
): string[] {
  if (rows.length === 0) return [];
  const shown = rows.slice(0, most);
  const fields = all.filter((field) => shown.some((row) => field.get(row) !== null));
  const cells = [fields.map(({ title }) => title), ...shown.map((row) => fields.map((field) => exact(field, row)))];
  const widths = fields.map((_, i) => Math.max(...cells.map((line) => textWidth(line[i] ?? ''))));
  const lines = cells.map((line) => {
    const padded = line.map((cell, i) => pad(cell, widths[i] ?? 0, fields[i]?.align));
    return ` ${padded.join('  ').trimEnd()}`;
  });
  const more = total > shown.length ? [` and ${formatExact(total - shown.length)} more`] : [];
  return [` ${caption}`, ...lines, ...more];
}

/** Columns as wide as their widest cell; the first to the left, the others to the right. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((cells) => (cells[i] ?? '').length)));
  return rows.map((cells) =>
    ` ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  ')}`.trimEnd(),
  );
}
