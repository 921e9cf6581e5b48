// SPDX-License-Identifier: MIT
/** `check`: the rules of page-fault locking, held to a live session, to a command's run, or to a recording. */
import { Checker } from '../../src/core/check/checker.js';
import { checkText } from '../../src/core/check/text.js';
import { ExitCode, UserError } from '../../src/errors.js';
import type { Source } from '../../src/source/source.js';
import { feed, truncation } from '../feed.js';
import type { LiveCliOptions, StretchCliOptions } from '../options.js';
import { onStopSignal, print, report, say, signalExitCode } from '../process.js';
import {
  type CommandResult,
  describeResult,
  forwardOrStop,
  type LiveSource,
  openLiveSource,
  openRecorded,
  startCommand,
  stopAll,
} from '../source.js';

export interface CheckOptions extends LiveCliOptions, StretchCliOptions {
  readonly json?: boolean;
}

/** How often a live session says on a terminal how far it is. */
const PROGRESS_MS = 10_000;

function progress(checker: Checker): void {
  const { lifecycles, rules } = checker.report();
  const violated = rules.filter((rule) => rule.result === 'violated').map((rule) => rule.rule);
  const words = violated.length === 0 ? 'no violation so far' : `rules violated so far: ${violated.join(', ')}`;
  say(`${lifecycles.total} lifecycles checked, ${words}`);
}

/** Runs until the source ends, the time is up, the command ended or a signal came. Exit code 1 when a rule is violated. */
export async function check(file: string | undefined, argv: readonly string[], options: CheckOptions): Promise<number> {
  if (file !== undefined && argv.length > 0) {
    throw new UserError('check', 'both a recording and a command were given', 'name one of them', ExitCode.Usage);
  }
  const live: LiveSource | null = file === undefined ? await openLiveSource(options, argv.length > 0, false) : null;
  const source: Source = live ?? (await openRecorded(file ?? '-', options));
  const checker = new Checker(source.session);
  let stopping = false;
  const stop = (): void => {
    stopping = true;
    source.close().catch((error: unknown) => say(String(error)));
  };

  let command: CommandResult | null = null;
  let failure: unknown = null;
  const child = live !== null && argv.length > 0 ? startCommand(live, argv) : null;
  live?.dropPrivileges();
  child?.done
    .then(
      (result) => {
        command = result;
      },
      (error: unknown) => {
        failure = error;
      },
    )
    .finally(stop);
  const watch = onStopSignal((signal) => forwardOrStop(signal, child, stop));
  const limit =
    options.duration === undefined ? undefined : setTimeout(() => stopAll(child, stop), options.duration * 1000);
  const teller = live !== null && process.stderr.isTTY ? setInterval(() => progress(checker), PROGRESS_MS) : undefined;
  if (live !== null && child === null && options.duration === undefined && process.stderr.isTTY)
    say('checking; Ctrl-C ends it and prints the result');

  // A live source still has its last records and its End row to give after close(): only recordings stop at once.
  const { error } = await feed(source, checker, { stopped: () => live === null && stopping });
  failure ??= error;
  clearTimeout(limit);
  clearInterval(teller);
  await source.close();
  await child?.done.catch(() => {});
  // A command that never ran shows nothing.
  if (child !== null && command === null) return report(failure);
  checker.finish();

  const truncated = stopping ? null : truncation(source);
  const result = checker.report();
  if (options.json === true) {
    const more = { ...(command !== null && { command }), ...(truncated !== null && { truncated }) };
    await print(`${JSON.stringify({ ...result, ...more })}\n`);
  } else {
    const remarks = truncated === null ? [] : [`CUT OFF: ${truncated}`];
    if (command !== null) remarks.push(commandLine(command));
    await print(checkText(result, source.session.host, remarks));
  }
  watch.dispose();
  if (truncated !== null) say(`the recording was cut off: ${truncated}`);
  if (failure !== null) return report(failure);
  if (result.rules.some((rule) => rule.result === 'violated')) return ExitCode.Finding;
  return watch.signal === null ? ExitCode.Ok : signalExitCode(watch.signal);
}

function commandLine(result: CommandResult): string {
  return `command: ${result.argv.join(' ')} (${describeResult(result)})`;
}
