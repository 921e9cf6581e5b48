// SPDX-License-Identifier: MIT
/** One pass over a recording: what is in it, from when to when, and where it has losses. */
import { NODE_CLOCK } from '../../clock.js';
import { drive } from '../../core/events/drive.js';
import type { SessionInfo } from '../../core/events/session.js';
import type { Head } from '../format/header.js';
import type { Part } from '../format/part.js';
import { shiftSession } from './cut.js';
import { openFile } from './file.js';
import type { Marker } from './marks.js';
import { Tally } from './tally.js';

export interface Scan {
  /** As a reader of this recording sees it: a later part by itself begins with that part. */
  readonly session: SessionInfo;
  readonly part: Part | null;
  readonly parts: number;
  readonly bytes: number;
  readonly messages: number;
  /** By `enum vl_kind`, and `UserKind`. */
  readonly rows: Float64Array;
  /** ns since the session's base; NaN when there are no rows. */
  readonly first: number;
  readonly last: number;
  /** The longest time between a row and the next younger one, ns, and where it begins. */
  readonly silence: { readonly time: number; readonly ns: number };
  /** The longest time between two samples of the counters, ns; 0 with less than two. */
  readonly pause: number;
  /** Cumulative counters since the begin of the recording, by group * 2^32 + index. */
  readonly counters: ReadonlyMap<number, number>;
  /** Times on the scale of `first` and `last`. */
  readonly markers: readonly Marker[];
  readonly ended: boolean;
  readonly truncated: string | null;
  /** A `UserError` when it is damaged: the rest is what comes before. */
  readonly error: unknown;
}

/** Rejects with a `UserError` when the file is no recording. */
export async function scanFile(path: string): Promise<Scan> {
  const source = await openFile(path, { raw: true });
  const { part } = source.head;
  const zero = part?.before?.time ?? 0;
  const tally = new Tally(zero, Number.POSITIVE_INFINITY, part);
  const { error } = await drive(source, (batch) => void tally.add(batch), NODE_CLOCK);
  await source.close();
  const markers = markersOf(source.head, tally);
  return {
    session: zero === 0 ? source.session : shiftSession(source.session, zero),
    part,
    parts: source.parts,
    bytes: source.bytes,
    messages: source.messages,
    rows: tally.rows,
    first: tally.first - zero,
    last: tally.last - zero,
    silence: { time: tally.silenceTime - zero, ns: tally.silence },
    pause: tally.pause,
    counters: tally.counters,
    markers: markers.map((marker) => ({ ...marker, time: marker.time - zero })),
    ended: source.ended,
    truncated: source.truncated,
    error,
  };
}

/** Losses, and why a flight recorder wrote it out: times as they stand in the file. */
export function markersOf({ session, part }: Head, tally: Tally): Marker[] {
  const markers = tally.marks.markers(session);
  if (part?.written) markers.push({ time: part.written.time, kind: 'alert', text: part.written.why });
  return markers;
}
