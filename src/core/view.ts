// SPDX-License-Identifier: MIT
/**
 * The dashboard as plain content: a pure function of two snapshots and what the person chose.
 * It gives every line of the screen, exactly as wide as the screen, and where charts go. It draws nothing itself.
 */
import type { Lifecycle } from './lifecycle.js';
import type { Snapshot } from './snapshot.js';
import { detailLines } from './view-detail.js';
import { formatRate } from './view-format.js';
import { BOX_ROWS, beside, box } from './view-frame.js';
import { footerLine, headerLines } from './view-header.js';
import { GLOSSARY, helpRows } from './view-keys.js';
import { causePanel, outcomePanel, waitPanel } from './view-panels.js';
import type { History, TableId, TableState, ViewState } from './view-state.js';
import { type TableContext, type TableView, tableRows, tableView } from './view-tables.js';
import { fitLine, type Line, seg } from './view-text.js';

export const LEAST_WIDTH = 80;
export const LEAST_HEIGHT = 24;
/** Two columns of tables from here on. */
const WIDE = 120;
const HEADER_ROWS = 2;

/** A place left blank for a chart, in screen cells. */
export interface Chart {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  /** Oldest first, in the unit the title of its box names. */
  readonly values: readonly number[];
}

export interface View {
  /** As many lines as the screen has rows. */
  readonly lines: readonly Line[];
  readonly charts: readonly Chart[];
  /** Selection and scroll as drawn. */
  readonly tables: Readonly<Record<TableId, TableState>>;
  /** Rows of the focused table, and how many show at once. */
  readonly count: number;
  readonly page: number;
  /** The lifecycle under the selection; null in the process table. */
  readonly lifecycle: Lifecycle | null;
  /** The process under the selection; 0 outside the process table. */
  readonly tgid: number;
  /** The furthest the detail can be scrolled. */
  readonly detailEnd: number;
}

interface Body {
  readonly lines: Line[];
  readonly charts: Chart[];
  readonly shown: Partial<Record<TableId, TableView>>;
  readonly detailEnd: number;
}

export function buildView(snapshot: Snapshot | null, previous: Snapshot | null, state: ViewState): View {
  const rows = tableRows(snapshot, state);
  const context: TableContext = { snapshot, state, rows, tabbed: false };
  const small = state.width < LEAST_WIDTH || state.height < LEAST_HEIGHT;
  const body = small ? tooSmall(state) : buildBody(snapshot, previous, context);
  const frame = small ? body.lines : [...headerLines(snapshot, previous, state), ...body.lines, footerLine(state)];
  const lines = Array.from({ length: state.height }, (_, i) => fitLine(frame[i] ?? [], state.width));
  const drawn = (id: TableId): TableState => body.shown[id]?.state ?? state.tables[id];
  const tables = { processes: drawn('processes'), latest: drawn('latest'), inFlight: drawn('inFlight') };
  const { focus } = state;
  const { selected } = tables[focus];
  return {
    lines,
    charts: body.charts,
    tables,
    count: rows[focus].length,
    page: body.shown[focus]?.page ?? 1,
    lifecycle: focus === 'processes' ? null : (rows[focus][selected] ?? null),
    tgid: focus === 'processes' ? (rows.processes[selected]?.tgid ?? 0) : 0,
    detailEnd: body.detailEnd,
  };
}

function tooSmall(state: ViewState): Body {
  const text = `vmalocktop needs ${LEAST_WIDTH}×${LEAST_HEIGHT}, this is ${state.width}×${state.height}; q quits`;
  return { lines: [[seg(text)]], charts: [], shown: {}, detailEnd: 0 };
}

function buildBody(snapshot: Snapshot | null, previous: Snapshot | null, context: TableContext): Body {
  const { state } = context;
  const height = state.height - HEADER_ROWS - 1;
  if (state.helpOpen) return { lines: helpBox(state.width, height), charts: [], shown: {}, detailEnd: 0 };
  if (state.detail !== null) return detailBox(state.detail, snapshot, state, height);
  const top = topPanels(snapshot, previous, state, height);
  const tables = tablePanels(context, height - top.lines.length);
  return { lines: [...top.lines, ...tables.lines], charts: top.charts, shown: tables.shown, detailEnd: 0 };
}

function topPanels(
  now: Snapshot | null,
  before: Snapshot | null,
  state: ViewState,
  height: number,
): Pick<Body, 'lines' | 'charts'> {
  const { width } = state;
  if (width < WIDE) {
    const left = Math.max(42, Math.ceil(width / 2));
    return {
      lines: [
        ...beside(outcomePanel(now, before, left, 8), causePanel(now, before, width - left, 8)),
        ...waitPanel(now, width, 6),
      ],
      charts: [],
    };
  }
  const extra = width - WIDE;
  const rows = height >= 36 ? 10 : 9;
  const wait = 43 + Math.min(12, Math.floor(extra / 4));
  const outcome = 41 + Math.floor((extra - (wait - 43)) / 2);
  const lines = beside(
    outcomePanel(now, before, outcome, rows),
    causePanel(now, before, width - outcome - wait, rows),
    waitPanel(now, wait, rows),
  );
  if (height < 38 || state.history.length === 0) return { lines, charts: [] };
  const charts = chartRow(state, HEADER_ROWS + rows, 9);
  return { lines: [...lines, ...charts.lines], charts: charts.charts };
}

/** A box for each series: told apart by its title, not by a colour. */
function chartRow(state: ViewState, top: number, height: number): Pick<Body, 'lines' | 'charts'> {
  const shown = state.history.slice(0, Math.floor(state.width / 50));
  const charts: Chart[] = [];
  let left = 0;
  const boxes = shown.map((series, i) => {
    const end = Math.floor((state.width * (i + 1)) / shown.length);
    const { by, unit } = scaleOf(series);
    const values = series.values.map((value) => value / by);
    charts.push({ left: left + 1, top: top + 1, width: end - left - 2, height: height - BOX_ROWS, values });
    const title = [seg(series.title, 'strong'), seg(unit, 'dim')];
    const now = series.values.at(-1);
    const info = now === undefined ? [] : [seg('now ', 'dim'), seg(formatRate(now), 'strong')];
    const lines = box({ title, info }, [], end - left, height);
    left = end;
    return lines;
  });
  return { lines: beside(...boxes), charts };
}

/** A unit that leaves at most four digits for the axis. */
function scaleOf(series: History): { by: number; unit: string } {
  const most = Math.max(0, ...series.values);
  if (most >= 5e6) return { by: 1e6, unit: ', millions' };
  return most >= 5e3 ? { by: 1e3, unit: ', thousands' } : { by: 1, unit: '' };
}

/** Rows a table needs to be worth its box. */
const LEAST_TABLE = 7;

function tablePanels(context: TableContext, height: number): Pick<Body, 'lines' | 'shown'> {
  const { width, focus } = context.state;
  const show = (id: TableId, w: number, h: number, tabbed = false): TableView =>
    tableView(id, { ...context, tabbed }, w, h);
  if (width >= WIDE && height >= 2 * LEAST_TABLE) {
    const upper = Math.floor(height / 2);
    const left = Math.ceil(width / 2);
    const processes = show('processes', left, upper);
    const inFlight = show('inFlight', width - left, upper);
    const latest = show('latest', width, height - upper);
    return {
      lines: [...beside(processes.lines, inFlight.lines), ...latest.lines],
      shown: { processes, inFlight, latest },
    };
  }
  if (height >= 3 * LEAST_TABLE) {
    const each = Math.floor(height / 3);
    const processes = show('processes', width, each);
    const inFlight = show('inFlight', width, each);
    const latest = show('latest', width, height - 2 * each);
    return { lines: [...processes.lines, ...latest.lines, ...inFlight.lines], shown: { processes, latest, inFlight } };
  }
  const only = show(focus, width, height, true);
  return { lines: only.lines, shown: { [focus]: only } };
}

function helpBox(width: number, height: number): Line[] {
  const body: Line[] = helpRows().map(({ label, help }) => [seg(label.padEnd(15), 'key'), seg(` ${help}`)]);
  body.push([], ...GLOSSARY.map(([word, meaning]): Line => [seg(word.padEnd(15), 'strong'), seg(` ${meaning}`)]));
  return box({ title: [seg('Keys', 'strong')], focused: true }, body, width, height);
}

function detailBox(lifecycle: Lifecycle, snapshot: Snapshot | null, state: ViewState, height: number): Body {
  const all = detailLines(lifecycle, snapshot?.time ?? lifecycle.last);
  const room = height - BOX_ROWS;
  const detailEnd = Math.max(0, all.length - room);
  const scroll = Math.min(state.detailScroll, detailEnd);
  const info =
    detailEnd > 0 ? [seg(`${scroll + 1}–${Math.min(all.length, scroll + room)} of ${all.length} lines`, 'dim')] : [];
  const options = { title: [seg('One fault', 'strong')], info, focused: true };
  return { lines: box(options, all.slice(scroll), state.width, height), charts: [], shown: {}, detailEnd };
}
