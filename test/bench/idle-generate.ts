// SPDX-License-Identifier: MIT
/**
 * A session in which nothing happens any more, to standard output: idle-generate [RECORDING]. The rows of the recording, if
 * one is given; then counters four times a second, as a live source sends them, until its standard input ends.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { createBatch } from '../../src/core/events/batch.js';
import { CounterGroup, pushCounter, UserKind } from '../../src/core/events/user-rows.js';
import { openFile } from '../../src/recording/read/file.js';
import { streamSink } from '../../src/recording/write/sink.js';
import { createRecordingWriter } from '../../src/recording/write/writer.js';
import { copyOf } from './repeat.js';
import { STORM_SESSION } from './swap-storm.js';

const SAMPLE_MS = 250;

const [, , recording] = process.argv;
const source = recording === undefined ? null : await openFile(recording);
const writer = await createRecordingWriter(
  source?.session ?? STORM_SESSION,
  streamSink(process.stdout, 'standard output'),
);
let time = 0;
for await (const batch of source?.batches() ?? []) {
  const rows = copyOf(batch);
  // Without its end: the session goes on.
  if (rows.kind[rows.length - 1] === UserKind.End) rows.length--;
  time = Math.max(time, rows.time[rows.length - 1] ?? 0);
  await writer.write(rows);
}
await source?.close();
let open = true;
process.stdin.resume().once('end', () => {
  open = false;
});
while (open) {
  const batch = createBatch(4, ['']);
  time += SAMPLE_MS * 1e6;
  pushCounter(batch, time, CounterGroup.Self, 0, time);
  pushCounter(batch, time, CounterGroup.Self, 1, Math.floor(time / 500));
  pushCounter(batch, time, CounterGroup.Self, 2, 80 << 20);
  await writer.write(batch);
  await writer.flush();
  await delay(SAMPLE_MS);
}
process.exit(0);
