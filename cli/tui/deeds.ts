// SPDX-License-Identifier: MIT
/** What keys do beyond the state: they end the dashboard, write files, or steer a replay. One row an action. */
import { copyText, exportCsv, exportFault, exportJson } from '../../src/core/view/export.js';
import { drawnState } from '../../src/core/view/view.js';
import { exportName, type OuterAction } from './actions.js';
import type { Desk } from './desk.js';
import { parseTime } from './playback.js';

type Deed = (desk: Desk, key: string) => void;

export const DEEDS: Readonly<Record<OuterAction, Deed>> = {
  quit: (desk, key) => desk.leave(key === 'C-c' ? 'SIGINT' : null),
  suspend: () => process.kill(process.pid, 'SIGTSTP'),
  pause: (desk) => {
    if (desk.playback === null) desk.change({ ...desk.state, paused: !desk.state.paused });
    else desk.playback.pause();
  },
  copy,
  record,
  seekBack: ({ playback }) => void playback?.seekBy(-1),
  seekForward: ({ playback }) => void playback?.seekBy(1),
  speedDown: ({ playback }) => playback?.slower(),
  speedUp: ({ playback }) => playback?.faster(),
  step: ({ playback }) => void playback?.step(),
  markerNext: (desk) => toMarker(desk, 1),
  markerPrevious: (desk) => toMarker(desk, -1),
};

function toMarker(desk: Desk, direction: 1 | -1): void {
  const none = direction === 1 ? 'no marker behind this' : 'no marker before this';
  void desk.playback?.marker(direction).then((text) => desk.say(text ?? none));
}

/** Where `text` says; an empty one stays. */
export function goTo(desk: Desk, text: string): void {
  const { playback } = desk;
  if (playback === null || text === '') return;
  const time = parseTime(text, playback.replay.duration);
  if (time === null) desk.say(`no time: ${text}; 12.5, 1:02 or -3 from the end`, true);
  else void playback.seek(time);
}

function copy(desk: Desk): void {
  const { state, view, screen } = desk;
  const text = view.rows === null ? '' : copyText(view.rows, drawnState(view, state).selected, state);
  if (text === '') {
    desk.say('nothing to copy', true);
    return;
  }
  screen.copy(text);
  const [first = ''] = text.split('\n');
  desk.say(`sent to the clipboard: ${first}`);
}

function record(desk: Desk): void {
  const { recorder } = desk.options;
  if (recorder === undefined) {
    desk.say('nothing is recorded here', true);
    return;
  }
  recorder.toggle().then(
    (text) => desk.say(text),
    (error: unknown) => desk.say(messageOf(error), true),
  );
}

/** The list at hand, or the fault that is open. */
export function exportAs(desk: Desk, format: 'json' | 'csv'): void {
  const { snapshot, state, view, options } = desk;
  if (snapshot === null || view.rows === null || options.save === undefined) {
    desk.say('nothing to export', true);
    return;
  }
  if (state.detail !== null && format === 'csv') {
    desk.say('one fault is no table: export it as JSON', true);
    return;
  }
  const text =
    state.detail !== null
      ? exportFault(state.detail, snapshot)
      : format === 'csv'
        ? exportCsv(view.rows)
        : exportJson(view.rows, snapshot, state);
  try {
    desk.say(`written: ${options.save(exportName(state), format, text)}`);
  } catch (error) {
    desk.say(messageOf(error), true);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
