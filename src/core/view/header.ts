// SPDX-License-Identifier: MIT
/** The three lines on top: where from, how whole, at what cost; and which views there are. */
import type { Snapshot } from '../aggregate/snapshot.js';
import { formatBytes, formatClock, formatCount, formatShare } from '../present/format.js';
import { emittedWords, programShare, selfShare } from '../present/rows.js';
import { fitLine, type Line, lineWidth, type Segment, type Style, sanitise, seg, spread } from '../present/text.js';
import { clickable, type Hit } from './layout.js';
import { type ReplayState, VIEWS, type ViewState } from './state.js';
import { VIEW_TITLES } from './titles.js';

const SOURCES = { live: 'LIVE', replay: 'REPLAY', stream: 'STREAM' } as const;

/** The state of what is looked at, in a word. */
export function statusOf(snapshot: Snapshot | null, state: ViewState): { word: string; style: Style } {
  if (state.replay !== null) return replayStatus(state.replay, snapshot);
  if (state.paused) return { word: '‖ PAUSED', style: 'paused' };
  if (snapshot?.ended === true) return { word: '■ ENDED', style: 'ended' };
  if (state.sourceEnded) return { word: '✂ CUT OFF', style: 'bad' };
  return { word: `▶ ${SOURCES[state.source]}`, style: 'live' };
}

function replayStatus(replay: ReplayState, snapshot: Snapshot | null): { word: string; style: Style } {
  if (replay.reading) return { word: '» READING', style: 'live' };
  if (replay.seeking !== null) return { word: '» SEEKING', style: 'live' };
  if (replay.atEnd)
    return snapshot?.ended === false ? { word: '✂ CUT OFF', style: 'bad' } : { word: '■ END', style: 'ended' };
  return replay.paused ? { word: '‖ PAUSED', style: 'paused' } : { word: '▶ REPLAY', style: 'live' };
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
  if (state.recording !== null) name.push(seg(' '), seg('● REC', 'bad'));
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
    seg(`${emittedWords(events)} emitted  ${formatCount(events.decoded)} decoded`),
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

/** The bar of views. From 100 columns on each name stands apart from its key. */
export function viewBar(state: ViewState, firing: number, top: number): { line: Line; hits: readonly Hit[] } {
  const roomy = state.width >= 100;
  const parts = VIEWS.map((view, i) => {
    const chosen = view === state.view;
    const title = `${roomy ? ' ' : ''}${VIEW_TITLES[view]}`;
    // The count of what fires has room only where there is any; the mark is there always.
    const mark = view === 'alerts' && firing > 0 ? (roomy ? ` ▲${firing}` : '') : '';
    const key = view === 'alerts' && firing > 0 && !roomy ? '▲' : String(i + 1);
    const line: Line = [
      seg(chosen ? '[' : ' ', 'strong'),
      seg(key, key === '▲' ? 'bad' : 'key'),
      seg(title, chosen ? 'strong' : 'plain'),
      seg(mark, 'bad'),
    ];
    return { line, click: { kind: 'view', view } as const };
  });
  const closed = VIEWS.indexOf(state.view);
  // The bracket behind the chosen one takes the place of the blank before the next.
  const next = parts[closed + 1];
  if (next !== undefined) parts[closed + 1] = { ...next, line: [seg(']', 'strong'), ...next.line.slice(1)] };
  const { line, hits } = clickable(parts, top);
  return { line: fitLine(next === undefined ? [...line, seg(']', 'strong')] : line, state.width), hits };
}
