// SPDX-License-Identifier: MIT
/** Recording from within the dashboard: started and stopped by a key, while the session goes on. */
import type { EventBatch } from '../src/core/batch.js';
import type { SessionInfo } from '../src/core/session.js';
import { formatBytes } from '../src/core/view-format.js';
import { History } from '../src/recording/history.js';
import { fileSink } from '../src/recording/sink.js';
import { createRecordingWriter, type RecordingWriter } from '../src/recording/writer.js';
import { freeName } from './save.js';

const FLUSH_MS = 1000;

export class SessionRecorder {
  readonly #session: SessionInfo;
  /** What a recording that begins later has to know: counters are cumulative, and names are said once. */
  readonly #history: History = new History();
  #writer: RecordingWriter | null = null;
  #file: string | null = null;
  #timer: NodeJS.Timeout | null = null;
  #failure: unknown = null;
  #busy = false;
  /** Batches wait while a file is begun or ended: none may fall between what lies before it and what is in it. */
  #gate: Promise<unknown> = Promise.resolve();

  constructor(session: SessionInfo) {
    this.#session = session;
  }

  /** Name of the file being written; null while none is. */
  get file(): string | null {
    return this.#file;
  }

  /** Takes every batch of the session, in order. Settles when the next one may come. */
  async push(batch: EventBatch): Promise<void> {
    await this.#gate;
    if (this.#writer !== null && this.#failure === null) await this.#writer.write(batch).catch((e) => this.#fail(e));
    this.#history.add(batch, 0, batch.length);
  }

  /** Starts a new file in the working directory, or ends the one being written. Rejects with a `UserError`. */
  async toggle(): Promise<string> {
    if (this.#busy) return 'one moment';
    this.#busy = true;
    try {
      const done = this.#writer === null ? this.#start() : this.#stop(this.#writer);
      this.#gate = done.catch(() => {}); // whoever pressed the key hears of it
      return await done;
    } finally {
      this.#busy = false;
    }
  }

  /** Ends the file being written, if any. Rejects with a `UserError` when it could not be written to its end. */
  async close(): Promise<void> {
    if (this.#writer !== null) await this.#stop(this.#writer);
  }

  async #start(): Promise<string> {
    const file = freeName('recording', 'vmlt');
    const sink = await fileSink(file, { exclusive: true });
    const before = this.#history.baseline.state();
    const writer = await createRecordingWriter(this.#session, sink, { part: { number: 1, before, written: null } });
    const names = this.#history.names.batch(before.time);
    if (names.length > 0) await writer.write(names);
    this.#failure = null;
    this.#file = file;
    this.#writer = writer;
    this.#timer = setInterval(() => void writer.flush().catch((e: unknown) => this.#fail(e)), FLUSH_MS);
    return `recording to ${file}; w ends it`;
  }

  async #stop(writer: RecordingWriter): Promise<string> {
    const file = this.#file ?? '';
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#writer = null;
    this.#file = null;
    // The session goes on; the recording is whole.
    if (this.#failure === null) await writer.write(this.#history.end());
    await writer.end();
    return `recorded ${writer.rows} rows (${formatBytes(writer.bytes)}) to ${file}`;
  }

  /** The session goes on; whoever ends the recording hears of it. */
  #fail(error: unknown): void {
    this.#failure ??= error;
  }
}
