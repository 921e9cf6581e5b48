// SPDX-License-Identifier: MIT
/** A recording to be replayed, and what the pipeline says of it without a replay. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import type { Snapshot } from '../../src/core/aggregate/snapshot.js';
import { rowsOf } from '../../src/recording/play/run.js';
import { openFile } from '../../src/recording/read/file.js';
import { fileSink } from '../../src/recording/write/sink.js';
import { createRecordingWriter } from '../../src/recording/write/writer.js';
import { LIVE_SESSION, liveSession } from './live-session.js';

export const GOLDEN: string = fileURLToPath(new URL('../../../test/golden/swap-7.3.vmlt', import.meta.url));
/** How long the session at `path` lasts. */
export const SECONDS = 2;
export const directory: string = await mkdtemp(join(tmpdir(), 'vmalocktop-replay-'));
export const path: string = join(directory, 'live.vmlt');

/** A made-up session with losses, at `path`. */
export async function writeSession(): Promise<void> {
  const writer = await createRecordingWriter(LIVE_SESSION, await fileSink(path));
  for (const batch of liveSession({ seconds: SECONDS, dropEvery: 400 })) await writer.write(batch);
  await writer.end();
}

/** What the pipeline says of every row up to the first that is younger. */
export async function naive(file: string, time: number): Promise<Snapshot> {
  const source = await openFile(file);
  const pipeline = new Pipeline(source.session);
  for await (const batch of source.batches()) {
    let end = 0;
    while (end < batch.length && (batch.time[end] as number) <= time) end++;
    if (end > 0) pipeline.push(rowsOf(batch, 0, end));
    if (end < batch.length) break;
  }
  await source.close();
  return pipeline.snapshot();
}
