// SPDX-License-Identifier: MIT
/** What terminals send for keys that are no characters. */
/** Begins every escape sequence. */
export const ESC = '\x1b';
export const UP = '\x1b[A';
export const DOWN = '\x1b[B';
export const RIGHT = '\x1b[C';
export const LEFT = '\x1b[D';
export const PAGE_UP = '\x1b[5~';
export const PAGE_DOWN = '\x1b[6~';
export const HOME = '\x1b[H';
export const END = '\x1b[F';
export const SHIFT_TAB = '\x1b[Z';
/** Answers the question which format to export. */
export const CSV_KEY = 'c';
export const F1 = '\x1bOP';
export const F2 = '\x1bOQ';
export const F3 = '\x1bOR';
export const F4 = '\x1bOS';
export const F5 = '\x1b[15~';
export const F6 = '\x1b[17~';
export const F10 = '\x1b[21~';
