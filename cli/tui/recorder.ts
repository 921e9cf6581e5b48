// SPDX-License-Identifier: MIT
/** Recording from within the dashboard: started and stopped by a key, while the session goes on. */
import type { EventBatch } from '../../src/core/events/batch.js';
import type { SessionInfo } from '../../src/core/events/session.js';
import { formatBytes } from '../../src/core/present/format.js';
import { History } from '../../src/recording/read/history.js';
import { fileSink, type RecordingSink } from '../../src/recording/write/sink.js';
import type { RecordingWriter } from '../../src/recording/write/writer.js';
import { freeName } from './save.js';

const FLUSH_MS = 1000;

export interface SessionRecorderOptions {
  /** Called once when a recording cannot go on: it is closed by then, and what was written opens. */
  onFailure(error: unknown): void;
  /** Makes the file; `fileSink` by default. */
  open?(path: string): Promise<RecordingSink>;
}

export class SessionRecorder {
  readonly #session: SessionInfo;
  /** What a recording that begins later has to know: counters are cumulative, and names are said once. */
  readonly #history: History = new History();
  #writer: RecordingWriter | null = null;
  #file: string | null = null;
  #timer: NodeJS.Timeout | null = null;
  #busy = false;
  /** Batches wait while a file is begun or ended: none may fall between what lies before it and what is in it. */
  #gate: Promise<unknown> = Promise.resolve();

  readonly #options: SessionRecorderOptions;

  constructor(session: SessionInfo, options: SessionRecorderOptions) {
    this.#session = session;
    this.#options = options;
  }

  /** Name of the file being written; null while none is. */
  get file(): string | null {
    return this.#file;
  }

  /** Takes every batch of the session, in order. Settles when the next one may come. */
  async push(batch: EventBatch): Promise<void> {
    await this.#gate;
    const writer = this.#writer;
    if (writer !== null) await writer.write(batch).catch((error: unknown) => this.#fail(writer, error));
    this.#history.add(batch, 0, batch.length);
  }

  /** Starts a new file in the working directory, or ends the one being written. Rejects with a `UserError`. */
  async toggle(): Promise<string> {
    if (this.#busy) return 'one moment';
    this.#busy = true;
    try {
      const done = this.#writer === null ? this.#start() : this.#stop(this.#writer);
      this.#gate = done.catch(() => {}); // the key that was pressed says it
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
    // It brings sixty modules: most sessions record nothing.
    const { createRecordingWriter } = await import('../../src/recording/write/writer.js');
    const file = freeName('recording', 'vmlt');
    const sink = await (this.#options.open?.(file) ?? fileSink(file, { exclusive: true }));
    const before = this.#history.baseline.state();
    const writer = await createRecordingWriter(this.#session, sink, { part: { number: 1, before, written: null } });
    for (const names of this.#history.names.batches(before.time)) await writer.write(names);
    this.#file = file;
    this.#writer = writer;
    this.#timer = setInterval(() => {
      writer.flush().catch((error: unknown) => this.#fail(writer, error));
    }, FLUSH_MS);
    return `recording to ${file}; w ends it`;
  }

  async #stop(writer: RecordingWriter): Promise<string> {
    const file = this.#forget();
    // The session goes on; the recording is whole.
    await writer.write(this.#history.end());
    await writer.end();
    return `recorded ${writer.rows} rows (${formatBytes(writer.bytes)}) to ${file}`;
  }

  /** Nothing is recorded any more; the name of the file that was. */
  #forget(): string {
    const file = this.#file ?? '';
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#writer = null;
    this.#file = null;
    return file;
  }

  /** The session goes on without it. */
  #fail(writer: RecordingWriter, error: unknown): void {
    if (writer !== this.#writer) return;
    this.#forget();
    writer.end().catch(() => {}); // it failed already: the first failure is the one to report
    this.#options.onFailure(error);
  }
}
