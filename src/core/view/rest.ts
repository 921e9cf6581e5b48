// SPDX-License-Identifier: MIT
/** Below a list: what its columns do not show of the selected row, because they are too narrow or too many. */
import { type Line, type Segment, seg, textWidth, wrapWords } from '../present/text.js';
import type { HeadCell } from './frame.js';
import type { Cell, Rows } from './list.js';
import { GROUP_KEY } from './list-tree.js';

/** Rows it may take; what does not fit is under `i`. */
const MOST = 4;
/** Of the rows of a box, one in so many may go to it. */
const PART = 4;
const INDENT = 2;

const roomOf = ({ title, room }: Cell): number => title.trim().length + 1 + room + 2;

/**
 * Rows that the rest of a row of this list needs at most: the same whichever row is selected, so that a list does not
 * change its height while one goes through it. 0 where all of a row shows, or there is no room.
 */
export function restRows(rows: Rows, width: number, height: number): number {
  if (rows.count === 0) return 0;
  const hidden = rows.hiddenAt(width);
  const needed = hidden.reduce((sum, cell) => sum + roomOf(cell), 0);
  const lines = Math.ceil(needed / Math.max(1, width - INDENT));
  return Math.min(lines, MOST, Math.max(0, Math.floor((height - 3) / PART)));
}

export function filled(lines: readonly Line[], count: number): Line[] {
  return Array.from({ length: count }, (_, i) => lines[i] ?? []);
}

/** `title value` of each field that does not show, or not whole, in `count` lines; `…` at the end of the last: see `i`. */
export function restLines(
  rows: Rows,
  selected: number,
  head: readonly HeadCell[],
  width: number,
  count: number,
): Line[] {
  // Of a group the head of it is all there is.
  if ((rows.keyAt(selected) ?? '').startsWith(GROUP_KEY)) {
    return filled(
      wrapWords(rows.text(selected), width - INDENT).map((text, i) => [seg(i === 0 ? '╰ ' : '  ', 'dim'), seg(text)]),
      count,
    );
  }
  const widths = new Map(head.map(({ field, width: columns }) => [field, columns]));
  const cells = rows
    .cells(selected)
    .filter(({ id, text }) => text !== '' && text !== '–' && textWidth(text) > (widths.get(id) ?? 0));
  const lines: Segment[][] = [[]];
  let used = 0;
  for (const { title, text } of cells) {
    const name = `${title.trim()} `;
    const need = textWidth(name) + textWidth(text) + 2;
    if (used > 0 && used + need > width - INDENT) {
      if (lines.length === count) {
        lines.at(-1)?.push(seg('… i', 'dim'));
        break;
      }
      lines.push([]);
      used = 0;
    }
    lines.at(-1)?.push(seg(name, 'dim'), seg(`${text}  `));
    used += need;
  }
  return filled(
    lines.map((line, i): Line => [seg(i === 0 && line.length > 0 ? '╰ ' : '  ', 'dim'), ...line]),
    count,
  );
}
