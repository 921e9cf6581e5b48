// SPDX-License-Identifier: MIT
/** A dashboard over a source, from the first frame to the restored terminal. */
import { openSync } from 'node:fs';
import { ReadStream } from 'node:tty';
import type { Pipeline } from '../src/core/pipeline.js';
import { ExitCode, fileError } from '../src/errors.js';
import type { Source } from '../src/source/source.js';
import { feed, truncation } from './feed.js';
import { report, say, signalExitCode } from './process.js';
import { Dashboard } from './tui/dashboard.js';
import type { QuitSignal } from './tui/guard.js';

export interface Terminal {
  readonly input: ReadStream;
  dispose(): void;
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

export interface ShowOptions {
  readonly source: Source;
  readonly pipeline: Pipeline;
  readonly terminal: Terminal;
  readonly mode: 'live' | 'replay' | 'stream';
  readonly intervalMs: number;
  /** Live: end after this time. */
  readonly durationMs?: number;
  readonly speed?: number;
}

/** Shows until the user quits, a signal comes, or the time is up; a recording that ended stays on the screen. */
export async function showDashboard(options: ShowOptions): Promise<number> {
  const { source, pipeline, terminal, mode } = options;
  let quit = (_signal: QuitSignal | null): void => {};
  let stopping = false;
  let signal: QuitSignal | null = null;
  const quitted = new Promise<void>((resolve) => {
    quit = (by): void => {
      stopping = true;
      signal ??= by;
      resolve();
    };
  });
  const refresh = (): void => dashboard.update(pipeline.snapshot());
  let timer: NodeJS.Timeout = setInterval(refresh, options.intervalMs);
  const dashboard = new Dashboard({
    output: process.stdout,
    input: terminal.input,
    mode,
    intervalMs: options.intervalMs,
    // It watches for signals itself: the terminal is restored before anybody else acts on one.
    onQuit: quit,
    onInterval: (intervalMs) => {
      clearInterval(timer);
      timer = setInterval(refresh, intervalMs);
    },
  });
  const limit = options.durationMs === undefined ? undefined : setTimeout(() => quit(null), options.durationMs);
  let failure: unknown = null;
  let fed: Promise<void> = Promise.resolve();
  try {
    refresh();
    const pace = options.speed === undefined ? {} : { speed: options.speed };
    fed = feed(source, pipeline, { ...pace, stopped: () => stopping && mode !== 'live' }).then(({ error }) => {
      failure = error;
      if (!stopping) refresh();
    });
    await (mode === 'live' ? Promise.race([fed, quitted]) : quitted);
  } finally {
    clearInterval(timer);
    clearTimeout(limit);
    dashboard.destroy();
    terminal.dispose();
  }
  await source.close();
  // A pipe that stays open and silent would never end the loop: only a live source is drained to its end.
  if (mode === 'live') await fed;
  const cut = truncation(source);
  if (cut !== null && mode !== 'live') say(`the recording was cut off: ${cut}`);
  if (failure !== null) return report(failure);
  return signal === null ? ExitCode.Ok : signalExitCode(signal);
}
