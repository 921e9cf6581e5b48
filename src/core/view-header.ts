// SPDX-License-Identifier: MIT
/** The two lines on top and the one below: where from, how whole, at what cost; and which keys. */
import type { Snapshot } from './snapshot.js';
import { formatBytes, formatClock, formatCount, formatShare } from './view-format.js';
import { programShare, selfShare } from './view-rows.js';
import type { ViewState } from './view-state.js';
import { cut, fitLine, type Line, lineWidth, type Segment, type Style, sanitise, seg, spread } from './view-text.js';

const SOURCES = { live: 'LIVE', replay: 'REPLAY', stream: 'STREAM' } as const;

/** The state of what is looked at, in a word. */
export function statusOf(snapshot: Snapshot | null, state: ViewState): { word: string; style: Style } {
  if (state.paused) return { word: '‖ PAUSED', style: 'paused' };
  if (snapshot?.ended === true) return { word: '■ ENDED', style: 'ended' };
  if (state.sourceEnded) return { word: '✂ CUT OFF', style: 'bad' };
  return { word: `▶ ${SOURCES[state.source]}`, style: 'live' };
}

function pair(name: string, value: string, style: Style = 'plain'): Segment[] {
  return [seg(`  ${name} `, 'dim'), seg(value, style)];
}

/** The parts that fit in `width`, least rank first, shown in their own order. */
function fitParts(parts: readonly (readonly [number, Line])[], width: number): Line {
  const shown = new Set<Line>();
  let left = width;
  for (const [, part] of [...parts].sort((a, b) => a[0] - b[0])) {
    if (lineWidth(part) > left) continue;
    shown.add(part);
    left -= lineWidth(part);
  }
  return parts.flatMap(([, part]) => (shown.has(part) ? part : []));
}

/** A loss is a number with its name and its own style; none is plain. */
function loss(name: string, value: number): Segment[] {
  return [seg('  '), seg(`${formatCount(value)} ${name}`, value > 0 ? 'bad' : 'dim')];
}

export function headerLines(snapshot: Snapshot | null, previous: Snapshot | null, state: ViewState): Line[] {
  const { width } = state;
  const status = statusOf(snapshot, state);
  const name: Segment[] = [seg(' vmalocktop ', 'title'), seg(' '), seg(status.word, status.style)];
  if (snapshot === null) return [fitLine(name, width), fitLine([seg(' waiting for the first figures', 'dim')], width)];
  const { session } = snapshot;
  const who = fitParts(
    [
      [3, [seg(`  ${sanitise(session.host)}`, 'strong')]],
      [1, [seg(`  ${sanitise(session.kernel)}`)]],
      [2, pair('scope', session.scope)],
      [0, pair('release', session.release)],
    ],
    width - 10 - lineWidth(name),
  );
  const clock = [seg(formatClock(snapshot.durationNs), 'strong'), seg(' ')];
  const { events, overhead } = snapshot;
  const roomy = width >= 100;
  const kept: Segment[] = [
    seg(roomy ? ' events ' : ' ', 'dim'),
    seg(`${formatCount(events.emitted)} emitted  ${formatCount(events.decoded)} decoded`),
    ...loss('dropped', events.dropped),
    ...loss('missed', events.missed),
  ];
  if (roomy) kept.push(...loss('incomplete', snapshot.lifecycles.incomplete));
  if (roomy && events.stateLost > 0) kept.push(...loss('not tracked', events.stateLost));
  const programs = programShare(snapshot);
  const cost: Segment[] = [
    seg('cost', 'dim'),
    seg(
      ` ${Number.isNaN(programs) ? '?' : formatShare(programs)} BPF + ${formatShare(selfShare(snapshot, previous))} CPU`,
    ),
  ];
  if (width >= 130) cost.push(...pair('memory', formatBytes(overhead.selfRssBytes)));
  if (width >= 140) cost.push(...pair('ring', formatShare(snapshot.ringUsedBytes / (session.ringBytes || Number.NaN))));
  cost.push(seg(' '));
  return [fitLine(spread([...name, ...who], clock, width), width), fitLine(spread(kept, cost, width), width)];
}

export function footerLine(state: ViewState): Line {
  const { width } = state;
  if (state.filterEditing) {
    const typed = [seg(' filter ', 'title'), seg(' '), seg(sanitise(state.filter), 'strong'), seg('▏', 'strong')];
    return fitLine(spread(typed, [seg('Enter', 'key'), seg(' keep '), seg('Esc', 'key'), seg(' drop ')], width), width);
  }
  const seconds = `${state.intervalMs / 1000} s`;
  const keys: [string, string][] =
    state.helpOpen || state.detail !== null
      ? [
          ['Esc', 'back'],
          ['↑↓', 'scroll'],
          ['q', 'quit'],
        ]
      : [
          ['q', 'quit'],
          ['?', 'help'],
          ['space', state.paused ? 'go on' : 'pause'],
          ['Tab', 'table'],
          ['s', 'sort'],
          ['/', 'filter'],
          ['Enter', 'detail'],
          ['+-', seconds],
        ];
  const line: Segment[] = keys.flatMap(([key, word]) => [seg(` ${key}`, 'key'), seg(` ${word} `)]);
  if (state.filter === '') return fitLine(line, width);
  // What is hidden matters more than the keys: the filter takes its room first, half of the line at most.
  const filter = [
    seg('filter ', 'dim'),
    seg(` ${cut(sanitise(state.filter), Math.floor(width / 2))} `, 'paused'),
    seg(' '),
  ];
  return [...fitLine(line, width - lineWidth(filter)), ...filter];
}
