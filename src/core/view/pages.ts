// SPDX-License-Identifier: MIT
/** What stands on each page below the header. */
import { formatCount } from '../view-format.js';
import { type Line, seg } from '../view-text.js';
import { causesView } from './causes.js';
import { healthView } from './health.js';
import { above, type Block, panel } from './layout.js';
import type { Figures } from './list.js';
import { focusedList, listBox } from './list-box.js';
import { overviewView } from './overview.js';
import type { ViewId } from './state.js';
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
  return above(
    listBox('writers', figures, width, height - 6),
    panel({ title: [seg('mmap_lock', 'strong')] }, [about], width, 3),
    panel({ title: [seg('VMA locks taken by others than faults', 'strong')] }, [otherUsers(figures)], width, 3),
  );
}

function lifecyclesView(figures: Figures, width: number, height: number): Block {
  if (height < 30) {
    const flying = height < 24 ? 6 : 8;
    return above(
      listBox('inFlight', figures, width, flying),
      focusedList(figures, width, height - flying, ['latest', 'slowest']),
    );
  }
  const flying = Math.floor(height / 4);
  const each = Math.floor((height - flying) / 2);
  return above(
    listBox('inFlight', figures, width, flying),
    listBox('latest', figures, width, each),
    listBox('slowest', figures, width, height - flying - each),
  );
}

function alertsView(figures: Figures, width: number, height: number): Block {
  const { replay } = figures.state;
  const explain: Line[] = [
    [seg('Judged on each snapshot. Enter shows a fault that makes it fire, where there is one.', 'dim')],
  ];
  if (replay !== null) explain.push([seg('In a replay n and N go to the next and the last moment marked.', 'dim')]);
  const rows = explain.length + 2;
  return above(
    listBox('alerts', figures, width, height - rows),
    panel({ title: [seg('About', 'strong')] }, explain, width, rows),
  );
}

const alone =
  (list: 'processes' | 'vmas'): Page =>
  (figures, width, height) =>
    listBox(list, figures, width, height);

export const PAGES: Readonly<Record<ViewId, Page>> = {
  overview: overviewView,
  processes: alone('processes'),
  vmas: alone('vmas'),
  causes: causesView,
  waits: waitsView,
  writers: writersView,
  lifecycles: lifecyclesView,
  alerts: alertsView,
  health: healthView,
};
