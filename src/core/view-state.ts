// SPDX-License-Identifier: MIT
/** What the person at the keyboard chose. The view is a function of this and of two snapshots; it keeps nothing itself. */
import type { Lifecycle } from './lifecycle.js';

export const TABLES = ['processes', 'latest', 'inFlight'] as const;
export type TableId = (typeof TABLES)[number];

export interface TableState {
  /** Index of the selected row; the view clamps it. */
  readonly selected: number;
  /** Index of the first row shown; the view moves it so that the selection shows. */
  readonly scroll: number;
}

/** A rate over time, oldest first. */
export interface History {
  readonly title: string;
  readonly values: readonly number[];
}

export interface ViewState {
  readonly width: number;
  readonly height: number;
  readonly source: 'live' | 'replay' | 'stream';
  readonly paused: boolean;
  /** The source has no more: with no End row seen, it was cut off. */
  readonly sourceEnded: boolean;
  readonly intervalMs: number;
  readonly focus: TableId;
  readonly tables: Readonly<Record<TableId, TableState>>;
  /** Sort of the process table: a field id, and whether the greatest comes first. */
  readonly sort: { readonly field: string; readonly descending: boolean };
  readonly filter: string;
  readonly filterEditing: boolean;
  readonly helpOpen: boolean;
  /** The lifecycle shown in full, and how far its text is scrolled. */
  readonly detail: Lifecycle | null;
  readonly detailScroll: number;
  readonly history: readonly History[];
}

export function initialState(
  width: number,
  height: number,
  source: ViewState['source'],
  intervalMs: number,
): ViewState {
  const top: TableState = { selected: 0, scroll: 0 };
  return {
    width,
    height,
    source,
    paused: false,
    sourceEnded: false,
    intervalMs,
    focus: 'processes',
    tables: { processes: top, latest: top, inFlight: top },
    sort: { field: 'retries', descending: true },
    filter: '',
    filterEditing: false,
    helpOpen: false,
    detail: null,
    detailScroll: 0,
    history: [],
  };
}
