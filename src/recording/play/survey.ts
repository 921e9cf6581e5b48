// SPDX-License-Identifier: MIT
/**
 * The first of the two passes over a recording that is replayed: how long it is, what is marked on its time line, its longest
 * fault. It is shown while it is under way.
 */
import type { EventBatch } from '../../core/events/batch.js';
import type { SessionInfo } from '../../core/events/session.js';
import type { Lifecycle } from '../../core/lifecycle/lifecycle.js';
import type { Marker, MarkFinder } from '../read/marks.js';
import type { OpenOptions, Recording } from '../read/reader.js';
import { markersOf } from '../read/scan.js';
import { sliceSource, type TimeRange } from '../read/slice.js';
import { Tally } from '../read/tally.js';
import { Run } from './run.js';

export interface SurveyOptions {
  /** Which part of the recording, ns since its session's base; called once the session is known. Absent: all of it. */
  readonly range?: (session: SessionInfo) => TimeRange | Promise<TimeRange>;
  /** What else is to be marked on the time line; called once the session is known. They get every row of the part. */
  readonly finders?: (session: SessionInfo) => readonly MarkFinder[];
}

export interface Found {
  readonly rows: number;
  /** ns. */
  readonly duration: number;
  readonly truncated: string | null;
  /** By time. */
  readonly markers: readonly Marker[];
  readonly longest: Lifecycle | null;
}

export interface Survey {
  readonly range: TimeRange;
  /** Where it stands. At its end once it is through. */
  readonly run: Run;
  /**
   * Reads all of it. Resolves to null when `stopped` said so; rejects with a `UserError` when the recording has no rows in
   * the range.
   */
  read(stopped: () => boolean): Promise<Found | null>;
}

/** Rejects with a `UserError` when it is no recording, or for what `range` rejects with. */
export async function beginSurvey(
  open: (options: OpenOptions) => Promise<Recording>,
  { range: rangeOf, finders: findersOf }: SurveyOptions,
): Promise<Survey> {
  let tally: Tally | null = null;
  let goesOn = false;
  const recording = await open({
    onRaw: (batch) => {
      goesOn ||= tally?.add(batch) === false;
    },
  });
  const { head } = recording;
  const zero = head.part?.before?.time ?? 0;
  const range = (await rangeOf?.(recording.session)) ?? { from: 0, to: Number.POSITIVE_INFINITY };
  const all = new Tally(range.from + zero, range.to + zero, head.part);
  tally = all;
  const source = sliceSource(recording, range);
  const finders = findersOf?.(source.session) ?? [];
  const push = (rows: EventBatch): void => {
    for (const finder of finders) finder.push(rows);
  };
  const run = new Run(source, { onRows: push });
  return {
    range,
    run,
    async read(stopped) {
      if (!(await run.advance(Number.POSITIVE_INFINITY, stopped))) return null;
      const isEmpty = Number.isNaN(all.last);
      if (isEmpty && range.from > 0 && run.error !== null) throw run.error;
      const last = isEmpty ? range.from : all.last - zero;
      const duration = Math.max(0, (goesOn ? range.to : last) - range.from);
      const placed = (time: number): number => Math.max(0, time - zero - range.from);
      const markers = markersOf(head, all).map((marker) => ({ ...marker, time: placed(marker.time) }));
      for (const finder of finders) markers.push(...finder.markers());
      if (run.error !== null) {
        const text = run.error instanceof Error ? run.error.message : String(run.error);
        markers.push({ time: duration, kind: 'damage', text });
      }
      return {
        rows: all.rows.reduce((sum, rows) => sum + rows, 0),
        duration,
        truncated: recording.truncated,
        markers: markers.sort((x, y) => x.time - y.time),
        longest: run.snapshot().slowest[0] ?? null,
      };
    },
  };
}
