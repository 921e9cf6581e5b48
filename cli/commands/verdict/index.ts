// SPDX-License-Identifier: MIT
/** `verdict`: drop, retry or keep the VMA lock: what each policy would have cost the same faults and their writers. */

import { jsonOf } from '../../../src/core/present/clean.js';
import { reportOf } from '../../../src/core/verdict/make-report.js';
import { verdictText } from '../../../src/core/verdict/text.js';
import { Verdict } from '../../../src/core/verdict/verdict.js';
import { ExitCode } from '../../../src/errors.js';
import { refuseInputs } from '../../../src/output/inputs.js';
import { openOutput, writeText } from '../../../src/output/output.js';
import { verdictPage } from '../../../src/report/verdict-page.js';
import { describeResult } from '../../common/open.js';
import { print, report, say } from '../../common/process.js';
import { followRun, openRun, type Run, type RunOptions, refuseBoth } from '../../common/session.js';

export interface VerdictOptions extends RunOptions {
  readonly json?: boolean;
  /** HTML page, beside the text. */
  readonly output?: string;
}

/** Runs until the source ends, the time is up, the command ended or a signal came. */
export async function verdict(
  file: string | undefined,
  argv: readonly string[],
  options: VerdictOptions,
): Promise<number> {
  refuseBoth('verdict', file, argv);
  const inputs = file === undefined ? [] : [file];
  const path = options.output;
  if (path !== undefined) await refuseInputs(path, inputs);
  const run = await openRun(file, argv, options, false);
  // A page that cannot be written costs no session.
  const output =
    path === undefined
      ? null
      : await openOutput(path, { inputs }).catch(async (error: unknown) => {
          await run.source.close();
          throw error;
        });
  try {
    const page =
      output === null ? null : { write: (text: string) => writeText(output, text), finish: () => output.finish() };
    return await judge(run, options.json === true, file ?? 'live', page, path === '-');
  } finally {
    await output?.abandon();
  }
}

interface Page {
  write(text: string): Promise<void>;
  finish(): Promise<void>;
}

async function judge(run: Run, json: boolean, name: string, page: Page | null, pageOnly: boolean): Promise<number> {
  const sink = new Verdict(run.source.session);
  const end = await followRun(run, sink, 'observing; Ctrl-C ends it and prints the verdict');
  const { failure, command, truncated } = end;
  // A command that never ran shows nothing.
  if (end.empty) return report(failure);
  const result = reportOf(sink.finish());
  if (!pageOnly) {
    const remarks = truncated === null ? [] : [`CUT OFF: ${truncated}`];
    if (command !== null) remarks.push(`command: ${command.argv.join(' ')} (${describeResult(command)})`);
    const more = { ...(command !== null && { command }), ...(truncated !== null && { truncated }) };
    await print(json ? jsonOf({ ...result, ...more }) : verdictText(result, remarks));
  }
  if (page !== null) {
    await page.write(verdictPage(result, name, truncated));
    await page.finish();
  }
  end.dispose();
  if (truncated !== null) say(`the recording was cut off: ${truncated}`);
  if (failure !== null) return report(failure);
  return end.exitCode(ExitCode.Ok);
}
