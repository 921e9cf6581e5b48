// SPDX-License-Identifier: MIT
/** Throughput and size of recordings, over the batches of the caller. */

import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import type { EventBatch } from '../../src/core/events/batch.js';
import type { SessionInfo } from '../../src/core/events/session.js';
import { openRecordingBytes } from '../../src/recording/read/reader.js';
import { createRecordingWriter } from '../../src/recording/write/writer.js';
import { chunksOf, MemorySink, SESSION } from '../recording/support.js';

export interface RecordingBench {
  readonly writeEventsPerSec: number;
  readonly readEventsPerSec: number;
  /** Read, decoded, rebuilt into lifecycles and summed up. */
  readonly rebuiltEventsPerSec: number;
  readonly bytesPerEvent: number;
}

/** Writes the batches to memory and reads them back, `rounds` times; the best round counts. */
export async function benchRecording(
  batches: readonly EventBatch[],
  session: SessionInfo,
  rounds = 5,
): Promise<RecordingBench> {
  const rows = batches.reduce((n, batch) => n + batch.length, 0);
  let write = 0;
  let read = 0;
  let rebuilt = 0;
  let bytes = 0;
  for (let round = 0; round < rounds; round++) {
    const sink = new MemorySink();
    const began = performance.now();
    const writer = await createRecordingWriter(SESSION, sink);
    for (const batch of batches) await writer.write(batch);
    await writer.end();
    const written = performance.now();
    const recording = sink.bytes();
    const opened = performance.now();
    let seen = 0;
    const source = await openRecordingBytes(chunksOf(recording), 'the benchmark');
    for await (const batch of source.batches()) seen += batch.length;
    if (seen !== rows) throw new Error(`${rows} rows written, ${seen} read`);
    write = Math.max(write, (rows * 1000) / (written - began));
    read = Math.max(read, (rows * 1000) / (performance.now() - opened));
    bytes = recording.length;
    const again = performance.now();
    const pipeline = new Pipeline(session);
    const whole = await openRecordingBytes(chunksOf(recording), 'the benchmark');
    for await (const batch of whole.batches()) pipeline.push(batch);
    pipeline.snapshot();
    rebuilt = Math.max(rebuilt, (rows * 1000) / (performance.now() - again));
  }
  return {
    writeEventsPerSec: write,
    readEventsPerSec: read,
    rebuiltEventsPerSec: rebuilt,
    bytesPerEvent: bytes / rows,
  };
}
