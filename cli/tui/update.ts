// SPDX-License-Identifier: MIT
/** What each key does to the state: one row an action. Those that reach outside the state are the dashboard's own. */
import { type Action, keysOf } from '../../src/core/view/keys.js';
import {
  LISTS_OF,
  type ListId,
  listState,
  TOP,
  VIEWS,
  type ViewId,
  type ViewState,
} from '../../src/core/view/state.js';
import { drawnState, type View } from '../../src/core/view/view.js';

/** Intervals `+` and `-` go through, ms. */
const INTERVALS: readonly number[] = [250, 500, 1000, 2000, 5000, 10_000];

/** Actions of the dashboard itself: they end it, write files, or steer a replay. */
const OUTER = [
  'quit',
  'suspend',
  'pause',
  'copy',
  'record',
  'seekBack',
  'seekForward',
  'speedDown',
  'speedUp',
  'step',
  'markerNext',
  'markerPrevious',
] as const;
export type OuterAction = (typeof OUTER)[number];
export type StateAction = Exclude<Action, OuterAction>;

type Change = (state: ViewState, view: View, key: string) => Partial<ViewState>;

/** The action of a key on such a source. */
export function actionOf(key: string, source: ViewState['source']): Action | undefined {
  return keysOf(source).find((binding) => binding.keys.includes(key))?.action;
}

export function isOuter(action: Action): action is OuterAction {
  return OUTER.some((outer) => outer === action);
}

const CLOSED = { helpOpen: false, infoOpen: false, detail: null } as const;

const CHANGES: Readonly<Record<StateAction, Change>> = {
  help: (s) => ({ helpOpen: !s.helpOpen, infoOpen: false, helpScroll: 0 }),
  info: (s) => ({ infoOpen: !s.infoOpen, helpOpen: false, helpScroll: 0 }),
  tree,
  sortNext: (s, v) => sortBy(s, v, 1),
  sortPrevious: (s, v) => sortBy(s, v, -1),
  sortReverse: (s, v) => reverse(s, v),
  filter: (s) => ({ prompt: { kind: 'filter', text: s.filter }, ...CLOSED }),
  search: () => ({ prompt: { kind: 'search', text: '' }, ...CLOSED }),
  goTo: () => ({ prompt: { kind: 'goto', text: '' }, helpOpen: false, infoOpen: false }),
  export: (s, v) => (v.rows === null ? {} : { prompt: { kind: 'export', text: exportName(s) } }),
  up: (s, v) => move(s, v, -1),
  down: (s, v) => move(s, v, 1),
  pageUp: (s, v) => move(s, v, -(v.lists[v.focus]?.page ?? 1)),
  pageDown: (s, v) => move(s, v, v.lists[v.focus]?.page ?? 1),
  home: (s, v) => move(s, v, Number.NEGATIVE_INFINITY),
  end: (s, v) => move(s, v, Number.POSITIVE_INFINITY),
  view: (_s, _v, key) => show(VIEWS[Number(key) - 1]),
  viewNext: (s) => show(VIEWS[(VIEWS.indexOf(s.view) + 1) % VIEWS.length]),
  viewPrevious: (s) => show(VIEWS[(VIEWS.indexOf(s.view) + VIEWS.length - 1) % VIEWS.length]),
  listNext: nextList,
  axis: (s) => ({ axis: s.axis === 'whole' ? 'recent' : 'whole' }),
  slower: (s) => ({ intervalMs: INTERVALS.find((ms) => ms > s.intervalMs) ?? s.intervalMs }),
  faster: (s) => ({ intervalMs: INTERVALS.findLast((ms) => ms < s.intervalMs) ?? s.intervalMs }),
  detail: open,
  back: (s) => {
    if (s.helpOpen || s.infoOpen) return { helpOpen: false, infoOpen: false };
    return s.detail === null ? { filter: '' } : { detail: null };
  },
};

/** The state after `action`, given what was drawn of the state before. */
export function applyAction(state: ViewState, action: StateAction, view: View, key: string): ViewState {
  return { ...state, ...CHANGES[action](state, view, key) };
}

/** What is exported, for the prompt. */
export function exportName(state: ViewState): string {
  return state.detail === null ? state.focus[state.view] : `fault of tid ${state.detail.tid}`;
}

/** The state with another row of a list selected; `null` for the key keeps the selection at the top. */
export function select(state: ViewState, view: View, list: ListId, index: number): Partial<ViewState> {
  const drawn = view.lists[list];
  const last = (list === view.focus ? (view.rows?.count ?? 0) : (drawn?.count ?? 0)) - 1;
  const selected = Math.max(0, Math.min(index, last));
  const key = selected === 0 || list !== view.focus ? null : (view.rows?.keyAt(selected) ?? null);
  const before = drawn?.state ?? listState(state, list);
  return { lists: { ...state.lists, [list]: { ...before, selected, key } } };
}

/** Sorts a list by a field; by the field it is sorted by already, the other way round. */
export function sortList(state: ViewState, view: View, list: ListId, field: string): Partial<ViewState> {
  const before = listState(state, list);
  const now = before.sort ?? (list === view.focus ? (view.rows?.sort ?? null) : null);
  const descending = now?.field === field ? !now.descending : true;
  return { lists: { ...state.lists, [list]: { ...TOP, sort: { field, descending } } } };
}

export function focusList(state: ViewState, list: ListId): Partial<ViewState> {
  return LISTS_OF[state.view].includes(list) ? { focus: { ...state.focus, [state.view]: list } } : {};
}

function show(view: ViewId | undefined): Partial<ViewState> {
  return view === undefined ? {} : { view, ...CLOSED };
}

/** Something lies over the lists. */
function isCovered({ helpOpen, infoOpen, detail }: ViewState): boolean {
  return helpOpen || infoOpen || detail !== null;
}

function tree(state: ViewState, view: View): Partial<ViewState> {
  if (view.rows?.hasGroups !== true) return { note: { text: 'this list has no containers to group by', bad: false } };
  return {
    tree: !state.tree,
    lists: { ...state.lists, [view.focus]: { ...TOP, sort: listState(state, view.focus).sort } },
  };
}

function nextList(state: ViewState): Partial<ViewState> {
  if (isCovered(state)) return {};
  const lists = LISTS_OF[state.view];
  const next = lists[(lists.indexOf(state.focus[state.view]) + 1) % lists.length];
  return next === undefined ? {} : focusList(state, next);
}

/** The columns that show are gone through, and after the last the order the list has by itself. */
function sortBy(state: ViewState, view: View, step: number): Partial<ViewState> {
  if (isCovered(state)) return {};
  const list = view.lists[view.focus];
  if (list === undefined) return {};
  const { fields } = list;
  const { sort } = list.state;
  const now = sort ?? view.rows?.sort ?? null;
  const at = now === null ? (step > 0 ? -1 : fields.length) : fields.indexOf(now.field);
  const field = fields[(at + step + fields.length) % fields.length];
  if (field === undefined) return {};
  const next = { field, descending: now?.descending ?? true };
  return { lists: { ...state.lists, [view.focus]: { ...TOP, sort: next } } };
}

function reverse(state: ViewState, view: View): Partial<ViewState> {
  const list = view.lists[view.focus];
  const now = list?.state.sort ?? view.rows?.sort ?? null;
  const [first] = list?.fields ?? [];
  const sort = now === null ? first : now.field;
  if (list === undefined || sort === undefined) return {};
  const next = { field: sort, descending: !(now?.descending ?? true) };
  return { lists: { ...state.lists, [view.focus]: { ...TOP, sort: next } } };
}

function move(state: ViewState, view: View, rows: number): Partial<ViewState> {
  if (state.helpOpen || state.infoOpen) return { helpScroll: clamp(state.helpScroll + rows, view.scrollEnd) };
  if (state.detail !== null) return { detailScroll: clamp(state.detailScroll + rows, view.scrollEnd) };
  return select(state, view, view.focus, drawnState(view, state).selected + rows);
}

function clamp(value: number, last: number): number {
  return Math.max(0, Math.min(value, last));
}

function open(state: ViewState, view: View): Partial<ViewState> {
  if (isCovered(state)) return {};
  const opening = view.rows?.open(drawnState(view, state).selected) ?? null;
  // What leads nowhere is shown in full.
  if (opening === null) return { infoOpen: true, helpScroll: 0 };
  if (opening.kind === 'fault') return { detail: opening.fault, detailScroll: 0 };
  return { filter: opening.filter, view: opening.view };
}
