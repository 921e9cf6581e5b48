// SPDX-License-Identifier: MIT
/** The keys, once: the dashboard binds exactly this table and the help shows exactly this table. */
import type { ViewState } from './state.js';

export type Action =
  | 'quit'
  | 'suspend'
  | 'help'
  | 'pause'
  | 'sortNext'
  | 'sortPrevious'
  | 'sortReverse'
  | 'filter'
  | 'search'
  | 'info'
  | 'tree'
  | 'up'
  | 'down'
  | 'pageUp'
  | 'pageDown'
  | 'home'
  | 'end'
  | 'view'
  | 'viewNext'
  | 'viewPrevious'
  | 'listNext'
  | 'axis'
  | 'slower'
  | 'faster'
  | 'detail'
  | 'back'
  | 'copy'
  | 'record'
  | 'export'
  | 'seekBack'
  | 'seekForward'
  | 'speedDown'
  | 'speedUp'
  | 'step'
  | 'goTo'
  | 'markerNext'
  | 'markerPrevious';

export interface KeyBinding {
  readonly action: Action;
  /** Names as blessed's key decoder gives them. */
  readonly keys: readonly string[];
  readonly label: string;
  /** Bindings next to each other with the same help share a row of it. */
  readonly help: string;
  /** Where it works; everywhere by default. */
  readonly only?: 'replay' | 'source';
}

const SORT = 'sort by the next column, by the one before';
const PAGES = 'the next view, the one before';
const SPEED = 'play slower, faster: 0.1× to 100×';
const MARKER = 'next, last marker: alert, violation, loss';

export const KEYS: readonly KeyBinding[] = [
  { action: 'view', keys: ['1', '2', '3', '4', '5', '6', '7', '8', '9'], label: '1…9', help: 'a view, as in the bar' },
  { action: 'viewNext', keys: ['tab'], label: 'Tab', help: PAGES },
  { action: 'viewPrevious', keys: ['S-tab'], label: 'Shift-Tab', help: PAGES },
  { action: 'listNext', keys: ['l'], label: 'l', help: 'the next list of this view' },
  { action: 'up', keys: ['up', 'k'], label: '↑ k', help: 'select a row' },
  { action: 'down', keys: ['down', 'j'], label: '↓ j', help: 'select a row' },
  { action: 'pageUp', keys: ['pageup'], label: 'PgUp', help: 'a page up, a page down' },
  { action: 'pageDown', keys: ['pagedown'], label: 'PgDn', help: 'a page up, a page down' },
  { action: 'home', keys: ['home'], label: 'Home', help: 'the first row, the last row' },
  { action: 'end', keys: ['end'], label: 'End', help: 'the first row, the last row' },
  { action: 'detail', keys: ['enter'], label: 'Enter', help: 'a fault in full; on a process, VMA, writer: its faults' },
  { action: 'back', keys: ['escape'], label: 'Esc', help: 'close what is open, then drop the filter' },
  { action: 'info', keys: ['i', 'f2'], label: 'i F2', help: 'the row in full, what its columns mean, the glossary' },
  {
    action: 'filter',
    keys: ['/', 'f4'],
    label: '/ F4',
    help: 'filter: text, pid: comm: cause: vma: cgroup: pod: unit:',
  },
  { action: 'search', keys: ['f3'], label: 'F3', help: 'search: go to the row that holds a text; F3 again: the next' },
  { action: 'tree', keys: ['t', 'f5'], label: 't F5', help: 'a tree by container, pod or unit, or the plain list' },
  { action: 'sortNext', keys: ['s', 'f6'], label: 's F6', help: SORT },
  { action: 'sortPrevious', keys: ['S-s'], label: 'S', help: SORT },
  { action: 'sortReverse', keys: ['r'], label: 'r', help: 'reverse the order' },
  { action: 'axis', keys: ['a'], label: 'a', help: 'charts: the last minutes, or the whole session' },
  { action: 'pause', keys: ['space'], label: 'space', help: 'freeze the view; pause a replay' },
  { action: 'slower', keys: ['+'], label: '+', help: 'a longer interval, a shorter one' },
  { action: 'faster', keys: ['-'], label: '-', help: 'a longer interval, a shorter one' },
  { action: 'seekBack', keys: ['left'], label: '←', help: 'seek back, forward', only: 'replay' },
  { action: 'seekForward', keys: ['right'], label: '→', help: 'seek back, forward', only: 'replay' },
  { action: 'speedDown', keys: ['['], label: '[', help: SPEED, only: 'replay' },
  { action: 'speedUp', keys: [']'], label: ']', help: SPEED, only: 'replay' },
  { action: 'step', keys: ['.'], label: '.', help: 'go on to the end of one more fault', only: 'replay' },
  { action: 'goTo', keys: ['g'], label: 'g', help: 'go to a time: 12.5, 1:02, -3 from the end', only: 'replay' },
  { action: 'markerNext', keys: ['n'], label: 'n', help: MARKER, only: 'replay' },
  { action: 'markerPrevious', keys: ['S-n'], label: 'N', help: MARKER, only: 'replay' },
  { action: 'copy', keys: ['c'], label: 'c', help: 'copy the row as text (the terminal must allow OSC 52)' },
  { action: 'record', keys: ['w'], label: 'w', help: 'start or stop recording to a file', only: 'source' },
  { action: 'export', keys: ['x'], label: 'x', help: 'export this list: JSON or CSV' },
  { action: 'suspend', keys: ['C-z'], label: 'Ctrl-Z', help: 'suspend; fg brings it back' },
  { action: 'help', keys: ['?', 'h', 'f1'], label: '? h F1', help: 'this help' },
  { action: 'quit', keys: ['q', 'f10', 'C-c'], label: 'q F10 Ctrl-C', help: 'quit' },
];

/** The keys that work on such a source. A replay has no source that could be recorded. */
export function keysOf(source: ViewState['source']): readonly KeyBinding[] {
  return KEYS.filter(({ only }) => only === undefined || (only === 'replay') === (source === 'replay'));
}

/** The rows of the help: labels and what they do. */
export function helpRows(source: ViewState['source']): { label: string; help: string }[] {
  const rows: { label: string; help: string }[] = [];
  for (const { label, help } of keysOf(source)) {
    const last = rows.at(-1);
    if (last?.help === help) last.label += `  ${label}`;
    else rows.push({ label, help });
  }
  return rows;
}

/** What else the hand can do, and what the signs on the screen mean, below the keys; words are under `i`. */
export const SIGNS: readonly (readonly [string, string])[] = [
  ['mouse', 'click views, lists, rows, columns, the time bar; Shift selects'],
  ['avoidable', 'the VMA was as before: a retry under its lock would have done'],
  ['cost', 'time of faults after they had lost the VMA lock'],
  ['≥ 12 µs', 'at least: the beginning was not seen exactly'],
  ['missed', 'runs of our programs that the kernel skipped'],
  ['BPF, CPU', 'our programs and our process, in shares of one CPU'],
];
