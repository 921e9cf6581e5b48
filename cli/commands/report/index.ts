// SPDX-License-Identifier: MIT
/** `report`: one HTML page that can be mailed, printed, and opened without a network. */

import { compare } from '../../../src/core/diff/compare.js';
import { formatBytes } from '../../../src/core/present/format.js';
import { StackSamples } from '../../../src/core/present/stack-samples.js';
import { ExitCode } from '../../../src/errors.js';
import { refuseInputs } from '../../../src/output/inputs.js';
import { openOutput, writeText } from '../../../src/output/output.js';
import { Redaction, redactSource } from '../../../src/recording/read/redact.js';
import { reportPage } from '../../../src/report/page.js';
import { type Loaded, load } from '../../common/load.js';
import { refuseTwoStreams } from '../../common/open.js';
import type { TimeRangeCliOptions } from '../../common/options.js';
import { report, say } from '../../common/process.js';
import { Recordings } from '../../common/recordings.js';

export interface ReportOptions extends TimeRangeCliOptions {
  readonly output: string;
  readonly against?: string;
  readonly redact?: boolean;
}

function nameOf(file: string): string {
  return file === '-' ? 'standard input' : (file.split('/').at(-1) ?? file);
}

/** Returns the exit code. A recording that was cut off or damaged is reported as far as it goes. */
export async function htmlReport(file: string, options: ReportOptions): Promise<number> {
  const { against } = options;
  const inputs = against === undefined ? [file] : [file, against];
  refuseTwoStreams(inputs);
  await refuseInputs(options.output, inputs);
  const recordings = new Recordings();
  // One for both: what is equal in them stays so.
  const redaction = options.redact === true ? new Redaction() : null;
  const named = (path: string): string => (redaction === null ? nameOf(path) : 'a recording');
  const read = (path: string, range: TimeRangeCliOptions = {}): Promise<Loaded> =>
    recordings.read(path, range, (source) =>
      load(redaction === null ? source : redactSource(source, redaction), {
        stopped: recordings.stopped,
        truncated: (of) => recordings.truncated(of),
        samples: ({ session }) => new StackSamples(session.arch),
      }),
    );
  const before = against === undefined ? null : await read(against);
  const now = await read(file, options);
  recordings.dispose();
  if (recordings.signalCode !== null) return recordings.signalCode;
  const page = reportPage({
    name: named(file),
    snapshot: now.snapshot,
    truncated: now.truncated,
    stacks: now.samples,
    ...(before === null ? {} : { against: { name: named(against ?? ''), diff: compare(before, now) } }),
  });
  const output = await openOutput(options.output, { inputs });
  try {
    await writeText(output, page);
    await output.finish();
  } catch (error) {
    await output.abandon();
    throw error;
  }
  say(`report of ${nameOf(file)} (${formatBytes(output.bytes)})`);
  for (const { error } of [before, now].filter((loaded) => loaded !== null)) {
    if (error !== null) return report(error);
  }
  return ExitCode.Ok;
}
