// SPDX-License-Identifier: MIT
/** Figures of benchmarks as words, and their tables. */

export type Row = readonly [what: string, figure: string];

export const percent = (share: number): string => `${(share * 100).toFixed(1)}%`;
export const mib = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;
export const ms = (value: number): string => `${value.toFixed(1)} ms`;
export const million = (perSecond: number): string => `${(perSecond / 1e6).toFixed(2)} M events/s`;
export const count = (value: number): string => Math.round(value).toLocaleString('en').replaceAll(',', ' ');

/** A row that says how much of what was measured is the machine's: a share of the time, null for not known. */
export const waitedRow = (share: number | null): Row => [
  'without a core meanwhile, though ready to run',
  share === null ? '–' : `${percent(share)} of the time`,
];

/** `figures`: what each column of figures is of. */
export function table(
  rows: readonly (readonly string[])[],
  head = 'Stage',
  figures: readonly string[] = ['Figure'],
): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line([head, ...figures]), `|---|${figures.map(() => '---|').join('')}`, ...rows.map(line)].join('\n');
}
