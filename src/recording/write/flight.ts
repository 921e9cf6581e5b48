// SPDX-License-Identifier: MIT
/**
 * The flight recorder: the last seconds of a session in memory, as encoded batches, to be written out when something
 * happened.
 */
import { createBatch, type EventBatch } from '../../core/events/batch.js';
import type { SessionInfo } from '../../core/events/session.js';
import { pushEnd } from '../../core/events/user-rows.js';
import { Baseline } from '../format/baseline.js';
import type { Packer } from '../format/codec.js';
import { loadPacker } from '../format/zstd.js';
import { History } from '../read/history.js';
import { BatchEncoder, END_OF_STREAM, schemaMessage } from './encode.js';
import { type FsyncPolicy, fileSink, type RecordingSink } from './sink.js';
import { Staging } from './staging.js';

export interface FlightOptions {
  /** Recorded time that is kept. */
  readonly seconds: number;
  /** Encoded bytes that are kept at most. */
  readonly bytes: number;
}

export interface Written {
  readonly bytes: number;
  /** Those of the user side included. */
  readonly rows: number;
  /** ns since the session's base: the newest row before, and the newest row. */
  readonly from: number;
  readonly to: number;
}

interface Kept {
  readonly message: Uint8Array;
  readonly rows: number;
  /** What goes into the history when this is dropped. */
  readonly content: History;
}

/** Rows wait this long for company: sparse events would make a message of each batch. */
const MAX_AGE_NS = 1e9;

/** Loads what packs. */
export async function createFlightRecorder(session: SessionInfo, options: FlightOptions): Promise<FlightRecorder> {
  return new FlightRecorder(session, options, await loadPacker());
}

export class FlightRecorder {
  readonly #session: SessionInfo;
  readonly #options: FlightOptions;
  readonly #encoder: BatchEncoder;
  readonly #staging: Staging = new Staging();
  #staged: History = new History();
  #stagedSince = Number.NaN;
  #kept: Kept[] = [];
  #keptBytes = 0;
  #newest = 0;
  /** What was dropped; null while nothing was. */
  #history: History | null = null;

  constructor(session: SessionInfo, options: FlightOptions, packer: Packer) {
    this.#session = session;
    this.#options = options;
    this.#encoder = new BatchEncoder(packer);
  }

  /** Encoded bytes in memory. */
  get bytes(): number {
    return this.#keptBytes;
  }

  /** Takes a copy of the batch's rows. */
  write(batch: EventBatch): void {
    for (let from = 0; from < batch.length; ) {
      const taken = this.#staging.append(batch, from);
      this.#staged.add(batch, from, from + taken);
      from += taken;
      if (this.#staging.full) this.#encode();
    }
    const { time } = this.#staged.baseline;
    if (this.#staging.rows === 0) return;
    if (Number.isNaN(this.#stagedSince)) this.#stagedSince = time;
    if (time - this.#stagedSince >= MAX_AGE_NS) this.#encode();
  }

  /**
   * Writes a recording of what is kept, and closes the sink; rows that come meanwhile are not in it. `why`: what happened,
   * in words; it stands in the recording. Rejects with the sink's `UserError`.
   */
  async dump(sink: RecordingSink, why: string): Promise<Written> {
    this.#encode();
    const kept = this.#kept.slice();
    const to = this.#newest;
    const before = this.#history?.baseline.state() ?? null;
    const parts = [schemaMessage(this.#session, { number: 1, before, written: { why, time: to } })];
    if (this.#history !== null) parts.push(...this.#encoder.encodeAll(this.#history.names.batches(before?.time ?? 0)));
    parts.push(...kept.map(({ message }) => message));
    const all = new Baseline(before);
    for (const { content } of kept) all.merge(content.baseline);
    const end = createBatch(256, ['']);
    all.writeFinalCounters(end, to);
    pushEnd(end, to);
    parts.push(...this.#encoder.encodeAll([end]), END_OF_STREAM);
    let bytes = 0;
    try {
      for (const part of parts) {
        await sink.write(part);
        bytes += part.length;
      }
    } catch (error) {
      await sink.end().catch(() => {}); // the first failure is the one to report
      throw error;
    }
    await sink.end();
    return { bytes, rows: kept.reduce((sum, { rows }) => sum + rows, 0), from: before?.time ?? 0, to };
  }

  /** `dump` to a file that must not be there yet. */
  async dumpTo(path: string, why: string, fsync: FsyncPolicy = 'none'): Promise<Written> {
    return this.dump(await fileSink(path, { exclusive: true, fsync }), why);
  }

  #encode(): void {
    const staging = this.#staging;
    if (staging.rows === 0) return;
    const message = this.#encoder.encode(staging);
    this.#kept.push({ message, rows: staging.rows, content: this.#staged });
    this.#keptBytes += message.length;
    this.#newest = Math.max(this.#newest, this.#staged.baseline.time);
    staging.clear();
    this.#staged = new History();
    this.#stagedSince = Number.NaN;
    this.#drop();
  }

  /** Drops what is too old or too much, but never the newest. */
  #drop(): void {
    const oldest = this.#newest - this.#options.seconds * 1e9;
    let dropped = 0;
    for (const kept of this.#kept) {
      if (dropped === this.#kept.length - 1) break;
      if (this.#keptBytes <= this.#options.bytes && kept.content.baseline.time >= oldest) break;
      this.#history ??= new History();
      this.#history.merge(kept.content);
      this.#keptBytes -= kept.message.length;
      dropped++;
    }
    if (dropped > 0) this.#kept = this.#kept.slice(dropped);
  }
}
