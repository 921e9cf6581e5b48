// SPDX-License-Identifier: MIT
/** What keys do beyond the state: they end the dashboard, write files, or steer a replay. One row an action. */
import { copyText, exportCsv, exportFault, exportJson } from '../../src/core/view/export.js';
import { faultFilter } from '../../src/core/view/fault-lists.js';
import { drawnState } from '../../src/core/view/view.js';
import type { DashboardContext } from './context.js';
import { parseTime } from './playback.js';
import { exportName, type OuterAction } from './update.js';

type Effect = (context: DashboardContext, key: string) => void;

export const EFFECTS: Readonly<Record<OuterAction, Effect>> = {
  quit: (context, key) => context.leave(key === 'C-c' ? 'SIGINT' : null),
  suspend: () => process.kill(process.pid, 'SIGTSTP'),
  pause: (context) => {
    if (context.playback === null) context.change({ ...context.state, paused: !context.state.paused });
    else context.playback.pause();
  },
  copy,
  record,
  seekBack: ({ playback }) => void playback?.seekBy(-1),
  seekForward: ({ playback }) => void playback?.seekBy(1),
  speedDown: ({ playback }) => playback?.slower(),
  speedUp: ({ playback }) => playback?.faster(),
  step: ({ playback }) => void playback?.step(),
  markerNext: (context) => toMarker(context, 1),
  markerPrevious: (context) => toMarker(context, -1),
};

function toMarker(context: DashboardContext, direction: 1 | -1): void {
  const none = direction === 1 ? 'no marker behind this' : 'no marker before this';
  void context.playback?.marker(direction).then((text) => context.say(text ?? none));
}

/** Where `text` says; an empty one stays. */
export function goTo(context: DashboardContext, text: string): void {
  const { playback } = context;
  if (playback === null || text === '') return;
  const time = parseTime(text, playback.replay.duration);
  if (time === null) context.say(`no time: ${text}; 12.5, 1:02 or -3 from the end`, true);
  else void playback.seek(time);
}

/**
 * A recording has more of the faults that a filter leaves than a session keeps: it is read again for them, once a filter
 * is set. What is found is dropped when the filter is another one by then.
 */
export function readAgain(context: DashboardContext): void {
  const { playback, snapshot, state } = context;
  const { filter } = state;
  if (playback === null || snapshot === null || filter === '') return;
  if (state.found?.filter === filter && state.found.upTo >= snapshot.time) return;
  const upTo = playback.replay.position;
  const stopped = (): boolean => context.state.filter !== filter;
  playback.replay.faults(faultFilter(filter, snapshot), stopped).then(
    (faults) => {
      if (faults === null || stopped()) return;
      context.change({ ...context.state, found: { filter, upTo, faults } });
      context.say(`${faults.length} faults up to here, as the recording has them`);
    },
    (error: unknown) => context.say(messageOf(error), true),
  );
}

function copy(context: DashboardContext): void {
  const { snapshot, state, view, screen } = context;
  const text = view.rows === null ? '' : copyText(view.rows, drawnState(view, state).selected, state, snapshot);
  if (text === '') {
    context.say('nothing to copy', true);
    return;
  }
  screen.copy(text);
  const [first = ''] = text.split('\n');
  context.say(`sent to the clipboard: ${first}`);
}

function record(context: DashboardContext): void {
  const { recorder } = context.options;
  if (recorder === undefined) {
    context.say('nothing is recorded here', true);
    return;
  }
  recorder.toggle().then(
    (text) => context.say(text),
    (error: unknown) => context.say(messageOf(error), true),
  );
}

/** The list at hand, or the fault that is open. */
export function exportAs(context: DashboardContext, format: 'json' | 'csv'): void {
  const { snapshot, state, view, options } = context;
  if (snapshot === null || view.rows === null || options.save === undefined) {
    context.say('nothing to export', true);
    return;
  }
  if (state.detail !== null && format === 'csv') {
    context.say('one fault is not a table: export it as JSON', true);
    return;
  }
  const text =
    state.detail !== null
      ? exportFault(state.detail, snapshot)
      : format === 'csv'
        ? exportCsv(view.rows)
        : exportJson(view.rows, snapshot, state);
  options.save(exportName(state), format, text).then(
    (name) => context.say(`written: ${name}`),
    (error: unknown) => context.say(messageOf(error), true),
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
