// SPDX-License-Identifier: MIT
/** A diff as text: what differs first, then everything, then how it was found. Pure. */

import { blocksOf, type CleanText } from '../present/clean.js';
import { formatCount, formatDuration, formatExact, formatRate } from '../present/format.js';
import { cut, pad, sanitise } from '../present/text.js';
import type { Diff, DiffRow, DiffSide, SideValue } from './compare.js';
import type { Group } from './figures.js';

const TITLE = 36;
const VALUE = 24;

const GROUPS: readonly (readonly [group: Group, title: string])[] = [
  ['outcome', 'outcomes'],
  ['cause', 'causes of retries and aborts'],
  ['verdict', 'of the retries: avoidable or not'],
  ['wait', 'waits'],
  ['percentile', 'length of waits'],
  ['process', 'by process'],
];

/** `12.3%` of faults down to `1 in 1.2M`. */
function formatPerFault(perFault: number): string {
  if (perFault === 0) return '0';
  if (perFault >= 0.001) return `${(perFault * 100).toPrecision(3)}%`;
  return `1 in ${formatExact(Math.round(1 / perFault))}`;
}

export function formatSide(row: DiffRow, value: SideValue | null): string {
  if (value === null) return 'not observed';
  if (row.unit === 'percentile') return formatDuration(value.value);
  const { perFault, perSecond } = value;
  if (perFault === null) return row.unit === 'ns' ? formatDuration(value.value) : formatExact(value.value);
  if (row.unit === 'ns') return `${formatDuration(perFault)}/fault`;
  return `${formatPerFault(perFault)}${perSecond === null ? '' : `  ${formatRate(perSecond)}`}`;
}

/** `+12%`, `×3.4`, `×2.6k`, `-50%`; `new`, `gone`. */
export function formatChange(change: number | null): string {
  if (change === null) return '';
  if (change === Number.POSITIVE_INFINITY) return 'new';
  if (change === -1) return 'gone';
  if (change >= 1) return `×${formatCount(change + 1)}`;
  const percent = Math.round(change * 1000) / 10;
  return `${percent > 0 ? '+' : ''}${percent}%`;
}

export function formatP(p: number | null): string {
  if (p === null) return 'not tested';
  return p < 0.001 ? 'p < 0.001' : `p = ${p.toFixed(3)}`;
}

function line(row: DiffRow): string {
  const mark = row.verdict === 'differs' ? '*' : ' ';
  const cells = [
    pad(cut(sanitise(row.title), TITLE), TITLE),
    pad(formatSide(row, row.a), VALUE, 'right'),
    pad(formatSide(row, row.b), VALUE, 'right'),
    pad(formatChange(row.change), 9, 'right'),
  ];
  return ` ${mark} ${cells.join(' ')}  ${row.verdict === 'differs' ? formatP(row.p) : ''}`.trimEnd();
}

function head(
  name: string,
  file: string,
  { session, runs, durationNs, faults, events, lifecycles }: DiffSide,
): string[] {
  const seconds = durationNs / 1e9;
  const more = runs === 1 ? '' : ` and ${runs - 1} more runs`;
  return [
    ` ${name}  ${sanitise(file)}${more}: ${sanitise(session.host)}, Linux ${sanitise(session.kernel)}, scope ${session.scope}, ${formatDuration(durationNs)}`,
    `    ${formatExact(faults)} faults (${formatRate(seconds > 0 ? faults / seconds : Number.NaN)}), ${formatExact(events.dropped)} events dropped, ` +
      `${formatExact(events.missed)} runs missed, ${formatExact(lifecycles.incomplete)} of ${formatExact(lifecycles.total)} lifecycles incomplete`,
  ];
}

/** `6 time slices of each recording`, `5 runs a side`. */
export function overWhat({ unit, slices }: Diff['method']): string {
  return unit === 'run' ? `${slices} runs a side` : `${slices} time slices of each recording`;
}

/** What two recordings cannot show, where something differs between them; '' where that has no bearing. */
export function beyondNoise({ findings, method }: Diff): string {
  if (findings.length === 0 || method.unit === 'run') return '';
  return 'Two runs of one workload may differ by more than their slices show: compare five a side (diff A B --a … --b …).';
}

function verdict({ findings, method }: Diff): string[] {
  if (method.notTested !== '') return [` Not tested: ${method.notTested}.`];
  const how = `${method.figures} figures tested together over ${overWhat(method)}`;
  if (findings.length === 0) return [` Nothing differs by more than noise (${how}).`];
  return [` What differs, most costly first (${how}):`, ...findings.map(line)];
}

export function diffText(diff: Diff, files: readonly [string, string]): CleanText {
  const blocks: string[][] = [
    [...head('A', files[0], diff.a), ...head('B', files[1], diff.b)],
    diff.warnings.map((warning) => ` WARNING: ${sanitise(warning)}`),
    verdict(diff),
  ];
  const columns = ` ${' '.repeat(2)}${pad('', TITLE)} ${pad('A', VALUE, 'right')} ${pad('B', VALUE, 'right')} ${pad('change', 9, 'right')}`;
  for (const [group, title] of GROUPS) {
    const rows = diff.rows.filter((it) => it.group === group);
    if (rows.length > 0) blocks.push([` ${title}${columns.slice(title.length + 1)}`, ...rows.map(line)]);
  }
  const notes = [
    'Shares are per fault, rates per second of recording. * differs by more than noise.',
    beyondNoise(diff),
  ];
  blocks.push(notes.filter((note) => note !== '').map((note) => ` ${note}`));
  return blocksOf(blocks);
}
