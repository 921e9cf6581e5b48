// SPDX-License-Identifier: MIT
/** The panels above the tables: how the faults ended, why the VMA lock did not do, what the waits cost. */
import { causeFields, outcomeFields, waitFields } from './fields.js';
import type { Snapshot } from './snapshot.js';
import { formatCount, formatRate, formatShare } from './view-format.js';
import { BOX_COLUMNS, type BoxOptions, box, fitFields, table } from './view-frame.js';
import { type CauseRow, causeRows, outcomeRows, perSecond, waitRows } from './view-rows.js';
import { bar, type Line, pad, type Segment, type Style, sanitise, seg } from './view-text.js';

function panel(title: string, info: Line, body: readonly Line[], width: number, height: number): Line[] {
  const options: BoxOptions = { title: [seg(title, 'strong')], info };
  return box(options, body, width, height);
}

/** Room a bar needs to say anything. */
const LEAST_BAR = 3;

function withBar(cells: readonly string[], share: number, style: Style, inner: number): Line {
  const text = cells.join('');
  const room = inner - text.length - 1;
  const line: Segment[] = [seg(cells[0] ?? '', style), seg(cells.slice(1).join(''))];
  if (room >= LEAST_BAR) line.push(seg(' '), seg(bar(share, room), style));
  return line;
}

export function outcomePanel(now: Snapshot | null, before: Snapshot | null, width: number, height: number): Line[] {
  if (now === null) return panel('Faults', [], [[seg('no figures yet', 'dim')]], width, height);
  const inner = width - BOX_COLUMNS;
  const body = outcomeRows(now, before).map((row) => {
    const cells = outcomeFields.map((f) => pad(f.format(f.get(row)), f.width, f.align));
    return withBar(cells, row.share, row.count === 0 ? 'dim' : row.style, inner);
  });
  const rate = perSecond(now, before, (s) => s.counts.faults);
  const info: Segment[] = [seg(formatCount(now.counts.faults), 'strong')];
  if (!Number.isNaN(rate)) info.push(seg(`  ${formatRate(rate)}`));
  return panel('Faults', info, body, width, height);
}

function causeLine(row: CauseRow, rates: boolean, inner: number): Line {
  const fields = causeFields.filter((f) => rates || f.id !== 'rate');
  const cells = fields.map((f) => pad(f.format(f.get(row)), f.width, f.align));
  const style: Style = row.count === 0 ? 'dim' : row.cause === 'VMA lock unavailable' ? 'abort' : 'retry';
  return withBar(cells, row.share, row.count > 0 && row.cause === 'unknown' ? 'bad' : style, inner);
}

export function causePanel(now: Snapshot | null, before: Snapshot | null, width: number, height: number): Line[] {
  const title = 'Causes';
  if (now === null) return panel(title, [], [[seg('no figures yet', 'dim')]], width, height);
  const inner = width - BOX_COLUMNS;
  const rows = causeRows(now, before);
  const body: Line[] = rows.map((row) => causeLine(row, inner >= 44, inner));
  // Where the unknown ones returned from, as far as there is room.
  for (const [name, count] of rows.flatMap((row) => row.innermost)) {
    body.push([
      seg(`  in ${pad(sanitise(name || 'handle_mm_fault'), 15)}`, 'dim'),
      seg(pad(formatCount(count), 6, 'right'), 'dim'),
    ]);
  }
  const { avoidable, notAvoidable } = now.retry;
  const judged = avoidable + notAvoidable;
  const info = judged > 0 ? [seg('avoidable ', 'dim'), seg(formatShare(avoidable / judged), 'strong')] : [];
  return panel(title, info, body, width, height);
}

export function waitPanel(now: Snapshot | null, width: number, height: number): Line[] {
  const inner = width - BOX_COLUMNS;
  const fields = fitFields(waitFields, ['wait', 'count', 'p50', 'p99', 'max', 'sum'], inner);
  const body = table(now === null ? [] : waitRows(now), {
    fields,
    width: inner,
    empty: 'no figures yet',
    style: (row) => (row.stats.count === 0 ? 'dim' : 'plain'),
  });
  if (now !== null && height >= 8) body.push([], ...swapLines(now));
  return panel('Waits', [], body, width, height);
}

/** What backed the swap faults: a synchronous device (zram) waits with the lock, others drop it to wait. */
function swapLines(now: Snapshot): Line[] {
  const { swap } = now;
  const { calls, retry, locked } = swap.lockOrRetry;
  const n = formatCount;
  return [
    [
      seg('swap-in ', 'dim'),
      seg(n(swap.faults)),
      seg(`: ${n(swap.synchronous)} sync, ${n(swap.asynchronous)} async`, 'dim'),
    ],
    [seg('folio lock ', 'dim'), seg(n(calls)), seg(`: ${n(retry)} retry, ${n(locked)} ok`, 'dim')],
  ];
}
