// SPDX-License-Identifier: MIT
/** Blocks of a screen and how they stand beside and above each other, with their charts and clickable places. */

import { type Line, lineWidth, type Style, seg } from '../present/text.js';
import { type BoxOptions, box } from './frame.js';
import type { ListId, ListState, ViewId } from './state.js';

/** A place left blank for a chart, in cells. */
export interface Chart {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  /** Oldest first, in the unit the title of its box names. */
  readonly values: readonly number[];
  /** Colour of its line: that of what it counts. */
  readonly style: Style;
}

/** What a click there means. */
export type Click =
  | { readonly kind: 'view'; readonly view: ViewId }
  | { readonly kind: 'row'; readonly list: ListId; readonly index: number }
  | { readonly kind: 'focus'; readonly list: ListId }
  | { readonly kind: 'sort'; readonly list: ListId; readonly field: string }
  | { readonly kind: 'seek'; readonly time: number };

export interface Hit {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly click: Click;
}

/** A list as it was drawn. */
export interface DrawnList {
  /** Selection and scroll, clamped to the rows there are. */
  readonly state: ListState;
  readonly count: number;
  /** Rows that fit. */
  readonly page: number;
  /** Fields shown, in their order. */
  readonly fields: readonly string[];
}

export interface Block {
  readonly width: number;
  readonly lines: readonly Line[];
  readonly charts: readonly Chart[];
  /** The first that holds a point counts. */
  readonly hits: readonly Hit[];
  readonly lists: Readonly<Partial<Record<ListId, DrawnList>>>;
}

export function block(width: number, lines: readonly Line[], more: Partial<Block> = {}): Block {
  return { width, lines, charts: [], hits: [], lists: {}, ...more };
}

/** A box of text. */
export function panel(options: BoxOptions, body: readonly Line[], width: number, height: number): Block {
  return block(width, box(options, body, width, height));
}

function moved<P extends { readonly left: number; readonly top: number }>(
  places: readonly P[],
  left: number,
  top: number,
): P[] {
  return places.map((place) => ({ ...place, left: place.left + left, top: place.top + top }));
}

function join(blocks: readonly Block[], lines: Line[], width: number, at: (i: number) => [number, number]): Block {
  return {
    width,
    lines,
    charts: blocks.flatMap((b, i) => moved(b.charts, ...at(i))),
    hits: blocks.flatMap((b, i) => moved(b.hits, ...at(i))),
    lists: Object.assign({}, ...blocks.map((b) => b.lists)) as Block['lists'],
  };
}

/** Blocks above each other, all of one width. */
export function above(...blocks: readonly Block[]): Block {
  const tops: number[] = [];
  let height = 0;
  for (const b of blocks) {
    tops.push(height);
    height += b.lines.length;
  }
  const width = Math.max(0, ...blocks.map((b) => b.width));
  return join(
    blocks,
    blocks.flatMap((b) => b.lines),
    width,
    (i) => [0, tops[i] ?? 0],
  );
}

/** Blocks beside each other; a lower one is filled with blanks. */
export function beside(...blocks: readonly Block[]): Block {
  const height = Math.max(0, ...blocks.map((b) => b.lines.length));
  const lefts: number[] = [];
  let width = 0;
  for (const b of blocks) {
    lefts.push(width);
    width += b.width;
  }
  const lines = Array.from(
    { length: height },
    (_, row): Line => blocks.flatMap((b) => b.lines[row] ?? [seg(' '.repeat(b.width))]),
  );
  return join(blocks, lines, width, (i) => [lefts[i] ?? 0, 0]);
}

/** Words to click in a line: each with the column it begins at. */
export function clickable(
  parts: readonly { readonly line: Line; readonly click: Click | null }[],
  top: number,
  left = 0,
): { readonly line: Line; readonly hits: Hit[] } {
  const hits: Hit[] = [];
  let at = left;
  for (const { line, click } of parts) {
    const width = lineWidth(line);
    if (click !== null) hits.push({ left: at, top, width, height: 1, click });
    at += width;
  }
  return { line: parts.flatMap((part) => part.line), hits };
}
