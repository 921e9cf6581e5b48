// SPDX-License-Identifier: MIT
/** What each key does to the state: one row an action. `quit` and `suspend` are the dashboard's own. */
import type { View } from '../../src/core/view.js';
import { type Action, KEYS } from '../../src/core/view-keys.js';
import { TABLES, type ViewState } from '../../src/core/view-state.js';
import { SORT_FIELDS } from '../../src/core/view-tables.js';

/** Intervals `+` and `-` go through, ms. */
export const INTERVALS: readonly number[] = [250, 500, 1000, 2000, 5000, 10_000];

type Change = (state: ViewState, view: View) => Partial<ViewState>;
export type StateAction = Exclude<Action, 'quit' | 'suspend'>;

const BY_KEY: ReadonlyMap<string, Action> = new Map(KEYS.flatMap((k) => k.keys.map((key) => [key, k.action] as const)));

export function actionOf(key: string): Action | undefined {
  return BY_KEY.get(key);
}

const CHANGES: Readonly<Record<StateAction, Change>> = {
  help: (s) => ({ helpOpen: !s.helpOpen }),
  pause: (s) => ({ paused: !s.paused }),
  sortNext: (s) => sortBy(s, 1),
  sortPrevious: (s) => sortBy(s, -1),
  sortReverse: (s) => ({ sort: { field: s.sort.field, descending: !s.sort.descending } }),
  filter: () => ({ filterEditing: true, helpOpen: false, detail: null }),
  up: (s, v) => move(s, v, -1),
  down: (s, v) => move(s, v, 1),
  pageUp: (s, v) => move(s, v, -v.page),
  pageDown: (s, v) => move(s, v, v.page),
  home: (s, v) => move(s, v, Number.NEGATIVE_INFINITY),
  end: (s, v) => move(s, v, Number.POSITIVE_INFINITY),
  focusNext: (s) => focus(s, 1),
  focusPrevious: (s) => focus(s, -1),
  slower: (s) => ({ intervalMs: INTERVALS.find((ms) => ms > s.intervalMs) ?? s.intervalMs }),
  faster: (s) => ({ intervalMs: INTERVALS.findLast((ms) => ms < s.intervalMs) ?? s.intervalMs }),
  detail: open,
  back: (s) => {
    if (s.helpOpen) return { helpOpen: false };
    return s.detail === null ? { filter: '' } : { detail: null };
  },
};

/** The state after `action`, given what was drawn of the state before. */
export function applyAction(state: ViewState, action: StateAction, view: View): ViewState {
  return { ...state, ...CHANGES[action](state, view) };
}

/** The state after a key while the filter is being typed; `null` for a key that types nothing. */
export function editFilter(state: ViewState, key: string, char: string): ViewState | null {
  if (key === 'enter') return { ...state, filterEditing: false };
  if (key === 'escape') return { ...state, filterEditing: false, filter: '' };
  if (key === 'backspace') return { ...state, filter: [...state.filter].slice(0, -1).join('') };
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  return char === '' || /[\x00-\x1f\x7f]/.test(char) ? null : { ...state, filter: state.filter + char };
}

function sortBy(state: ViewState, step: number): Partial<ViewState> {
  const at = SORT_FIELDS.indexOf(state.sort.field);
  const field = SORT_FIELDS[(at + step + SORT_FIELDS.length) % SORT_FIELDS.length];
  return field === undefined ? {} : { sort: { field, descending: state.sort.descending } };
}

function move(state: ViewState, view: View, rows: number): Partial<ViewState> {
  if (state.helpOpen) return {};
  if (state.detail !== null) return { detailScroll: clamp(state.detailScroll + rows, view.detailEnd) };
  const drawn = view.tables[state.focus];
  const selected = clamp(drawn.selected + rows, view.count - 1);
  return { tables: { ...state.tables, [state.focus]: { selected, scroll: drawn.scroll } } };
}

function clamp(value: number, last: number): number {
  return Math.max(0, Math.min(value, last));
}

function focus(state: ViewState, step: number): Partial<ViewState> {
  if (state.helpOpen || state.detail !== null) return {};
  const next = TABLES[(TABLES.indexOf(state.focus) + step + TABLES.length) % TABLES.length];
  return next === undefined ? {} : { focus: next };
}

function open(state: ViewState, view: View): Partial<ViewState> {
  if (state.helpOpen || state.detail !== null) return {};
  if (view.lifecycle !== null) return { detail: view.lifecycle, detailScroll: 0 };
  return view.tgid === 0 ? {} : { filter: `pid:${view.tgid}`, focus: 'latest' };
}
