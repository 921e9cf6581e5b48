// SPDX-License-Identifier: MIT
/** The Causes view: why attempts failed, at what cost; and what would have been, had the VMA lock been kept. */

import type { CounterfactualRow } from '../aggregate/snapshot-rows.js';
import { formatCount, formatDuration, formatShare } from '../present/format.js';
import { bar, type Line, pad, sanitise, seg } from '../present/text.js';
import { VERDICT_STYLES } from '../present/words.js';
import { VERDICTS } from '../vocabulary/verdicts.js';
import { BOX_COLUMNS } from './frame.js';
import { above, type Block, beside, panel } from './layout.js';
import type { Figures } from './list.js';
import { listBox, rowsOf } from './list-box.js';
import { rowChart } from './row-chart.js';
import { listState } from './state.js';

function verdictPanel({ now }: Figures, width: number, height: number): Block {
  const { all } = now.counterfactual;
  const inner = width - BOX_COLUMNS;
  const body = VERDICTS.map((verdict): Line => {
    const count = all.verdicts[verdict];
    const share = count / (all.retries || Number.NaN);
    const style = count === 0 ? 'dim' : VERDICT_STYLES[verdict];
    const line = [
      seg(pad(verdict, 13), style),
      seg(pad(formatCount(count), 6, 'right')),
      seg(pad(formatShare(share), 8, 'right')),
    ];
    const room = inner - 13 - 6 - 8 - 1;
    return room >= 3 ? [...line, seg(' '), seg(bar(share, room), style)] : line;
  });
  const info = [seg(formatCount(all.retries), 'strong'), seg(' retries', 'dim')];
  return panel({ title: [seg('At the fallback the VMA was', 'strong')], info }, body, width, height);
}

/** What the retry cost, against what keeping the lock would have cost the writers: in words. */
function balanceLines({
  retries,
  verdicts,
  avoidableQuiet,
  avoidableBusy,
  savedNs,
  stall,
  unknownWhy,
}: CounterfactualRow): Line[] {
  if (retries === 0) return [[seg('no retry yet', 'dim')]];
  const n = formatCount;
  const known = retries - verdicts.unknown;
  const lines: Line[] =
    known === 0
      ? [[seg('not known: no retry could be judged')]]
      : [
          [seg('avoidable, no writer  ', 'dim'), seg(pad(n(avoidableQuiet), 7, 'right'))],
          [seg('avoidable, writers    ', 'dim'), seg(pad(n(avoidableBusy), 7, 'right'))],
          [seg('would save  ', 'dim'), seg(savedNs === null ? '?' : formatDuration(savedNs), 'strong')],
          [seg('would stall ', 'dim'), ...stallWords(stall)],
        ];
  const why = Object.entries(unknownWhy).sort((a, b) => b[1] - a[1]);
  for (const [word, count] of why) lines.push([seg(`? ${n(count)} ${word}`, 'dim')]);
  return lines;
}

function stallWords({ basis, exactNs, boundNs, writers }: CounterfactualRow['stall']): Line {
  if (basis === 'none') return [seg('? no writer observed', 'dim')];
  const long = basis === 'exact' ? formatDuration(exactNs) : `≤ ${formatDuration(boundNs)}`;
  return [seg(long, 'strong'), seg(` in ${formatCount(writers)} hold${writers === 1 ? '' : 's'}`, 'dim')];
}

/** The stacks that the selected cause came from most, innermost frame first; each frame on a line of its own. */
function stackPanel(figures: Figures, width: number, height: number): Block {
  const { now, state } = figures;
  const rows = rowsOf('causes', figures);
  const { key, selected } = listState(state, 'causes');
  const cause = key ?? rows.keyAt(selected);
  const found = now.causeStacks.filter((row) => row.cause === cause);
  const body: Line[] = [];
  for (const { count, kernel, user } of found) {
    body.push([seg(`${formatCount(count)} ×`, 'strong')]);
    for (const [id, what] of [
      [kernel, 'kernel'],
      [user, 'user'],
    ] as const) {
      const frames = id === -1 ? undefined : now.stacks[String(id)];
      for (const frame of frames ?? []) body.push([seg(`  ${pad(what, 7)}`, 'dim'), seg(sanitise(frame))]);
    }
  }
  if (found.length === 0) {
    const none =
      now.causeStacks.length === 0 ? 'no stacks were taken (--stacks kernel,user)' : 'no stack of this cause';
    body.push([seg(none, 'dim')]);
  }
  return panel({ title: [seg(`Where ${cause ?? 'it'} came from`, 'strong')] }, body, width, height);
}

/** From here on there is room for stacks below the list. */
const TALL = 38;

export function causesView(figures: Figures, width: number, height: number): Block {
  const lower = height >= 30 ? 10 : 8;
  const stacks = height >= TALL ? 10 : 0;
  const left = Math.floor(width / 2);
  const balance = panel(
    { title: [seg('Had it tried the VMA lock again', 'strong')] },
    balanceLines(figures.now.counterfactual.all),
    width - left,
    lower,
  );
  return above(
    listBox('causes', figures, width, height - lower - stacks),
    ...(stacks > 0
      ? [beside(stackPanel(figures, left, stacks), rowChart('causes', figures, width - left, stacks))]
      : []),
    beside(verdictPanel(figures, left, lower), balance),
  );
}
