// SPDX-License-Identifier: MIT
/**
 * The dashboard as plain content: a pure function of two snapshots and what the person chose.
 * It gives every line of the screen, exactly as wide as the screen, where charts go, and what a click means. It draws
 * nothing itself.
 */

import type { Snapshot } from '../aggregate/snapshot.js';
import { isOut } from '../alerts/event.js';
import { fitLine, type Line, seg } from '../present/text.js';
import { footerLine, timeBar } from './footer.js';
import { BOX_ROWS, box } from './frame.js';
import { headerLines, viewBar } from './header.js';
import { infoLines } from './info.js';
import { helpRows, SIGNS } from './keys.js';
import { type Block, block, type Chart, type DrawnList, type Hit, panel } from './layout.js';
import { LEGEND, legendLine } from './legend.js';
import type { Figures, Rows } from './list.js';
import { rowsOf, selectedIn } from './list-box.js';
import { PAGES } from './pages.js';
import { type ListId, type ListState, listState, type ViewState } from './state.js';
import { detailLines, namedBy } from './waterfall.js';

const LEAST_WIDTH = 80;
export const LEAST_HEIGHT = 24;
const HEADER_ROWS = 3;
/** Two columns of keys from here on. */
const WIDE_HELP = 130;

export interface View {
  /** As many lines as the screen has rows. */
  readonly lines: readonly Line[];
  readonly charts: readonly Chart[];
  /** In cells of the screen; the first that holds a point counts. */
  readonly hits: readonly Hit[];
  /** Lists as drawn, with selection and scroll clamped. */
  readonly lists: Readonly<Partial<Record<ListId, DrawnList>>>;
  /** The list the keys act on, and its rows; null as long as there are no figures. */
  readonly focus: ListId;
  readonly rows: Rows | null;
  /** The furthest that what is open can be scrolled. */
  readonly scrollEnd: number;
}

interface Body extends Block {
  readonly scrollEnd?: number;
}

export function buildView(snapshot: Snapshot | null, previous: Snapshot | null, state: ViewState): View {
  const { width, height } = state;
  const small = width < LEAST_WIDTH || height < LEAST_HEIGHT;
  const figures = snapshot === null ? null : { now: snapshot, before: previous, state };
  const bar = state.replay === null ? null : timeBar(state.replay, width, height - 2);
  const room = height - HEADER_ROWS - 1 - (bar === null ? 0 : 1);
  const body: Body = small ? tooSmall(state) : bodyOf(figures, state, room);
  const views = viewBar(state, (state.alerts ?? []).filter(({ phase }) => isOut(phase)).length, HEADER_ROWS - 1);
  const head = [...headerLines(snapshot, previous, state), views.line];
  const foot = [...(bar === null ? [] : [bar.line]), footerLine(state)];
  const filled = Array.from({ length: Math.max(0, room) }, (_, i) => body.lines[i] ?? []);
  const frame = small ? body.lines : [...head, ...filled, ...foot];
  const focus = state.focus[state.view];
  return {
    lines: Array.from({ length: height }, (_, i) => fitLine(frame[i] ?? [], width)),
    charts: small ? [] : body.charts.map((chart) => ({ ...chart, top: chart.top + HEADER_ROWS })),
    hits: small
      ? []
      : [...views.hits, ...(bar?.hits ?? []), ...body.hits.map((hit) => ({ ...hit, top: hit.top + HEADER_ROWS }))],
    lists: body.lists,
    focus,
    rows: figures === null ? null : rowsOf(focus, figures),
    scrollEnd: body.scrollEnd ?? 0,
  };
}

/** State of the list with the focus, as drawn. */
export function drawnState(view: View, state: ViewState): ListState {
  return view.lists[view.focus]?.state ?? listState(state, view.focus);
}

/** The fault shown in full as the newest snapshot has it, so that its clocks run until it ends. */
export function refreshDetail(state: ViewState, snapshot: Snapshot): ViewState {
  const { detail } = state;
  if (detail === null) return state;
  const { inFlight, latest, slowest } = snapshot;
  for (const list of [inFlight, latest, slowest]) {
    const found = list.find((fault) => fault.id === detail.id);
    if (found !== undefined) return { ...state, detail: found, detailAt: snapshot.time };
  }
  return state;
}

function tooSmall({ width, height }: ViewState): Body {
  return block(width, [[seg(`vmalocktop needs ${LEAST_WIDTH}×${LEAST_HEIGHT}, this is ${width}×${height}; q quits`)]]);
}

function bodyOf(figures: Figures | null, state: ViewState, height: number): Body {
  if (state.helpOpen) return helpBox(state, height);
  if (figures === null) {
    const waiting = [[seg('no figures yet', 'dim')]];
    return panel({ title: [] }, waiting, state.width, height);
  }
  if (state.infoOpen) return infoBox(figures, state, height);
  if (state.detail !== null)
    return scrolled('One fault', detailOf(figures, state), state.detailScroll, state.width, height);
  return PAGES[state.view](figures, state.width, height);
}

function detailOf({ now }: Figures, state: ViewState): Line[] {
  return state.detail === null ? [] : detailLines(state.detail, state.detailAt, state.width - 4, namedBy(now));
}

/** A box over the whole body, with as much of the text as fits from `wanted` on. */
function scrolled(title: string, lines: readonly Line[], wanted: number, width: number, height: number): Body {
  const room = height - BOX_ROWS;
  const scrollEnd = Math.max(0, lines.length - room);
  const from = Math.min(wanted, scrollEnd);
  const text = `${from + 1}–${Math.min(lines.length, from + room)} of ${lines.length} lines`;
  const info = scrollEnd > 0 ? [seg(text, 'dim')] : [];
  const options = { title: [seg(title, 'strong')], info, focused: true };
  return { ...block(width, box(options, lines.slice(from), width, height)), scrollEnd };
}

function infoBox(figures: Figures, state: ViewState, height: number): Body {
  const list = state.focus[state.view];
  const rows = rowsOf(list, figures);
  const lines = infoLines(list, rows, selectedIn(list, rows, state), state.detail, state.width - 4);
  return scrolled('What it is', lines, state.helpScroll, state.width, height);
}

function helpBox(state: ViewState, height: number): Body {
  const rows = helpRows(state.source).map(({ label, help }): Line => [seg(label.padEnd(15), 'key'), seg(` ${help}`)]);
  const words = SIGNS.map(([word, meaning]): Line => [seg(word.padEnd(15), 'strong'), seg(` ${meaning}`)]);
  words.push(
    [seg('colours'.padEnd(15), 'strong'), seg(' ')],
    ...[0, 3].map((from) => legendLine(LEGEND.slice(from, from + 3))),
  );
  const inner = state.width - 4;
  const half = Math.floor(inner / 2);
  const lines =
    state.width < WIDE_HELP
      ? [...rows, [], ...words]
      : Array.from(
          { length: Math.max(rows.length, words.length) },
          (_, i): Line => [...fitLine(rows[i] ?? [], half), ...fitLine(words[i] ?? [], inner - half)],
        );
  return scrolled('Keys', lines, state.helpScroll, state.width, height);
}
