// SPDX-License-Identifier: MIT
/** What differs from an earlier recording, as a section of the report. */
import type { Diff, DiffRow, SideValue } from '../core/diff/compare.js';
import { beyondNoise, formatChange, formatP, formatSide, overWhat } from '../core/diff/text.js';
import { type Html, html, section, type TableColumn, table } from './html.js';

/** The text sets share and rate apart by columns; a cell has none. */
const side = (row: DiffRow, value: SideValue | null): string => formatSide(row, value).replace('  ', ', ');

const COLUMNS: readonly TableColumn<DiffRow>[] = [
  { title: 'figure', get: ({ title }) => title },
  { title: 'before', figure: true, get: (row) => side(row, row.a) },
  { title: 'now', figure: true, get: (row) => side(row, row.b) },
  { title: 'change', figure: true, get: ({ change }) => formatChange(change) },
  {
    title: 'more than noise',
    get: ({ verdict, p }) => (verdict === 'differs' ? `yes, ${formatP(p)}` : verdict === 'noise' ? 'no' : 'not tested'),
  },
];

/** `name`: what the earlier recording is called. */
export function diffSection(diff: Diff, name: string): Html {
  const { findings, rows, warnings, method } = diff;
  const said =
    method.notTested !== ''
      ? `Not tested: ${method.notTested}.`
      : findings.length === 0
        ? `Nothing differs by more than noise: ${method.figures} figures were tested together over ${overWhat(method)}.`
        : `${findings.length} of ${method.figures} figures differ by more than noise, first of all “${findings[0]?.title}”.`;
  return section(
    'against',
    `Against ${name}`,
    html`<p>Before: ${diff.a.session.host}, Linux ${diff.a.session.kernel}. Now: ${diff.b.session.host}, Linux ${diff.b.session.kernel}.</p>`,
    warnings.length === 0
      ? null
      : html`<div class="warn"><p>Hard to compare (A is the earlier recording, B this one):</p><ul>${warnings.map((warning) => html`<li>${warning}</li>`)}</ul></div>`,
    html`<p>${said} ${beyondNoise(diff)}</p>`,
    findings.length === 0 ? null : table('What differs, most costly first', findings, COLUMNS),
    html`<details><summary>Every figure</summary>${table('Shares and times are per fault, rates per second', rows, COLUMNS)}</details>`,
  );
}
