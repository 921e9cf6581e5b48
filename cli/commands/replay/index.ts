// SPDX-License-Identifier: MIT
/** `replay`: the dashboard over a recording or a stream; the summary of `stat` where there is no terminal. */

import { Pipeline } from '../../../src/core/aggregate/pipeline.js';
import type { AlertRule } from '../../../src/core/alerts/rule.js';
import { ExitCode, UserError } from '../../../src/errors.js';
import { beginReplay, canReplay } from '../../../src/recording/play/player.js';
import { withClocks } from '../../../src/recording/read/clocks.js';
import { timeRangeOf } from '../../../src/recording/read/when.js';
import { type CgroupCliOptions, rowFilterOf } from '../../common/cgroup-options.js';
import { feed } from '../../common/feed.js';
import { openRecorded } from '../../common/open.js';
import type { TimeRangeCliOptions } from '../../common/options.js';
import { print, report } from '../../common/process.js';
import { Recordings } from '../../common/recordings.js';
import { canDraw, openTerminal, showDashboard, showReplay } from '../../common/terminal.js';

export interface ReplayOptions extends TimeRangeCliOptions, CgroupCliOptions {
  /** The file still grows: show what comes, as of a stream. */
  readonly follow?: boolean;
  /** Factor of the recorded pace; absent: as fast as the rows come. */
  readonly speed?: number;
  readonly interval: number;
  /** Judge alert rules: of this file, or (true) of the default set. */
  readonly alerts?: string | true;
}

export async function replay(file: string, options: ReplayOptions): Promise<number> {
  const pace = options.speed === undefined ? {} : { speed: options.speed };
  const intervalMs = options.interval * 1000;
  const { from, to, follow } = options;
  const { alerts: path } = options;
  // What the first frame can do without is loaded where it is used.
  const rules = path === undefined ? null : await readRules(path);
  const draws = canDraw();
  const filter = rowFilterOf(options);
  if (!draws && filter !== '') throw noRows();
  if (draws && file !== '-' && follow !== true && (await canReplay(file))) {
    const { findViolations } = await import('./violations.js');
    const findAlerts = rules === null ? null : (await import('./alerts.js')).findAlerts;
    const replay = await beginReplay(file, {
      range: async (session) => timeRangeOf(await withClocks(session, file, [from, to]), from, to),
      finders: (session) => [
        findViolations(session),
        ...(findAlerts === null || rules === null ? [] : [findAlerts(session, rules)]),
      ],
    });
    return showReplay({ replay, terminal: openTerminal(false), intervalMs, filter, ...pace });
  }
  if (draws && rules !== null) throw noTimeLine();
  if (draws) {
    const source = await openRecorded(file, options);
    const pipeline = new Pipeline(source.session);
    // Where stdin is the recording, the keys come from the controlling terminal.
    const terminal = openTerminal(file === '-');
    return showDashboard({ source, pipeline, terminal, mode: 'stream', intervalMs, filter, ...pace });
  }
  const { alertLines, collectAlerts } = await import('./alerts.js');
  const { statText } = await import('../stat/text.js');
  const recordings = new Recordings();
  const error = await recordings.read(file, options, async (source) => {
    const pipeline = new Pipeline(source.session);
    const alerts = rules === null ? null : collectAlerts(source.session, pipeline, rules);
    const result = await feed(source, alerts?.watch ?? pipeline, { ...pace, stopped: recordings.stopped });
    const truncated = recordings.truncated(source);
    alerts?.watch.finish();
    await print(statText(pipeline.snapshot(), truncated === null ? [] : [`CUT OFF: ${truncated}`]));
    if (alerts !== null) await print(alertLines(alerts.events));
    return result.error;
  });
  recordings.dispose();
  if (error !== null) return report(error);
  return recordings.signalCode ?? ExitCode.Ok;
}

async function readRules(path: string | true): Promise<AlertRule[]> {
  const { loadRules } = await import('../../../src/actions/rules.js');
  return loadRules(path === true ? undefined : path);
}

function noRows(): UserError {
  return new UserError(
    'cannot filter rows',
    'without a terminal there are none: the summary is of the whole recording',
    'replay it in a terminal, or record one cgroup alone: vmalocktop record --cgroup',
    ExitCode.Usage,
  );
}

function noTimeLine(): UserError {
  return new UserError(
    'cannot mark alerts',
    'a stream has no time line',
    'record it to a file and replay that with --alerts',
    ExitCode.Usage,
  );
}
