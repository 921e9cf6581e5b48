// SPDX-License-Identifier: MIT
/** A recording again: a time range of one, or one with what is private taken out. */
import type { EventBatch } from '../core/events/batch.js';
import type { SessionInfo } from '../core/events/session.js';
import type { Output } from '../output/output.js';
import { loadZstd } from '../recording/format/zstd.js';
import { createRecordingWriter, type RecordingWriter } from '../recording/write/writer.js';
import type { Exporter } from './base/exporter.js';

export async function recordingExporter(session: SessionInfo, output: Output): Promise<Exporter> {
  await loadZstd();
  // The output's end is its owner's to make.
  const sink = { write: (bytes: Uint8Array) => output.write(bytes), end: () => Promise.resolve() };
  return new RecordingExporter(await createRecordingWriter(session, sink));
}

class RecordingExporter implements Exporter {
  readonly #writer: RecordingWriter;
  #batch: EventBatch | null = null;

  constructor(writer: RecordingWriter) {
    this.#writer = writer;
  }

  get rows(): number {
    return this.#writer.rows;
  }

  batch(batch: EventBatch): void {
    this.#batch = batch;
  }

  lifecycle(): void {}

  async drain(): Promise<void> {
    const batch = this.#batch;
    this.#batch = null;
    if (batch !== null) await this.#writer.write(batch);
  }

  finish(): Promise<void> {
    return this.#writer.end();
  }
}
