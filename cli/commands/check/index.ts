// SPDX-License-Identifier: MIT
/** `check`: the rules of page-fault locking, held to a live session, to a command's run, or to a recording. */

import { Checker } from '../../../src/core/check/checker.js';
import { checkText } from '../../../src/core/check/text.js';
import { jsonOf } from '../../../src/core/present/clean.js';
import { ExitCode } from '../../../src/errors.js';
import { type CommandResult, describeResult } from '../../common/open.js';
import { print, report, say } from '../../common/process.js';
import { followRun, openRun, type RunOptions, refuseBoth } from '../../common/session.js';

export interface CheckOptions extends RunOptions {
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
  refuseBoth('check', file, argv);
  // Releases of VMA locks are what several rules are about.
  const release = options.release === 'auto' ? 'best' : options.release;
  const run = await openRun(file, argv, { ...options, release }, false);
  const { source, live } = run;
  const checker = new Checker(source.session);
  const teller = live !== null && process.stderr.isTTY ? setInterval(() => progress(checker), PROGRESS_MS) : undefined;
  const end = await followRun(run, checker, 'checking; Ctrl-C ends it and prints the result');
  clearInterval(teller);
  const { failure, command, truncated } = end;
  // A command that never ran shows nothing.
  if (end.empty) return report(failure);
  checker.finish();

  const result = checker.report();
  if (options.json === true) {
    const more = { ...(command !== null && { command }), ...(truncated !== null && { truncated }) };
    await print(jsonOf({ ...result, ...more }));
  } else {
    const remarks = truncated === null ? [] : [`CUT OFF: ${truncated}`];
    if (command !== null) remarks.push(commandLine(command));
    await print(checkText(result, source.session.host, remarks));
  }
  end.dispose();
  if (truncated !== null) say(`the recording was cut off: ${truncated}`);
  if (failure !== null) return report(failure);
  if (result.rules.some((rule) => rule.result === 'violated')) return ExitCode.Finding;
  return end.exitCode(ExitCode.Ok);
}

function commandLine(result: CommandResult): string {
  return `command: ${result.argv.join(' ')} (${describeResult(result)})`;
}
