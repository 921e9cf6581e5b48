// SPDX-License-Identifier: MIT
/** The lines below: the time bar of a replay; and which keys, what is typed, or what was just done. */
import { formatClock } from '../present/format.js';
import { cut, fitLine, type Line, lineWidth, pad, type Segment, sanitise, seg, spread } from '../present/text.js';
import type { Hit } from './layout.js';
import type { Marker, Prompt, ReplayState, ViewState } from './state.js';

const PROMPTS: Readonly<Record<Prompt['kind'], string>> = {
  filter: ' filter ',
  search: ' search ',
  goto: ' go to ',
  export: ' export ',
};

const ANSWERS: Readonly<Record<Prompt['kind'], readonly (readonly [key: string, word: string])[]>> = {
  filter: [
    ['Enter', 'keep'],
    ['Esc', 'drop'],
  ],
  search: [
    ['F3', 'next'],
    ['Enter', 'stay there'],
  ],
  goto: [
    ['Enter', 'go'],
    ['Esc', 'stay'],
  ],
  export: [
    ['j', 'JSON'],
    ['c', 'CSV'],
    ['Esc', 'leave it'],
  ],
};

function keyWords(keys: readonly (readonly [key: string, word: string])[]): Segment[] {
  return keys.flatMap(([key, word]) => [seg(` ${key}`, 'key'), seg(` ${word} `)]);
}

function promptLine({ kind, text }: Prompt, width: number): Line {
  const typed = [seg(PROMPTS[kind], 'title'), seg(' '), seg(sanitise(text), 'strong'), seg('▏', 'strong')];
  return fitLine(spread(typed, keyWords(ANSWERS[kind]), width), width);
}

function keysNow(state: ViewState): [string, string][] {
  if (state.helpOpen || state.infoOpen || state.detail !== null) {
    const keys: [string, string][] = [
      ['Esc', 'back'],
      ['↑↓', 'scroll'],
    ];
    if (!state.helpOpen && !state.infoOpen) keys.push(['i', 'words'], ['c', 'copy'], ['x', 'export']);
    return [...keys, ['q', 'quit']];
  }
  const replay: [string, string][] = [
    ['←→', 'seek'],
    ['[]', 'speed'],
    ['.', 'step'],
    ['n', 'marker'],
  ];
  const going = state.replay === null ? state.paused : state.replay.paused;
  return [
    ['q', 'quit'],
    ['?', 'help'],
    ['space', going ? 'resume' : 'pause'],
    ...(state.source === 'replay' ? replay : []),
    ['s', 'sort'],
    ['/', 'filter'],
    ['Enter', 'detail'],
    ['i', 'words'],
    ['t', state.tree ? 'list' : 'tree'],
    ['+-', `${state.intervalMs / 1000} s`],
    ...(state.source === 'replay' ? [] : ([['w', 'record']] as [string, string][])),
    ['x', 'export'],
    ['c', 'copy'],
  ];
}

export function footerLine(state: ViewState): Line {
  const { width, note } = state;
  if (state.prompt !== null) return promptLine(state.prompt, width);
  if (note !== null) return fitLine([seg(` ${sanitise(note.text)}`, note.bad ? 'bad' : 'strong')], width);
  const keys = keysNow(state);
  if (state.filter === '') return fitLine(keyWords(fitting(keys, width)), width);
  // What is hidden matters more than the keys: the filter takes its room first, half of the line at most.
  const filter = [
    seg('filter ', 'dim'),
    seg(` ${cut(sanitise(state.filter), Math.floor(width / 2))} `, 'paused'),
    seg(' '),
  ];
  const room = width - lineWidth(filter);
  return [...fitLine(keyWords(fitting(keys, room)), room), ...filter];
}

/** The first keys there is room for, whole: help names them all. */
function fitting(keys: readonly [string, string][], width: number): readonly [string, string][] {
  let used = 0;
  return keys.filter(([key, word]) => {
    const room = lineWidth(keyWords([[key, word]]));
    const fits = used + room <= width;
    if (fits) used += room;
    return fits;
  });
}

/** The mark on the bar where several fall together is that of the first of these. */
const MARKS: readonly (readonly [Marker['kind'], string])[] = [
  ['damage', '✂'],
  ['violation', '✗'],
  ['alert', '▲'],
  ['loss', '!'],
  ['missed', '·'],
];

function speedWord(speed: number): string {
  return `${Number(speed.toPrecision(2))}×`;
}

/** `00:00:02 ├───●──!──┤ 00:00:07 1×`: where the replay stands, with its markers. */
export function timeBar(replay: ReplayState, width: number, top: number): { line: Line; hits: readonly Hit[] } {
  const { position, duration } = replay;
  const before = ` ${formatClock(position)}${tenths(position)} ├`;
  const after = `┤ ${formatClock(duration)}${tenths(duration)} ${pad(speedWord(replay.speed), 5, 'right')} `;
  const columns = Math.max(1, width - before.length - after.length);
  const columnOf = (time: number): number =>
    Math.max(0, Math.min(columns - 1, Math.floor((time / Math.max(1, duration)) * columns)));
  const cells: Segment[] = Array.from({ length: columns }, () => seg('─', 'dim'));
  const at = columnOf(position);
  for (let i = 0; i < at; i++) cells[i] = seg('━', 'focus');
  for (const [kind, mark] of [...MARKS].reverse()) {
    for (const marker of replay.markers) if (marker.kind === kind) cells[columnOf(marker.time)] = seg(mark, 'bad');
  }
  cells[at] = seg('●', 'strong');
  const line = [seg(before, 'plain'), ...joined(cells), seg(after, 'plain')];
  const hits = Array.from({ length: columns }, (_, i): Hit => {
    const click = { kind: 'seek', time: ((i + 0.5) * duration) / columns } as const;
    return { left: before.length + i, top, width: 1, height: 1, click };
  });
  return { line: fitLine(line, width), hits };
}

function tenths(ns: number): string {
  return `.${Math.floor((Math.max(0, ns) % 1e9) / 1e8)}`;
}

/** Neighbours of one style as one segment. */
function joined(cells: readonly Segment[]): Segment[] {
  const out: Segment[] = [];
  for (const cell of cells) {
    const last = out.at(-1);
    if (last?.style === cell.style) out[out.length - 1] = seg(last.text + cell.text, cell.style);
    else out.push(cell);
  }
  return out;
}
