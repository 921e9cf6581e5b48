// SPDX-License-Identifier: MIT
/** Keys and clicks: what is typed goes to the prompt that is open, else each key and each place has its action. */
import type { Click } from '../../src/core/view/layout.js';
import type { ViewState } from '../../src/core/view/state.js';
import { actionOf, applyAction, focusList, isOuter, select, sortList } from './actions.js';
import { DEEDS, exportAs, goTo } from './deeds.js';
import type { Desk } from './desk.js';

/** `key`: blessed's name of it; `char`: what it types, if anything. */
export function pressed(desk: Desk, key: string, char: string): void {
  // Ctrl-C quits whatever is being typed.
  if (desk.state.prompt !== null && key !== 'C-c') {
    typed(desk, key, char);
    return;
  }
  const action = actionOf(key, desk.options.mode);
  if (action === undefined) return;
  if (desk.state.note !== null) desk.change({ ...desk.state, note: null });
  if (isOuter(action)) {
    DEEDS[action](desk, key);
    desk.redraw();
  } else {
    desk.change(applyAction(desk.state, action, desk.view, key));
  }
}

function typed(desk: Desk, key: string, char: string): void {
  const { prompt } = desk.state;
  if (prompt === null) return;
  const { kind, text } = prompt;
  const closed = (): ViewState => ({ ...desk.state, prompt: null });
  if (kind === 'export') {
    desk.change(closed());
    if (key === 'j') exportAs(desk, 'json');
    else if (key === 'c') exportAs(desk, 'csv');
    return;
  }
  const type = (next: string): void => {
    const filter = kind === 'filter' ? { filter: next } : {};
    desk.change({ ...desk.state, prompt: { kind, text: next }, ...filter });
  };
  if (key === 'escape') {
    desk.change(kind === 'filter' ? { ...closed(), filter: '' } : closed());
  } else if (key === 'backspace') {
    type([...text].slice(0, -1).join(''));
  } else if (key === 'enter') {
    desk.change(closed());
    if (kind === 'goto') goTo(desk, text);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  } else if (char !== '' && !/[\x00-\x1f\x7f]/.test(char)) {
    type(text + char);
  }
}

/** A press of the left button on a cell, or a turn of the wheel: -1 up, 1 down. */
export function pointed(desk: Desk, x: number, y: number, wheel: -1 | 0 | 1): void {
  const { state, view } = desk;
  if (state.prompt !== null) return;
  if (wheel !== 0) {
    desk.change(applyAction(state, wheel < 0 ? 'up' : 'down', view, ''));
    return;
  }
  const inside = (hit: { left: number; top: number; width: number; height: number }): boolean =>
    x >= hit.left && x < hit.left + hit.width && y >= hit.top && y < hit.top + hit.height;
  const hit = view.hits.find(inside);
  if (hit !== undefined) clicked(desk, hit.click);
}

function clicked(desk: Desk, click: Click): void {
  const { state, view } = desk;
  switch (click.kind) {
    case 'view':
      desk.change({ ...state, view: click.view, detail: null, helpOpen: false });
      return;
    case 'seek':
      void desk.playback?.seek(click.time);
      return;
    case 'focus':
      desk.change({ ...state, ...focusList(state, click.list) });
      return;
    case 'sort':
      desk.change({ ...state, ...sortList(state, view, click.list, click.field) });
      return;
    case 'row':
      clickedRow(desk, click);
  }
}

/** A click on the selected row opens it; on another one, it selects that. */
function clickedRow(desk: Desk, { list, index }: Extract<Click, { kind: 'row' }>): void {
  const { state, view } = desk;
  if (list === view.focus && view.lists[list]?.state.selected === index) {
    desk.change(applyAction(state, 'detail', view, ''));
    return;
  }
  const focused = { ...state, ...focusList(state, list) };
  desk.change({ ...focused, ...select(focused, desk.viewOf(focused), list, index) });
}
