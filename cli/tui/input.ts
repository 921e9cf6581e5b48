// SPDX-License-Identifier: MIT
/** Keys and clicks: what is typed goes to the prompt that is open, else each key and each place has its action. */
import type { Click } from '../../src/core/view/layout.js';
import type { ViewState } from '../../src/core/view/state.js';
import { drawnState } from '../../src/core/view/view.js';
import type { DashboardContext } from './context.js';
import { EFFECTS, exportAs, goTo, readAgain } from './effects.js';
import { actionOf, applyAction, focusList, isOuter, select, sortList } from './update.js';

/** `key`: blessed's name of it; `char`: what it types, if anything. */
export function pressed(context: DashboardContext, key: string, char: string): void {
  // Ctrl-C quits whatever is being typed.
  if (context.state.prompt !== null && key !== 'C-c') {
    typed(context, key, char);
    return;
  }
  const action = actionOf(key, context.options.mode);
  if (action === undefined) return;
  if (context.state.note !== null) context.change({ ...context.state, note: null });
  if (isOuter(action)) {
    EFFECTS[action](context, key);
    context.redraw();
  } else {
    context.change(applyAction(context.state, action, context.view, key));
    if (action === 'detail') readAgain(context);
  }
}

function typed(context: DashboardContext, key: string, char: string): void {
  const { prompt } = context.state;
  if (prompt === null) return;
  const { kind, text } = prompt;
  const closed = (): ViewState => ({ ...context.state, prompt: null });
  if (kind === 'export') {
    context.change(closed());
    if (key === 'j') exportAs(context, 'json');
    else if (key === 'c') exportAs(context, 'csv');
    return;
  }
  const type = (next: string): void => {
    if (kind === 'search') {
      context.change({ ...context.state, prompt: { kind, text: next }, ...found(context, next, 0) });
      return;
    }
    const filter = kind === 'filter' ? { filter: next } : {};
    context.change({ ...context.state, prompt: { kind, text: next }, ...filter });
  };
  if (kind === 'search' && key === 'f3') {
    context.change({ ...context.state, ...found(context, text, 1) });
  } else if (key === 'escape') {
    context.change(kind === 'filter' ? { ...closed(), filter: '' } : closed());
  } else if (key === 'backspace') {
    type([...text].slice(0, -1).join(''));
  } else if (key === 'enter') {
    context.change(closed());
    if (kind === 'goto') goTo(context, text);
    if (kind === 'filter') readAgain(context);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  } else if (char !== '' && !/[\x00-\x1f\x7f]/.test(char)) {
    type(text + char);
  }
}

/** The row with `text` selected: the one that is, if it has it, and the next ones; from the next one on with `step` 1. */
function found({ state, view }: DashboardContext, text: string, step: 0 | 1): Partial<ViewState> {
  const { rows, focus } = view;
  if (rows === null || text === '') return {};
  const at = rows.find(text, drawnState(view, state).selected + step);
  return at === -1 ? {} : select(state, view, focus, at);
}

/** A press of the left button on a cell, or a turn of the wheel: -1 up, 1 down. */
export function pointed(context: DashboardContext, x: number, y: number, wheel: -1 | 0 | 1): void {
  const { state, view } = context;
  if (state.prompt !== null) return;
  if (wheel !== 0) {
    context.change(applyAction(state, wheel < 0 ? 'up' : 'down', view, ''));
    return;
  }
  const inside = (hit: { left: number; top: number; width: number; height: number }): boolean =>
    x >= hit.left && x < hit.left + hit.width && y >= hit.top && y < hit.top + hit.height;
  const hit = view.hits.find(inside);
  if (hit !== undefined) clicked(context, hit.click);
}

function clicked(context: DashboardContext, click: Click): void {
  const { state, view } = context;
  switch (click.kind) {
    case 'view':
      context.change({ ...state, view: click.view, detail: null, helpOpen: false, infoOpen: false });
      return;
    case 'seek':
      void context.playback?.seek(click.time);
      return;
    case 'focus':
      context.change({ ...state, ...focusList(state, click.list) });
      return;
    case 'sort':
      context.change({ ...state, ...sortList(state, view, click.list, click.field) });
      return;
    case 'row':
      clickedRow(context, click);
  }
}

/** A click on the selected row opens it; on another one, it selects that. */
function clickedRow(context: DashboardContext, { list, index }: Extract<Click, { kind: 'row' }>): void {
  const { state, view } = context;
  if (list === view.focus && view.lists[list]?.state.selected === index) {
    context.change(applyAction(state, 'detail', view, ''));
    readAgain(context);
    return;
  }
  const focused = { ...state, ...focusList(state, list) };
  context.change({ ...focused, ...select(focused, context.viewOf(focused), list, index) });
}
