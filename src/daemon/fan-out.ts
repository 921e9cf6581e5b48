// SPDX-License-Identifier: MIT
/**
 * One session to many readers, each of which may come at any time: an Arrow IPC stream for each, all out of the same bytes.
 *
 * A record batch message depends on no other, so each is encoded once and given to all. A reader that comes later is told
 * first what lies before: sums and names (`History`), as of a part of a rotated recording.
 */
import type { EventBatch } from '../core/events/batch.js';
import type { SessionInfo } from '../core/events/session.js';
import type { Packer } from '../recording/format/codec.js';
import { History } from '../recording/read/history.js';
import { BatchEncoder, END_OF_STREAM, schemaMessage } from '../recording/write/encode.js';
import { Staging } from '../recording/write/staging.js';

export interface Reader {
  /** Never waits; false: it is gone, or too far behind, and gets no more. */
  write(bytes: Uint8Array): boolean;
  /** Nothing follows. */
  end(): void;
}

export class FanOut {
  readonly #session: SessionInfo;
  readonly #encoder: BatchEncoder;
  readonly #staging: Staging = new Staging();
  readonly #history: History = new History();
  readonly #readers: Set<Reader> = new Set();

  constructor(session: SessionInfo, packer: Packer) {
    this.#session = session;
    this.#encoder = new BatchEncoder(packer);
  }

  /** Takes a copy of the batch's rows. Without readers nothing is encoded. */
  write(batch: EventBatch): void {
    if (this.#readers.size > 0) this.#stage(batch);
    this.#history.add(batch, 0, batch.length);
  }

  /** Sends what is gathered. To be called some times a second. */
  flush(): void {
    if (this.#staging.rows === 0) return;
    const message = this.#encoder.encode(this.#staging);
    this.#staging.clear();
    this.#send(message);
  }

  /** From here on `reader` gets everything; first what it has to know of what was before. */
  add(reader: Reader): void {
    // What is gathered is history for this one, and news for the others.
    this.flush();
    const before = this.#history.baseline.state();
    const head = [schemaMessage(this.#session, { number: 1, before, written: null })];
    head.push(...this.#encoder.encodeAll(this.#history.names.batches(before.time)));
    for (const bytes of head) if (!reader.write(bytes)) return;
    this.#readers.add(reader);
  }

  remove(reader: Reader): void {
    this.#readers.delete(reader);
  }

  /** The session is over: readers get the rest and the marker of the stream's end. */
  end(): void {
    this.flush();
    this.#send(END_OF_STREAM);
    for (const reader of this.#readers) reader.end();
    this.#readers.clear();
  }

  #stage(batch: EventBatch): void {
    for (let from = 0; from < batch.length; ) {
      from += this.#staging.append(batch, from);
      if (this.#staging.full) this.flush();
    }
  }

  #send(bytes: Uint8Array): void {
    for (const reader of this.#readers) if (!reader.write(bytes)) this.#readers.delete(reader);
  }
}
