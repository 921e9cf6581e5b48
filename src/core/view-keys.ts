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
  /** Bindings next to each other with the same help share a row of it. */
  readonly help: string;
}

export const KEYS: readonly KeyBinding[] = [
  { action: 'up', keys: ['up', 'k'], label: '↑ k', help: 'select a row' },
  { action: 'down', keys: ['down', 'j'], label: '↓ j', help: 'select a row' },
  { action: 'pageUp', keys: ['pageup'], label: 'PgUp', help: 'a page up, a page down' },
  { action: 'pageDown', keys: ['pagedown'], label: 'PgDn', help: 'a page up, a page down' },
  { action: 'home', keys: ['home', 'g'], label: 'Home g', help: 'the first row, the last row' },
  { action: 'end', keys: ['end', 'S-g'], label: 'End G', help: 'the first row, the last row' },
  { action: 'focusNext', keys: ['tab'], label: 'Tab', help: 'the next table, the table before' },
  { action: 'focusPrevious', keys: ['S-tab'], label: 'Shift-Tab', help: 'the next table, the table before' },
  { action: 'detail', keys: ['enter'], label: 'Enter', help: 'a lifecycle in full; on a process: its faults' },
  { action: 'back', keys: ['escape'], label: 'Esc', help: 'close what is open, then drop the filter' },
  { action: 'filter', keys: ['/'], label: '/', help: 'filter: text, pid:N, comm:NAME, cause:TEXT' },
  { action: 'sortNext', keys: ['s'], label: 's', help: 'sort processes by the next column, by the column before' },
  {
    action: 'sortPrevious',
    keys: ['S-s'],
    label: 'S',
    help: 'sort processes by the next column, by the column before',
  },
  { action: 'sortReverse', keys: ['r'], label: 'r', help: 'reverse the order' },
  { action: 'pause', keys: ['space'], label: 'space', help: 'freeze the view; the data goes on' },
  { action: 'slower', keys: ['+'], label: '+', help: 'a longer interval, a shorter one' },
  { action: 'faster', keys: ['-'], label: '-', help: 'a longer interval, a shorter one' },
  { action: 'suspend', keys: ['C-z'], label: 'Ctrl-Z', help: 'suspend; fg brings it back' },
  { action: 'help', keys: ['?', 'h'], label: '? h', help: 'this help' },
  { action: 'quit', keys: ['q', 'C-c'], label: 'q Ctrl-C', help: 'quit' },
];

/** The rows of the help: labels and what they do. */
export function helpRows(): { label: string; help: string }[] {
  const rows: { label: string; help: string }[] = [];
  for (const { label, help } of KEYS) {
    const last = rows.at(-1);
    if (last?.help === help) last.label += `  ${label}`;
    else rows.push({ label, help });
  }
  return rows;
}

/** What the words on the screen mean, below the keys. */
export const GLOSSARY: readonly (readonly [string, string])[] = [
  ['avoidable', 'retries that could have stayed on the VMA lock'],
  ['≥ 12 µs', 'at least: the beginning was not seen exactly'],
  ['cost', 'of our BPF programs and our process, in shares of one CPU'],
  ['missed', 'runs of our programs that the kernel skipped'],
];
