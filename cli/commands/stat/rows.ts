// SPDX-License-Identifier: MIT
/** Lines of the summary of `stat`: a figure in front, then what it counts, then a note. Pure. */
import type { WaitStats } from '../../../src/core/aggregate/snapshot-rows.js';
import { formatDuration, formatExact, formatShare } from '../../../src/core/present/format.js';

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

/** Columns as wide as their widest cell; the first to the left, the others to the right. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((cells) => (cells[i] ?? '').length)));
  return rows.map((cells) =>
    ` ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  ')}`.trimEnd(),
  );
}
