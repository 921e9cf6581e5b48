// SPDX-License-Identifier: MIT
/** A list in its box: title, which rows show, the selected one, and where to click. */
import type { Snapshot } from '../aggregate/snapshot.js';
import { formatCount } from '../present/format.js';
import { type Line, seg } from '../present/text.js';
import { parseFilter } from './filter.js';
import { BOX_COLUMNS, BOX_ROWS, type BoxOptions, box, MARK_COLUMNS, scrollTo } from './frame.js';
import { type Block, block, clickable, type Hit } from './layout.js';
import { legendLine, OUTCOME_LEGEND } from './legend.js';
import type { Figures, Rows } from './list.js';
import { LISTS } from './lists.js';
import { filled, restLines, restRows } from './rest.js';
import { LISTS_OF, type ListId, listState } from './state.js';
import { LIST_TITLES } from './titles.js';

const COLOURED: readonly ListId[] = ['latest', 'slowest', 'inFlight', 'causes'];

/** Rows of a list after filter and sort. */
export function rowsOf(id: ListId, figures: Figures): Rows {
  const { state } = figures;
  return LISTS[id](figures, parseFilter(state.filter), listState(state, id).sort);
}

/** The selected row of a list: that with its key, else at its place; clamped to the rows there are. */
export function selectedIn(id: ListId, rows: Rows, state: Figures['state']): number {
  const { key, selected } = listState(state, id);
  const followed = key === null ? -1 : rows.indexOf(key);
  return Math.max(0, Math.min(followed === -1 ? selected : followed, rows.count - 1));
}

/** `tabs`: lists of the same view that have no box of their own now; their names stand in the title. */
export function listBox(
  id: ListId,
  figures: Figures,
  width: number,
  height: number,
  tabs: readonly ListId[] = [id],
): Block {
  const { state } = figures;
  const rows = rowsOf(id, figures);
  const chosen = listState(state, id);
  const selected = selectedIn(id, rows, state);
  const focused = state.focus[state.view] === id;
  const inner = width - BOX_COLUMNS - MARK_COLUMNS;
  const rest = focused ? restRows(rows, inner, height) : 0;
  const page = Math.max(1, height - BOX_ROWS - 1 - rest);
  const scroll = scrollTo(selected, chosen.scroll, page, rows.count);
  const { lines: drawn, head } = rows.draw(inner, scroll, scroll + page, focused ? selected : -1);
  const lines = rest === 0 ? drawn : [...filled(drawn, page + 1), ...restLines(rows, selected, head, inner, rest)];
  const title = titleOf(id, tabs);
  const info = rows.count === 0 ? [] : [seg(shown(id, figures, rows, scroll, page), 'dim')];
  const visible = Math.max(0, Math.min(rows.count - scroll, page));
  const hits: Hit[] = [
    ...title.hits.filter((hit) => hit.left + hit.width < width - 1),
    ...head.map((cell): Hit => {
      const click = { kind: 'sort', list: id, field: cell.field } as const;
      return { left: 2 + cell.left, top: 1, width: cell.width, height: 1, click };
    }),
    ...Array.from({ length: visible }, (_, i): Hit => {
      const click = { kind: 'row', list: id, index: scroll + i } as const;
      return { left: 1, top: 2 + i, width: width - 2, height: 1, click };
    }),
    { left: 0, top: 0, width, height, click: { kind: 'focus', list: id } },
  ];
  const key = selected === 0 ? null : rows.keyAt(selected);
  return block(width, box({ title: title.line, info, focused, ...footOf(id, focused) }, lines, width, height), {
    hits,
    lists: {
      [id]: {
        state: { selected, key, scroll, sort: chosen.sort },
        count: rows.count,
        page,
        fields: head.map((cell) => cell.field),
      },
    },
  });
}

/** What the colours of ends and causes stand for, below the lists that have them. */
function footOf(id: ListId, focused: boolean): Pick<BoxOptions, 'foot'> {
  return focused && COLOURED.includes(id) ? { foot: { left: legendLine(OUTCOME_LEGEND), right: [] } } : {};
}

/** The list with the focus of its view, with the others' names in the title: for when there is room for one only. */
export function focusedList(figures: Figures, width: number, height: number, among?: readonly ListId[]): Block {
  const { view, focus } = figures.state;
  const tabs = among ?? LISTS_OF[view];
  const [first] = tabs;
  const id = tabs.includes(focus[view]) ? focus[view] : (first ?? focus[view]);
  return listBox(id, figures, width, height, tabs);
}

function titleOf(id: ListId, tabs: readonly ListId[]): { line: Line; hits: Hit[] } {
  const parts = tabs.flatMap((tab, i) => {
    const title = LIST_TITLES[tab];
    const alone = tabs.length === 1;
    const word = tab === id ? seg(alone ? title : `[${title}]`, 'strong') : seg(title, 'dim');
    const part = { line: [word], click: { kind: 'focus', list: tab } as const };
    return i === 0 ? [part] : [{ line: [seg(' ')], click: null }, part];
  });
  return clickable(parts, 0, 3);
}

/** What the snapshot has of a list, of how many. It keeps a bounded number of rows; the others are still counted. */
function totalOf(id: ListId, { inFlight, inFlightTotal, processes, vmas, totals }: Snapshot): [number, number] {
  switch (id) {
    case 'inFlight':
      return [inFlight.length, inFlightTotal];
    case 'processes':
      return [processes.length, totals.processes];
    case 'vmas':
      return [vmas.length, totals.vmas];
    default:
      return [0, 0];
  }
}

function shown(id: ListId, { now }: Figures, { count, groups }: Rows, scroll: number, page: number): string {
  const lines = `${scroll + 1}–${Math.min(count, scroll + page)} of ${count}`;
  const text = groups === 0 ? lines : `${lines} lines, ${groups} group${groups === 1 ? '' : 's'}`;
  const [kept, total] = totalOf(id, now);
  return total > kept ? `${text}, ${formatCount(total)} in all` : text;
}
