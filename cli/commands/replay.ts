// SPDX-License-Identifier: MIT
/** `replay`: the dashboard over a recording or a stream; the summary of `stat` where there is no terminal. */
import { Pipeline } from '../../src/core/pipeline.js';
import { ExitCode } from '../../src/errors.js';
import { feed, truncation } from '../feed.js';
import { onStopSignal, print, report, say, signalExitCode } from '../process.js';
import { openRecorded } from '../source.js';
import { statText } from '../stat-text.js';
import { openTerminal, showDashboard } from '../terminal.js';

export interface ReplayOptions {
  /** Factor of the recorded pace; absent: as fast as the rows come. */
  readonly speed?: number;
  readonly interval: number;
}

export async function replay(file: string, options: ReplayOptions): Promise<number> {
  const source = await openRecorded(file);
  const pipeline = new Pipeline(source.session);
  const pace = options.speed === undefined ? {} : { speed: options.speed };
  if (process.stdout.isTTY) {
    // stdin may be the recording: the keys then come from the controlling terminal.
    const terminal = openTerminal(file === '-');
    return showDashboard({
      source,
      pipeline,
      terminal,
      mode: file === '-' ? 'stream' : 'replay',
      intervalMs: options.interval * 1000,
      ...pace,
    });
  }
  let stopping = false;
  const watch = onStopSignal(() => {
    stopping = true;
    source.close().catch((error: unknown) => say(String(error)));
  });
  const { error } = await feed(source, pipeline, { ...pace, stopped: () => stopping });
  await source.close();
  watch.dispose();
  const truncated = stopping ? null : truncation(source);
  await print(statText(pipeline.snapshot(), truncated === null ? [] : [`CUT OFF: ${truncated}`]));
  if (error !== null) return report(error);
  return watch.signal === null ? ExitCode.Ok : signalExitCode(watch.signal);
}
