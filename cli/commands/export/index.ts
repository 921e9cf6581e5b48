// SPDX-License-Identifier: MIT
/** `export`: a recording for the tools people have: Perfetto, DuckDB, pandas, a spreadsheet. */

import { formatBytes, formatClock, formatCount } from '../../../src/core/present/format.js';
import { ExitCode, UserError } from '../../../src/errors.js';
import type { TableName, Weight } from '../../../src/export/base/choices.js';
import { describeLosses } from '../../../src/export/base/losses.js';
import { FORMATS, type Format } from '../../../src/export/formats.js';
import { type Progress, runExport } from '../../../src/export/run.js';
import { openOutput } from '../../../src/output/output.js';
import { redactSource } from '../../../src/recording/read/redact.js';
import type { TimeRangeCliOptions } from '../../common/options.js';
import { report, say } from '../../common/process.js';
import { Recordings } from '../../common/recordings.js';

export interface ExportCliOptions extends TimeRangeCliOptions {
  readonly format: Format;
  readonly table?: TableName;
  readonly weight?: Weight;
  readonly output: string;
  readonly redact?: boolean;
}

function refuse(why: string, advice: string): never {
  throw new UserError('cannot read the command line', why, advice, ExitCode.Usage);
}

function check(options: ExportCliOptions): void {
  const { format } = options;
  const { binary, of } = FORMATS[format];
  if (options.table !== undefined && of !== 'table')
    refuse(`--table chooses among tables, and ${format} has none`, 'leave --table out');
  if (options.weight !== undefined && of !== 'weight')
    refuse(`--weight says what a stack weighs, and ${format} is not of stacks alone`, 'leave --weight out');
  if (options.output === '-' && binary && process.stdout.isTTY) {
    throw new UserError(
      `cannot export ${options.format} to standard output`,
      'it is a terminal, and the format is binary',
      'name a file with -o',
      ExitCode.Usage,
    );
  }
}

/** One line on a terminal's stderr, written over itself. */
function progressLine(): { show(progress: Progress): void; clear(): void } {
  if (!process.stderr.isTTY) return { show: () => {}, clear: () => {} };
  return {
    show({ time, events, rows, bytes }) {
      const text = `${formatClock(time)} of recording  ${formatCount(events)} events  ${formatCount(rows)} rows  ${formatBytes(bytes)}`;
      process.stderr.write(`\r\x1b[K${text}`);
    },
    clear: () => void process.stderr.write('\r\x1b[K'),
  };
}

/** Returns the exit code. A recording that was cut off or damaged is exported as far as it goes. */
export async function exportRecording(file: string, options: ExportCliOptions): Promise<number> {
  check(options);
  const recordings = new Recordings();
  const line = progressLine();
  try {
    const result = await recordings.read(file, { ...options, progress: false }, async (source) =>
      runExport(options.redact === true ? redactSource(source) : source, {
        format: options.format,
        table: options.table ?? 'lifecycles',
        ...(options.weight === undefined ? {} : { weight: options.weight }),
        output: await openOutput(options.output, { inputs: [file] }),
        onProgress: line.show,
        stopped: recordings.stopped,
        truncated: () => recordings.truncated(source),
      }),
    );
    line.clear();
    if (recordings.signalCode !== null) return recordings.signalCode;
    say(`${result.rows} rows (${formatBytes(result.bytes)}); ${describeLosses(result.losses)}`);
    return result.error === null ? ExitCode.Ok : report(result.error);
  } finally {
    line.clear();
    recordings.dispose();
  }
}
