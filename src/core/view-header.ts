// SPDX-License-Identifier: MIT
/** The two lines on top and the one below: where from, how whole, at what cost; and which keys. */
import type { Snapshot } from './snapshot.js';
import { formatBytes, formatClock, formatCount, formatShare } from './view-format.js';
import { programShare, selfShare } from './view-rows.js';
import type { ViewState } from './view-state.js';
import { fitLine, type Line, type Segment, type Style, sanitise, seg, spread } from './view-text.js';

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
  const who = [
    seg(`  ${sanitise(session.host)}`, 'strong'),
    seg(`  ${sanitise(session.kernel)}`),
    ...pair('scope', session.scope),
    ...pair('release', session.release),
  ];
  const clock = [seg(formatClock(snapshot.durationNs), 'strong'), seg(' ')];
  const { events, overhead } = snapshot;
  const kept: Segment[] = [
    seg(' events', 'dim'),
    seg(` ${formatCount(events.emitted)} emitted`),
    seg(`  ${formatCount(events.decoded)} decoded`),
    ...loss('dropped', events.dropped),
    ...loss('missed', events.missed),
  ];
  if (events.stateLost > 0) kept.push(...loss('not tracked', events.stateLost));
  const programs = programShare(snapshot);
  const cost: Segment[] = [
    seg('cost', 'dim'),
    seg(` ${Number.isNaN(programs) ? '?' : formatShare(programs)} BPF`),
    seg(` + ${formatShare(selfShare(snapshot, previous))} own CPU`),
  ];
  if (width >= 110) cost.push(...pair('memory', formatBytes(overhead.selfRssBytes)));
  if (width >= 130) cost.push(...pair('ring', formatShare(snapshot.ringUsedBytes / (session.ringBytes || Number.NaN))));
  cost.push(seg(' '));
  return [
    fitLine(spread(fitLine([...name, ...who], width - 10), clock, width), width),
    fitLine(spread(kept, cost, width), width),
  ];
}

export function footerLine(state: ViewState): Line {
  const { width } = state;
  if (state.filterEditing) {
    const typed = [seg(' filter ', 'title'), seg(' '), seg(sanitise(state.filter), 'strong'), seg('▏', 'strong')];
    return fitLine(spread(typed, [seg('Enter', 'key'), seg(' keep '), seg('Esc', 'key'), seg(' drop ')], width), width);
  }
  const seconds = `${state.intervalMs / 1000} s`;
  const keys: [string, string][] = state.helpOpen || state.detail !== null
    ? [['Esc', 'back'], ['↑↓', 'scroll'], ['q', 'quit']]
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
  const filter = state.filter === '' ? [] : [seg('filter ', 'dim'), seg(`${sanitise(state.filter)} `, 'paused')];
  return fitLine(spread(line, filter, width), width);
}
