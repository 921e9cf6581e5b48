// SPDX-License-Identifier: MIT
/** One quick pass over a recording: what is in it, from when to when, and where it has losses. The index made on open. */
import { NODE_CLOCK } from '../../clock.js';
import type { EventBatch } from '../../core/events/batch.js';
import { drive } from '../../core/events/drive.js';
import type { SessionInfo } from '../../core/events/session.js';
import { CounterGroup, UserArgs, UserKind } from '../../core/events/user-rows.js';
import { Baseline } from '../format/baseline.js';
import type { FixedKey } from '../format/columns.js';
import type { Part } from '../format/part.js';
import { beyondTheEnd } from '../format/read-errors.js';
import { shiftSession } from './cut.js';
import { openFile } from './file.js';
import type { Marker } from './marks.js';
import { Marks } from './marks.js';
import type { OpenOptions, Recording } from './reader.js';
import type { TimeRange } from './slice.js';

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
  /** Cumulative counters since the begin of the recording, by group * 2^32 + index. */
  readonly counters: ReadonlyMap<number, number>;
  /** Times on the scale of `first` and `last`. */
  readonly markers: readonly Marker[];
  readonly ended: boolean;
  /** There are rows behind the time range. */
  readonly goesOn: boolean;
  readonly truncated: string | null;
  /** A `UserError` when it is damaged: the rest is what comes before. */
  readonly error: unknown;
}

const WANTED: ReadonlySet<FixedKey> = new Set(['kind', ...Object.values(UserArgs.Counter)]);
const TWO_32 = 2 ** 32;

const EVERYTHING: TimeRange = { from: 0, to: Number.POSITIVE_INFINITY };

/** How a recording has to be opened for `scan`. */
export const SCANNED: OpenOptions = { raw: true, only: WANTED };

/** Rejects with a `UserError` when the file is no recording. */
export async function scanFile(path: string): Promise<Scan> {
  // Every column: what `info` calls whole can be read by everybody.
  return scan(await openFile(path, { raw: true }));
}

/** `range`: count only the rows in it; rejects with a `UserError` when there are none. The source is closed then. */
export async function scan(source: Recording, range: TimeRange = EVERYTHING): Promise<Scan> {
  const { part } = source.head;
  const zero = part?.before?.time ?? 0;
  const tally = new Tally(range.from + zero, range.to + zero, part);
  let goesOn = false;
  const push = (batch: EventBatch): boolean => {
    goesOn = !tally.add(batch);
    return !goesOn;
  };
  const { error } = await drive(source, push, NODE_CLOCK);
  await source.close();
  if (error === null && range.from > 0 && Number.isNaN(tally.last)) throw beyondTheEnd(range.from, tally.end - zero);
  const markers = tally.marks.markers(source.head.session);
  if (part?.written) markers.push({ time: part.written.time, kind: 'alert', text: part.written.why });
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
    counters: tally.counters,
    markers: markers.map((marker) => ({ ...marker, time: marker.time - zero })),
    ended: source.ended,
    goesOn,
    truncated: source.truncated,
    error,
  };
}

class Tally {
  readonly rows: Float64Array = new Float64Array(256);
  first = Number.NaN;
  last = Number.NaN;
  silence = 0;
  silenceTime = Number.NaN;
  readonly marks: Marks = new Marks();
  /** Newest kernel row. */
  #newest = Number.NaN;
  readonly #values: Map<number, number> = new Map();
  readonly #before: Baseline;
  readonly #from: number;
  readonly #to: number;
  #inside: boolean;

  constructor(from: number, to: number, part: Part | null) {
    this.#from = from;
    this.#to = to;
    this.#before = new Baseline(part?.before ?? null);
    this.#inside = from <= this.#before.time;
    for (const [group, index, value] of part?.before?.counters ?? []) this.#values.set(group * TWO_32 + index, value);
  }

  /** Newest row of before the time range. */
  get end(): number {
    return this.#before.time;
  }

  get counters(): ReadonlyMap<number, number> {
    const rest = new Map<number, number>();
    for (const [key, value] of this.#values)
      rest.set(key, this.#before.rest(Math.floor(key / TWO_32), key % TWO_32, value));
    return rest;
  }

  /** False once a row lies behind the time range. */
  add(batch: EventBatch): boolean {
    const { kind, time } = batch;
    for (let i = 0; i < batch.length; i++) {
      const at = time[i] as number;
      if (at > this.#to) return false;
      this.#inside ||= at >= this.#from;
      const k = kind[i] as number;
      if (k === UserKind.Counter) this.#counter(batch, i);
      if (!this.#inside) {
        this.#before.add(batch, i, i + 1);
        continue;
      }
      this.rows[k] = (this.rows[k] as number) + 1;
      // Rows of the user side come each 250 ms, whether or not anything happens.
      if (k < UserKind.Counter) this.#event(at);
      if (!(at >= this.first)) this.first = at;
      if (!(at <= this.last)) this.last = at;
    }
    return true;
  }

  #event(at: number): void {
    if (at - this.#newest > this.silence) {
      this.silence = at - this.#newest;
      this.silenceTime = this.#newest;
    }
    if (!(at <= this.#newest)) this.#newest = at;
  }

  #counter(batch: EventBatch, i: number): void {
    const [group, index, value] = [
      batch[UserArgs.Counter.group][i] as number,
      batch[UserArgs.Counter.index][i] as number,
      batch[UserArgs.Counter.value][i] as number,
    ];
    const key = group * TWO_32 + index;
    const more = value - (this.#values.get(key) ?? 0);
    this.#values.set(key, value);
    if (!this.#inside || !(more > 0)) return;
    const time = batch.time[i] as number;
    if (group === CounterGroup.Dropped) this.marks.lost(time, more);
    else if (group === CounterGroup.Missed) this.marks.missed(time, index, more);
  }
}
