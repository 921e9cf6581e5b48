// SPDX-License-Identifier: MIT
/** The Overview: how the faults ended, now and over time, why the VMA lock did not do, what was waited for, and who. */

import type { Outcome } from '../aggregate/timeline.js';
import { outcomeFields } from '../present/fields/outcome.js';
import { waitLineFields } from '../present/fields/wait.js';
import { formatCount, formatRate, formatShare } from '../present/format.js';
import { outcomeRows, perSecond } from '../present/rows.js';
import { bar, type Line, pad, type Segment, type Style, sanitise, seg } from '../present/text.js';
import { BOX_COLUMNS, BOX_ROWS, fitFields, table } from './frame.js';
import { above, type Block, beside, panel } from './layout.js';

import type { Figures } from './list.js';
import { focusedList, listBox } from './list-box.js';
import { rateChart } from './rate-chart.js';
import { causeLines, waitLines } from './rows.js';

/** Three panels beside each other from here on, and two lists. */
const WIDE = 120;
/** Room a bar needs to say anything. */
const LEAST_BAR = 3;
/** The longest name of a cause. */
const CAUSE = 26;

function withBar(cells: readonly string[], share: number, style: Style, inner: number): Line {
  const text = cells.join('');
  const room = inner - text.length - 1;
  const line: Segment[] = [seg(cells[0] ?? '', style), seg(cells.slice(1).join(''))];
  if (room >= LEAST_BAR) line.push(seg(' '), seg(bar(share, room), style));
  return line;
}

function outcomePanel({ now, before }: Figures, width: number, height: number): Block {
  const inner = width - BOX_COLUMNS;
  const body = outcomeRows(now, before).map((row) => {
    const cells = outcomeFields.map((f) => pad(f.format(f.get(row)), f.width, f.align));
    return withBar(cells, row.share, row.count === 0 ? 'dim' : row.style, inner);
  });
  const rate = perSecond(now, before, (s) => s.counts.faults);
  const info: Segment[] = [seg(formatCount(now.counts.faults), 'strong')];
  if (!Number.isNaN(rate)) info.push(seg(`  ${formatRate(rate)}`));
  return panel({ title: [seg('Faults', 'strong')], info }, body, width, height);
}

/** The causes there were, most frequent first; the last line says how many more there are. */
function causePanel(figures: Figures, width: number, height: number): Block {
  const { now } = figures;
  const inner = width - BOX_COLUMNS;
  const seen = causeLines(figures).filter((line) => line.count > 0);
  const room = height - BOX_ROWS;
  const shown = seen.length > room ? seen.slice(0, room - 1) : seen;
  const body = shown.map((line): Line => {
    const cells = [pad(line.cause, CAUSE), pad(formatCount(line.count), 6, 'right')];
    if (inner >= CAUSE + 14) cells.push(pad(formatShare(line.share), 7, 'right'));
    const style = line.cause === 'unknown' ? 'bad' : line.result === 'ABORT' ? 'abort' : 'retry';
    return withBar(cells, line.share, style, inner);
  });
  const rest = seen.slice(shown.length);
  if (rest.length > 0) {
    const count = rest.reduce((sum, line) => sum + line.count, 0);
    body.push([seg(`${pad(`${rest.length} more causes`, CAUSE)}${pad(formatCount(count), 6, 'right')}`, 'dim')]);
  }
  if (seen.length === 0) body.push([seg('no attempt has failed yet', 'dim')]);
  // Where the unknown ones returned from, as far as there is room.
  for (const [name, count] of Object.entries(now.retry.unknownBy).sort((a, b) => b[1] - a[1])) {
    const [place, times] = [sanitise(name || 'handle_mm_fault'), formatCount(count)];
    // Long names take the room of the column rather than be cut off.
    const isLong = place.length > CAUSE - 5;
    body.push([seg(isLong ? `  ${place} ${times}` : `  in ${pad(place, CAUSE - 5)}${pad(times, 6, 'right')}`, 'dim')]);
  }
  const { avoidable, notAvoidable } = now.retry;
  const judged = avoidable + notAvoidable;
  const info: Line = judged > 0 ? [seg('avoidable ', 'dim'), seg(formatShare(avoidable / judged), 'strong')] : [];
  return panel({ title: [seg('Causes', 'strong')], info }, body, width, height);
}

function waitPanel({ now }: Figures, width: number, height: number): Block {
  const inner = width - BOX_COLUMNS;
  const room = height - BOX_ROWS - 1;
  const rows = waitLines(now).slice(0, room);
  // No row can be selected here, so a name that was cut off could be read nowhere.
  const longest = Math.max(...rows.map(({ title }) => title.length));
  const fields = waitLineFields.map((field) => (field.id === 'wait' ? { ...field, width: longest } : field));
  const { lines } = table(rows, {
    fields: fitFields(fields, ['wait', 'count', 'p99', 'p50', 'max', 'sum'], inner),
    width: inner,
    empty: 'no wait yet',
    style: (row) => (row.stats.count === 0 ? 'dim' : 'plain'),
  });
  return panel({ title: [seg('Waits', 'strong')] }, lines, width, height);
}

const SERIES: readonly (readonly [title: string, style: Style, outcomes: readonly Outcome[]])[] = [
  ['RETRY', 'retry', ['retry']],
  ['success', 'good', ['success', 'completed']],
  ['ABORT', 'abort', ['abort']],
  ['kernel-mode', 'kernel', ['kernelMode']],
];

/** Rates over time, a box for each outcome: distinguished by its title, not by a colour. */
function chartRow({ now, state }: Figures, width: number, height: number): Block {
  const timeline = now.timeline[state.axis];
  const count = Math.max(2, Math.min(SERIES.length, Math.floor(width / 40)));
  let left = 0;
  return beside(
    ...SERIES.slice(0, count).map(([title, style, outcomes], i) => {
      const right = Math.floor((width * (i + 1)) / count);
      const of = (slice: number): number =>
        outcomes.reduce((sum, outcome) => sum + (timeline.outcomes[outcome][slice] ?? 0), 0);
      const one = rateChart({ title: `${title}/s`, style, timeline, of }, right - left, height);
      left = right;
      return one;
    }),
  );
}

export function overviewView(figures: Figures, width: number, height: number): Block {
  if (width < WIDE) {
    const left = Math.max(42, Math.ceil(width / 2));
    const top = beside(outcomePanel(figures, left, 8), causePanel(figures, width - left, 8));
    const chart = height >= 34 ? 9 : 6;
    const waits = height >= 26 ? [waitPanel(figures, width, 7)] : [];
    const used = 8 + chart + (waits.length > 0 ? 7 : 0);
    return above(top, chartRow(figures, width, chart), ...waits, focusedList(figures, width, height - used));
  }
  const rows = height >= 36 ? 10 : 8;
  const wait = 43 + Math.min(14, Math.floor((width - WIDE) / 4));
  const outcome = 41 + Math.floor((width - 77 - wait) / 6);
  const top = beside(
    outcomePanel(figures, outcome, rows),
    causePanel(figures, width - outcome - wait, rows),
    waitPanel(figures, wait, rows),
  );
  const chart = height >= 36 ? 11 : 8;
  const rest = height - rows - chart;
  const lists =
    width >= 150
      ? beside(
          listBox('processes', figures, Math.ceil(width / 2), rest),
          listBox('inFlight', figures, Math.floor(width / 2), rest),
        )
      : focusedList(figures, width, rest);
  return above(top, chartRow(figures, width, chart), lists);
}
