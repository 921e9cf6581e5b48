// SPDX-License-Identifier: MIT
/** `top`: the live dashboard. */
import { Pipeline } from '../../../src/core/aggregate/pipeline.js';
import { ExitCode, UserError } from '../../../src/errors.js';
import { rowFilterOf } from '../../common/cgroup-options.js';
import { openLiveSource } from '../../common/open.js';
import type { LiveCliOptions } from '../../common/options.js';
import { say } from '../../common/process.js';
import { canDraw, openTerminal, showDashboard } from '../../common/terminal.js';

export interface TopOptions extends LiveCliOptions {
  readonly interval: number;
  /** Socket of a daemon. */
  readonly connect?: string;
}

export async function top(options: TopOptions): Promise<number> {
  if (!canDraw() || !process.stdin.isTTY) {
    throw new UserError(
      'cannot show the dashboard',
      whyNot(),
      'use `vmalocktop stat` for a summary without one',
      ExitCode.Usage,
    );
  }
  if (options.connect !== undefined) {
    const filter = rowFilterOf(options);
    const { connectDaemon } = await import('../../../src/daemon/connect.js');
    const source = await connectDaemon(options.connect, () =>
      say(`waiting for the session of ${options.connect}; Ctrl-C ends it`),
    );
    const terminal = openTerminal(false);
    const pipeline = new Pipeline(source.session);
    return showDashboard({ source, pipeline, terminal, mode: 'stream', intervalMs: options.interval * 1000, filter });
  }
  const source = await openLiveSource(options, false, true, []);
  if (options.duration !== undefined) source.limit(options.duration * 1000);
  const terminal = openTerminal(false);
  source.dropPrivileges();
  return showDashboard({
    source,
    pipeline: new Pipeline(source.session),
    terminal,
    mode: 'live',
    intervalMs: options.interval * 1000,
    ...(options.duration === undefined ? {} : { durationMs: options.duration * 1000 }),
  });
}

function whyNot(): string {
  if (!process.stdout.isTTY) return 'standard output is not a terminal';
  if (!process.stdin.isTTY) return 'standard input is not a terminal';
  return `the terminal is ${process.env.TERM}: its cursor cannot be moved`;
}
