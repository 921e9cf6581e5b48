// SPDX-License-Identifier: MIT
/** What the person at the keyboard chose. The view is a function of this and of two snapshots; it keeps nothing itself. */
import type { AlertStatus } from '../alerts/event.js';
import type { Lifecycle } from '../lifecycle/lifecycle.js';

export const VIEWS = [
  'overview',
  'processes',
  'vmas',
  'causes',
  'waits',
  'writers',
  'lifecycles',
  'alerts',
  'health',
] as const;
export type ViewId = (typeof VIEWS)[number];

export type ListId =
  | 'processes'
  | 'vmas'
  | 'causes'
  | 'waits'
  | 'blockers'
  | 'lockNow'
  | 'writers'
  | 'latest'
  | 'slowest'
  | 'inFlight'
  | 'alerts'
  | 'hooks'
  | 'programs';

/** The lists of each view, in the order `l` goes through them. */
export const LISTS_OF: Readonly<Record<ViewId, readonly [ListId, ...ListId[]]>> = {
  overview: ['processes', 'inFlight'],
  processes: ['processes'],
  vmas: ['vmas'],
  causes: ['causes'],
  waits: ['waits'],
  writers: ['blockers', 'lockNow', 'writers'],
  lifecycles: ['latest', 'slowest', 'inFlight'],
  alerts: ['alerts'],
  health: ['hooks', 'programs'],
};

export interface Sort {
  readonly field: string;
  readonly descending: boolean;
}

export interface ListState {
  /** Index of the selected row; the view clamps it. */
  readonly selected: number;
  /** What the selected row is about: the selection follows it as rows move. null at the top: that stays at the top. */
  readonly key: string | null;
  /** Index of the first row shown; the view moves it so that the selection shows. */
  readonly scroll: number;
  /** null: the order the list has by itself. */
  readonly sort: Sort | null;
}

/** What is being typed in the footer. */
export interface Prompt {
  readonly kind: 'filter' | 'search' | 'goto' | 'export';
  readonly text: string;
}

export interface Note {
  readonly text: string;
  readonly bad: boolean;
}

/** Something to look at on the time line of a replay. */
export interface Marker {
  /** ns since the session's base */
  readonly time: number;
  readonly kind: 'loss' | 'missed' | 'violation' | 'alert' | 'damage';
  readonly text: string;
}

/** Where a replay stands, for one frame. Times in ns since the session's base. */
export interface ReplayState {
  readonly position: number;
  readonly duration: number;
  readonly atEnd: boolean;
  /** Recorded time per time. */
  readonly speed: number;
  readonly paused: boolean;
  /** It is read for the first time: what is shown is what was read so far. */
  readonly reading: boolean;
  /** Where a seek under way goes to; null while none is. */
  readonly seeking: number | null;
  readonly markers: readonly Marker[];
}

/** Faults a filter leaves, for which a recording was read again. */
export interface FoundFaults {
  readonly filter: string;
  /** Time it was read up to, ns. */
  readonly upTo: number;
  readonly faults: readonly Lifecycle[];
}

export interface ViewState {
  readonly width: number;
  readonly height: number;
  readonly source: 'live' | 'replay' | 'stream';
  readonly paused: boolean;
  /** The source has no more: with no End row seen, it was cut off. */
  readonly sourceEnded: boolean;
  readonly intervalMs: number;
  readonly view: ViewId;
  /** The list of each view that the keys act on. */
  readonly focus: Readonly<Record<ViewId, ListId>>;
  readonly lists: Readonly<Partial<Record<ListId, ListState>>>;
  readonly filter: string;
  readonly prompt: Prompt | null;
  readonly helpOpen: boolean;
  /** The selected row and its words, in full. */
  readonly infoOpen: boolean;
  /** Of whichever of the two is open. */
  readonly helpScroll: number;
  /** The lifecycle shown in full, and how far its text is scrolled. */
  readonly detail: Lifecycle | null;
  /** Time of the snapshot it was last seen in: its clocks stand there when it is in no list any more. */
  readonly detailAt: number;
  readonly detailScroll: number;
  /** Time axis of charts and heat maps: the whole session, or the last minutes. */
  readonly axis: 'whole' | 'recent';
  /** Lists that can be, as a tree: by container, pod or unit. */
  readonly tree: boolean;
  readonly replay: ReplayState | null;
  /** File being recorded to; null when none. */
  readonly recording: string | null;
  /** Said in the footer until the next key. */
  readonly note: Note | null;
  readonly found: FoundFaults | null;
  /** Every alert rule as it stands; null when none are watched. */
  readonly alerts: readonly AlertStatus[] | null;
}

export const TOP: ListState = { selected: 0, key: null, scroll: 0, sort: null };

export function initialState(
  width: number,
  height: number,
  source: ViewState['source'],
  intervalMs: number,
): ViewState {
  const focus = Object.fromEntries(VIEWS.map((view) => [view, LISTS_OF[view][0]])) as Record<ViewId, ListId>;
  return {
    width,
    height,
    source,
    paused: false,
    sourceEnded: false,
    intervalMs,
    view: 'overview',
    focus,
    lists: {},
    filter: '',
    prompt: null,
    helpOpen: false,
    infoOpen: false,
    helpScroll: 0,
    detail: null,
    detailAt: 0,
    detailScroll: 0,
    axis: source === 'replay' ? 'whole' : 'recent',
    tree: false,
    replay: null,
    recording: null,
    note: null,
    found: null,
    alerts: null,
  };
}

export function listState(state: ViewState, id: ListId): ListState {
  return state.lists[id] ?? TOP;
}
