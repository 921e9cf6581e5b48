// SPDX-License-Identifier: MIT
/** What a daemon said at /metrics, against the recording of the same session, cut where it stood when it was asked. */

import { statJson } from '../../cli/commands/stat/json.js';
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import type { EventBatch } from '../../src/core/events/batch.js';
import { UserKind } from '../../src/core/events/user-rows.js';
import { snapshotFamilies } from '../../src/metrics/families.js';
import { metricsText } from '../../src/metrics/text.js';
import { rowsOf } from '../../src/recording/play/run.js';
import { openFile } from '../../src/recording/read/file.js';
import { byLabel, parseMetrics, type Scraped } from '../metrics/scrape.js';

export interface Compared {
  /** Series of the daemon that are the same to the last digit in the recording. */
  readonly equal: number;
  /** Those that are not, in words. */
  readonly different: readonly string[];
  /** What `stat --json` says of the session up to there. */
  readonly stat: StatCounts;
}

/** The part of `stat --json` that counts. */
export interface StatCounts {
  readonly counts: {
    readonly vmaLock: Readonly<Record<'success' | 'retry' | 'completed' | 'abort', number>>;
    readonly mmapLock: number;
    readonly kernelMode: number;
  };
  readonly events: Readonly<Record<'emitted' | 'decoded' | 'dropped' | 'missed', number>>;
  readonly retry: { readonly byCause: Readonly<Record<string, number>> };
}

/** How `session_seconds` is rounded. */
const DIGITS = 1e-11;

const kernelRows = ({ kind, length }: EventBatch): number => {
  let rows = 0;
  for (let i = 0; i < length; i++) if ((kind[i] as number) < UserKind.Counter) rows++;
  return rows;
};

/**
 * Records decoded and the newest row's time say where in the session a scrape was. Of the places that agree (counters are
 * many rows of one time) the one that is most like it counts. Throws when the recording has no such place.
 */
export async function compareScrape(recording: string, scraped: Scraped, top: number): Promise<Compared> {
  const decoded = byLabel(scraped, 'vmalocktop_events_total').decoded ?? Number.NaN;
  const seconds = scraped.get('vmalocktop_session_seconds') ?? Number.NaN;
  const source = await openFile(recording);
  const pipeline = new Pipeline(source.session);
  let seen = 0;
  let best: Compared | null = null;
  for await (const batch of source.batches()) {
    if (seen > decoded) break;
    const rows = kernelRows(batch);
    if (seen + rows < decoded) {
      pipeline.push(batch);
      seen += rows;
      continue;
    }
    for (let i = 0; i < batch.length && seen <= decoded; i++) {
      pipeline.push(rowsOf(batch, i, i + 1));
      if ((batch.kind[i] as number) < UserKind.Counter) seen++;
      if (seen !== decoded) continue;
      const snapshot = pipeline.snapshot();
      if (Math.abs(snapshot.time / 1e9 - seconds) > seconds * DIGITS + 1e-9) continue;
      const own = parseMetrics(metricsText(snapshotFamilies(snapshot, top), 'prometheus'));
      const different = [...own]
        .filter(([series, value]) => scraped.get(series) !== value)
        .map(([series, value]) => `${series}: ${scraped.get(series)} at /metrics, ${value} in the recording`);
      const stat = JSON.parse(JSON.stringify(statJson(snapshot))) as StatCounts;
      if (best === null || different.length < best.different.length)
        best = { equal: own.size - different.length, different, stat };
      if (different.length === 0) break;
    }
  }
  await source.close();
  if (best === null) throw new Error(`the recording was never at ${decoded} records and ${seconds} s`);
  return best;
}

/**
 * Series that were not there before, without those of single processes, of which there are as many as are asked for, and
 * of blockers, of which there are so many at most.
 */
export function newSeries(before: Scraped, after: Scraped, top: number): string[] {
  const of = (scraped: Scraped, start: string): string[] => [...scraped.keys()].filter((key) => key.startsWith(start));
  const single = ['vmalocktop_process_', 'vmalocktop_blocker_'];
  const fresh = [...after.keys()].filter((key) => !before.has(key) && !single.some((start) => key.startsWith(start)));
  const processes = of(after, 'vmalocktop_process_');
  if (processes.length > of(before, 'vmalocktop_process_').length)
    fresh.push(`${processes.length} series of processes`);
  const blockers = of(after, 'vmalocktop_blocker_blocked_waits_total');
  return blockers.length > top ? [...fresh, `${blockers.length} blockers`] : fresh;
}
