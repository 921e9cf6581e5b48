// SPDX-License-Identifier: MIT
/** Boxes, tables and their arrangement: lines in, lines out, every one of an exact width. */
import type { Field } from '../present/fields/field.js';
import { cutStart, fitLine, type Line, lineWidth, pad, type Segment, type Style, seg } from '../present/text.js';

/** Columns a box takes from its content: a border and a blank on each side. */
export const BOX_COLUMNS = 4;
/** Rows a box takes from its content. */
export const BOX_ROWS = 2;

export interface BoxOptions {
  readonly title: Line;
  /** Shown at the right end of the upper border, where there is room. */
  readonly info?: Line;
  /** Shown in the lower border, from its left end to its right one. */
  readonly foot?: { readonly left: Line; readonly right: Line };
  readonly focused?: boolean;
}

/** `body` in a box of exactly `width` × `height`. A focused box has a double border: seen without colour. */
export function box(options: BoxOptions, body: readonly Line[], width: number, height: number): Line[] {
  const focused = options.focused === true;
  const style: Style = focused ? 'focus' : 'border';
  const [tl, tr, bl, br, h, v] = focused ? ['╔', '╗', '╚', '╝', '═', '║'] : ['╭', '╮', '╰', '╯', '─', '│'];
  const title = options.title.length === 0 ? [] : [seg(`${h} `, style), ...options.title, seg(' ', style)];
  const wanted =
    options.info === undefined || options.info.length === 0
      ? []
      : [seg(' ', style), ...options.info, seg(` ${h}`, style)];
  const inner = width - 2;
  const info = lineWidth(title) + lineWidth(wanted) <= inner ? wanted : [];
  const head = fitLine(title, Math.min(lineWidth(title), inner));
  const rule = h.repeat(Math.max(0, inner - lineWidth(head) - lineWidth(info)));
  const out: Line[] = [[seg(tl, style), ...head, seg(rule, style), ...info, seg(tr, style)]];
  for (let i = 0; i < height - BOX_ROWS; i++) {
    const row = body[i] ?? [];
    // A selected row is filled to the border, so that it reads as one bar.
    const edge: Style = row[0]?.style === 'selected' ? 'selected' : 'plain';
    const content = fitLine(row, width - BOX_COLUMNS, edge);
    out.push([seg(v, style), seg(' ', edge), ...content, seg(' ', edge), seg(v, style)]);
  }
  out.push([seg(bl, style), ...footRule(options.foot, h, style, inner), seg(br, style)]);
  return out;
}

function footRule(foot: BoxOptions['foot'], h: string, style: Style, inner: number): Line {
  if (foot === undefined) return [seg(h.repeat(inner), style)];
  const left = foot.left.length === 0 ? [] : [seg(`${h} `, style), ...foot.left, seg(' ', style)];
  const right = foot.right.length === 0 ? [] : [seg(' ', style), ...foot.right, seg(` ${h}`, style)];
  const gap = inner - lineWidth(left) - lineWidth(right);
  return gap < 1 ? [seg(h.repeat(inner), style)] : [...left, seg(h.repeat(gap), style), ...right];
}

/**
 * The fields named in `priority` that fit in `width`, a blank between them, in their own order.
 * What is left over goes to the fields that can use it (`grow`), each up to its own limit.
 */
export function fitFields<Row>(
  fields: readonly Field<Row>[],
  priority: readonly string[],
  width: number,
): Field<Row>[] {
  const chosen = new Set<string>();
  let left = width + 1;
  for (const id of priority) {
    const field = fields.find((f) => f.id === id);
    if (field === undefined || field.width + 1 > left) continue;
    chosen.add(id);
    left -= field.width + 1;
  }
  return fields
    .filter((field) => chosen.has(field.id))
    .map((field) => {
      const more = Math.min(left, Math.max(0, (field.grow ?? 0) - field.width));
      left -= more;
      return more === 0 ? field : { ...field, width: field.width + more };
    });
}

/** Blanks between the columns of a table: more where there is room, so that wide screens are not left-heavy. */
function gapFor<Row>(fields: readonly Field<Row>[], width: number): number {
  const used = fields.reduce((sum, field) => sum + field.width, 0);
  return Math.max(1, Math.min(4, Math.floor((width - used) / Math.max(1, fields.length - 1))));
}

export interface TableOptions<Row> {
  readonly fields: readonly Field<Row>[];
  /** Columns to spread over, without those of the mark. */
  readonly width: number;
  /** Marks the column sorted by, with the direction. */
  readonly sort?: { readonly field: string; readonly descending: boolean } | null;
  /** Index into `rows` of the selected one; -1 for none; absent: the table has no selection and no room for its mark. */
  readonly selected?: number;
  /** What stands before each row that is not selected, in the columns of the mark; blanks by default. */
  readonly marks?: readonly string[];
  /** A style for one cell; `plain` by default. */
  readonly style?: (row: Row, field: Field<Row>) => Style;
  /** Shown instead of rows when there are none. */
  readonly empty: string;
}

/** Room at the left for the mark of the selected row. */
export const MARK_COLUMNS = 2;

/** Where the title of a column stands. */
export interface HeadCell {
  readonly field: string;
  readonly left: number;
  readonly width: number;
}

/** A head and one line for each of `rows`: the caller passes the visible ones only. */
export function table<Row>(
  rows: readonly Row[],
  options: TableOptions<Row>,
): { readonly lines: Line[]; readonly head: readonly HeadCell[] } {
  const marked = options.selected !== undefined;
  const head: Segment[] = marked ? [seg(' '.repeat(MARK_COLUMNS), 'head')] : [];
  const cells: HeadCell[] = [];
  const gap = ' '.repeat(gapFor(options.fields, options.width));
  let left = marked ? MARK_COLUMNS : 0;
  options.fields.forEach((field, i) => {
    if (i > 0) {
      head.push(seg(gap, 'head'));
      left += gap.length;
    }
    const arrow = options.sort?.field === field.id ? (options.sort.descending ? '▼' : '▲') : '';
    const title = field.title.slice(0, field.width - arrow.length) + arrow;
    head.push(seg(pad(title, field.width, field.align), arrow === '' ? 'head' : 'strong'));
    cells.push({ field: field.id, left, width: field.width });
    left += field.width;
  });
  const body =
    rows.length === 0
      ? options.empty === ''
        ? []
        : [[seg(marked ? ' '.repeat(MARK_COLUMNS) : ''), seg(options.empty, 'dim')]]
      : rows.map((row, i) => tableRow(row, i, gap, options));
  return { lines: [head, ...body], head: cells };
}

function tableRow<Row>(row: Row, index: number, gap: string, options: TableOptions<Row>): Line {
  const selected = options.selected === index;
  const line: Segment[] =
    options.selected !== undefined
      ? [selected ? seg('▸ ', 'selected') : seg(options.marks?.[index] ?? ' '.repeat(MARK_COLUMNS), 'dim')]
      : [];
  options.fields.forEach((field, i) => {
    const style: Style = selected ? 'selected' : (options.style?.(row, field) ?? 'plain');
    if (i > 0) line.push(seg(gap, selected ? 'selected' : 'plain'));
    const words = field.format(field.get(row));
    line.push(seg(pad(field.keepsEnd ? cutStart(words, field.width) : words, field.width, field.align), style));
  });
  return line;
}

/** The first row to show so that `selected` is among `visible` rows, moving `scroll` no further than needed. */
export function scrollTo(selected: number, scroll: number, visible: number, count: number): number {
  const wanted = Math.min(Math.max(scroll, selected - visible + 1), selected);
  return Math.max(0, Math.min(wanted, count - visible));
}
