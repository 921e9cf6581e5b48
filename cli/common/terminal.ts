// SPDX-License-Identifier: MIT
/** A dashboard over a source, from the first frame to the restored terminal. */
import { openSync } from 'node:fs';
import { ReadStream } from 'node:tty';
import type { Pipeline } from '../../src/core/aggregate/pipeline.js';
import type { EventBatch } from '../../src/core/events/batch.js';
import type { Source } from '../../src/core/events/source.js';
import { ExitCode, fileError } from '../../src/errors.js';
import type { Replay } from '../../src/recording/play/replay.js';
import type { Took } from '../tui/context.js';
import { Dashboard } from '../tui/dashboard.js';
import { readAgain } from '../tui/effects.js';
import { SessionRecorder } from '../tui/recorder.js';
import type { QuitSignal } from '../tui/restore-terminal.js';
import { saveText } from '../tui/save.js';
import { SettingsFile } from '../tui/settings.js';
import { feed, truncation } from './feed.js';
import { report, say, signalExitCode } from './process.js';

export interface Terminal {
  readonly input: ReadStream;
  dispose(): void;
}

/** Whether standard output is a terminal whose cursor can be moved. */
export function canDraw(): boolean {
  return process.stdout.isTTY === true && !['dumb', 'unknown'].includes(process.env.TERM ?? '');
}

/** Keys come from stdin, or from /dev/tty when stdin carries a recording. */
export function openTerminal(stdinIsData: boolean): Terminal {
  if (!stdinIsData) return { input: process.stdin, dispose: () => process.stdin.pause() };
  try {
    const input = new ReadStream(openSync('/dev/tty', 'r'));
    return { input, dispose: () => void input.destroy() };
  } catch (error) {
    throw fileError('cannot read keys from /dev/tty', error);
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The default rules, read after the first frame. */
function watchAlerts(dashboard: Dashboard): void {
  void import('../../src/actions/rules.js')
    .then(({ loadRules }) => loadRules())
    .then(
      (rules) => dashboard.watch(rules),
      (error: unknown) => dashboard.say(`no alerts: ${wordsOf(error)}`, true),
    );
}

export interface ShowOptions {
  readonly source: Source;
  readonly pipeline: Pipeline;
  readonly terminal: Terminal;
  readonly mode: 'live' | 'stream';
  readonly intervalMs: number;
  /** Live: end after this time. */
  readonly durationMs?: number;
  readonly speed?: number;
  /** Of rows, from the beginning on. */
  readonly filter?: string;
  /** What each frame took: for benchmarks. */
  onFrame?(took: Took): void;
}

/** A promise of the moment the person or a signal asks to end. */
class Quitting {
  #resolve: () => void = () => {};
  asked = false;
  signal: QuitSignal | null = null;
  readonly done: Promise<void> = new Promise((resolve) => {
    this.#resolve = resolve;
  });

  quit(by: QuitSignal | null): void {
    this.asked = true;
    this.signal ??= by;
    this.#resolve();
  }

  get exitCode(): number {
    return this.signal === null ? ExitCode.Ok : signalExitCode(this.signal);
  }
}

/** Shows a session until the user quits, a signal comes, or the time is up; a stream that ended stays on the screen. */
export async function showDashboard(options: ShowOptions): Promise<number> {
  const { source, pipeline, terminal, mode } = options;
  const quitting = new Quitting();
  const recorder = new SessionRecorder(source.session, {
    onFailure: (error) => dashboard.say(`recording ended: ${wordsOf(error)}`, true),
  });
  const refresh = (): void => dashboard.update(pipeline.snapshot());
  let timer: NodeJS.Timeout = setInterval(refresh, options.intervalMs);
  const dashboard = new Dashboard({
    output: process.stdout,
    input: terminal.input,
    mode,
    intervalMs: options.intervalMs,
    recorder,
    save: saveText,
    settings: new SettingsFile(),
    filter: options.filter ?? '',
    ...(options.onFrame === undefined ? {} : { onFrame: options.onFrame }),
    // It watches for signals itself: the terminal is restored before anybody else acts on one.
    onQuit: (signal) => quitting.quit(signal),
    onInterval: (intervalMs) => {
      clearInterval(timer);
      timer = setInterval(refresh, intervalMs);
    },
  });
  const limit =
    options.durationMs === undefined ? undefined : setTimeout(() => quitting.quit(null), options.durationMs);
  let failure: unknown = null;
  let fed: Promise<void> = Promise.resolve();
  const sink = {
    push: (batch: EventBatch): Promise<void> => {
      pipeline.push(batch);
      return recorder.push(batch);
    },
  };
  try {
    refresh();
    watchAlerts(dashboard);
    const pace = options.speed === undefined ? {} : { speed: options.speed };
    fed = feed(source, sink, { ...pace, stopped: () => quitting.asked && mode !== 'live' }).then(({ error }) => {
      failure = error;
      if (quitting.asked) return;
      refresh();
      dashboard.sourceEnded();
    });
    await (mode === 'live' ? Promise.race([fed, quitting.done]) : quitting.done);
  } finally {
    clearInterval(timer);
    clearTimeout(limit);
    dashboard.destroy();
    terminal.dispose();
  }
  await source.close();
  // A pipe that stays open and silent would never end the loop: only a live source is drained to its end.
  if (mode === 'live') await fed;
  await recorder.close().catch((error: unknown) => {
    failure ??= error;
  });
  const cut = truncation(source);
  if (cut !== null && mode !== 'live') say(`the recording was cut off: ${cut}`);
  return failure === null ? quitting.exitCode : report(failure);
}

export interface ShowReplayOptions {
  readonly replay: Replay;
  readonly terminal: Terminal;
  readonly intervalMs: number;
  /** Play from the beginning at this speed; absent: go to where its longest fault ends, at once. */
  readonly speed?: number;
  /** Of rows, from the beginning on. */
  readonly filter?: string;
}

/** Shows a recording until the user quits or a signal comes. */
export async function showReplay(options: ShowReplayOptions): Promise<number> {
  const { replay, terminal, intervalMs, speed, filter = '' } = options;
  const quitting = new Quitting();
  const dashboard = new Dashboard({
    output: process.stdout,
    input: terminal.input,
    mode: 'replay',
    intervalMs,
    replay,
    save: saveText,
    settings: new SettingsFile(),
    filter,
    onQuit: (signal) => quitting.quit(signal),
  });
  try {
    const failed = new Promise<never>((_, reject) => {
      dashboard.play(speed).then(() => {
        if (quitting.asked) return;
        watchAlerts(dashboard);
        readAgain(dashboard);
      }, reject);
    });
    await Promise.race([quitting.done, failed]);
  } finally {
    dashboard.destroy();
    terminal.dispose();
  }
  const { truncated, error } = replay;
  await replay.close();
  if (truncated !== null) say(`the recording was cut off: ${truncated}`);
  return error === null ? quitting.exitCode : report(error);
}
