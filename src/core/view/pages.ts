// SPDX-License-Identifier: MIT
/** What stands on each page below the header. */
import type { Snapshot } from '../aggregate/snapshot.js';
import { formatCount } from '../present/format.js';
import { type Line, seg, wrapLine } from '../present/text.js';
import { causesView } from './causes.js';
import { BOX_COLUMNS, BOX_ROWS } from './frame.js';
import { healthView } from './health.js';
import { above, type Block, panel } from './layout.js';
import type { Figures } from './list.js';
import { focusedList, listBox, rowsOf } from './list-box.js';
import { overviewView } from './overview.js';
import { charted } from './row-chart.js';
import { alertLines } from './rows.js';
import { listState, type ViewId } from './state.js';
import { waitsView } from './waits.js';

export type Page = (figures: Figures, width: number, height: number) => Block;

const OTHERS = [
  ['userfaultfd', 'userfaultfd'],
  ['procfs', '/proc/PID/maps'],
  ['madvise', 'madvise'],
  ['damon', 'DAMON'],
  ['other', 'other'],
] as const;

/** Who else takes VMA locks: they too keep writers waiting. */
function otherUsers({ now }: Figures): Line {
  const words = OTHERS.map(([id, name]) => {
    const count = now.otherUsers[id];
    return `${name} ${count === null ? '?' : formatCount(count)}`;
  });
  const known = OTHERS.some(([id]) => now.otherUsers[id] !== null);
  return known ? [seg(words.join('   '))] : [seg('not observed: none of their functions is hooked', 'dim')];
}

function writersView(figures: Figures, width: number, height: number): Block {
  const { waits, mmapLock } = figures.now;
  const about: Line = [
    seg('mmap_lock for write ', 'dim'),
    seg(mmapLock.known ? `${formatCount(mmapLock.write.acquired)} times` : 'not observed'),
    seg('   waits of writers sent ', 'dim'),
    seg(formatCount(waits.writer.count)),
  ];
  const lists = height - 6;
  const small = Math.max(6, Math.floor(lists / 4));
  const isLow = lists < 24;
  return above(
    ...(isLow
      ? [focusedList(figures, width, lists, ['blockers', 'lockNow', 'writers'])]
      : [
          listBox('blockers', figures, width, lists - 2 * small),
          listBox('lockNow', figures, width, small),
          listBox('writers', figures, width, small),
        ]),
    panel({ title: [seg('mmap_lock', 'strong')] }, [about], width, 3),
    panel({ title: [seg('VMA locks taken by others than faults', 'strong')] }, [otherUsers(figures)], width, 3),
  );
}

function lifecyclesView(figures: Figures, width: number, height: number): Block {
  if (height < 30) {
    const inFlight = height < 24 ? 6 : 8;
    return above(
      listBox('inFlight', figures, width, inFlight),
      focusedList(figures, width, height - inFlight, ['latest', 'slowest']),
    );
  }
  const inFlight = Math.floor(height / 4);
  const each = Math.floor((height - inFlight) / 2);
  return above(
    listBox('inFlight', figures, width, inFlight),
    listBox('latest', figures, width, each),
    listBox('slowest', figures, width, height - inFlight - each),
  );
}

/** The list, and the selected rule in words. */
function alertsView(figures: Figures, width: number, height: number): Block {
  const { state } = figures;
  const rows = rowsOf('alerts', figures);
  const { key, selected } = listState(state, 'alerts');
  const lines = alertLines(figures);
  const at = key === null ? -1 : rows.indexOf(key);
  const chosen = rows.keyAt(at === -1 ? Math.min(selected, rows.count - 1) : at);
  const rule = lines.find((line) => `${line.rule} ${line.group?.key ?? ''}` === chosen);
  const words: Line[] =
    rule === undefined
      ? [[seg('Rules are judged on each snapshot, by the time of the events.', 'dim')]]
      : [[seg(rule.summary)], [seg('fires when ', 'dim'), seg(rule.expression)]];
  if (state.replay !== null) words.push([seg('after a jump: judged from the beginning of the session to here', 'dim')]);
  const about = words.length + 2;
  return above(
    listBox('alerts', figures, width, height - about),
    panel({ title: [seg(rule?.rule ?? 'Rules', 'strong')] }, words, width, about),
  );
}

/** How much of the ordinary swap faults the figures of VMAs stand for: those are traced as a sample. */
function sampleLine({ sampled, counted }: Snapshot['swap']): Line[] {
  if (counted.total === 0) return [];
  return [
    [
      seg('ordinary swap faults ', 'dim'),
      seg(`${formatCount(sampled)} of ${formatCount(sampled + counted.total)} traced`),
      seg(', a sample; the rest are counted', 'dim'),
    ],
  ];
}

/** Is progress made: pages that retry again, pages that come back at once, faults that wait for one folio together. */
function progressLines({ progress, swap }: Snapshot): Line[] {
  const { pagesAgain, mostRetries, again, refaults, herds, largestHerd, folioUnknown } = progress;
  const n = formatCount;
  const sizes = herds
    .map((count, i) => (count === 0 ? '' : `${i === 0 ? '1' : `${2 ** i}–${2 ** (i + 1) - 1}`}: ${n(count)}`))
    .filter((word) => word !== '');
  const herd = sizes.length === 0 ? 'none seen' : `${sizes.join('  ')}  largest ${n(largestHerd)}`;
  return [
    [
      seg('pages that retried again ', 'dim'),
      seg(n(pagesAgain)),
      seg(`, ${n(again)} times, at most ${n(mostRetries)}`, 'dim'),
      seg('   back within 1 s of their swap-in ', 'dim'),
      seg(refaults === null ? '? (--scope swap or all)' : n(refaults)),
    ],
    [
      seg('waiters on one folio ', 'dim'),
      seg(herd),
      seg(folioUnknown === 0 ? '' : `  not known of ${n(folioUnknown)}`, 'dim'),
    ],
    ...sampleLine(swap),
  ];
}

function vmasView(figures: Figures, width: number, height: number): Block {
  const title = [seg('Progress', 'strong')];
  const lines = progressLines(figures.now).flatMap((line) => wrapLine(line, width - BOX_COLUMNS));
  const about = lines.length + BOX_ROWS;
  return above(charted('vmas', figures, width, height - about), panel({ title }, lines, width, about));
}

export const PAGES: Readonly<Record<ViewId, Page>> = {
  overview: overviewView,
  processes: (figures, width, height) => charted('processes', figures, width, height),
  vmas: vmasView,
  causes: causesView,
  waits: waitsView,
  writers: writersView,
  lifecycles: lifecyclesView,
  alerts: alertsView,
  health: healthView,
};
