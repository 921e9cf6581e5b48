// SPDX-License-Identifier: MIT
/** The keys, once: the dashboard binds exactly this table and the help shows exactly this table. */

export type Action =
  | 'quit'
  | 'suspend'
  | 'help'
  | 'pause'
  | 'sortNext'
  | 'sortPrevious'
  | 'sortReverse'
  | 'filter'
  | 'up'
  | 'down'
  | 'pageUp'
  | 'pageDown'
  | 'home'
  | 'end'
  | 'focusNext'
  | 'focusPrevious'
  | 'slower'
  | 'faster'
  | 'detail'
  | 'back';

export interface KeyBinding {
  readonly action: Action;
  /** Names as blessed's key decoder gives them. */
  readonly keys: readonly string[];
  readonly label: string;
  readonly help: string;
}

export const KEYS: readonly KeyBinding[] = [
  { action: 'up', keys: ['up', 'k'], label: '↑ k', help: 'select the row above' },
  { action: 'down', keys: ['down', 'j'], label: '↓ j', help: 'select the row below' },
  { action: 'pageUp', keys: ['pageup'], label: 'PgUp', help: 'a page up' },
  { action: 'pageDown', keys: ['pagedown'], label: 'PgDn', help: 'a page down' },
  { action: 'home', keys: ['home', 'g'], label: 'Home g', help: 'the first row' },
  { action: 'end', keys: ['end', 'S-g'], label: 'End G', help: 'the last row' },
  { action: 'focusNext', keys: ['tab'], label: 'Tab', help: 'the next table' },
  { action: 'focusPrevious', keys: ['S-tab'], label: 'Shift-Tab', help: 'the table before' },
  { action: 'detail', keys: ['enter'], label: 'Enter', help: 'a lifecycle in full; on a process: its faults' },
  { action: 'back', keys: ['escape'], label: 'Esc', help: 'close what is open, then drop the filter' },
  { action: 'filter', keys: ['/'], label: '/', help: 'filter: text, pid:N, comm:NAME, cause:TEXT' },
  { action: 'sortNext', keys: ['s'], label: 's', help: 'sort processes by the next column' },
  { action: 'sortPrevious', keys: ['S-s'], label: 'S', help: 'sort processes by the column before' },
  { action: 'sortReverse', keys: ['r'], label: 'r', help: 'reverse the order' },
  { action: 'pause', keys: ['space'], label: 'space', help: 'freeze the view; the data goes on' },
  { action: 'slower', keys: ['+'], label: '+', help: 'a longer interval' },
  { action: 'faster', keys: ['-'], label: '-', help: 'a shorter interval' },
  { action: 'suspend', keys: ['C-z'], label: 'Ctrl-Z', help: 'suspend; fg brings it back' },
  { action: 'help', keys: ['?', 'h'], label: '? h', help: 'this help' },
  { action: 'quit', keys: ['q', 'C-c'], label: 'q Ctrl-C', help: 'quit' },
];
