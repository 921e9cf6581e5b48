// SPDX-License-Identifier: MIT
/** The flight recorder: what it keeps, what it writes out, and that its recording stands by itself. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import type { Snapshot } from '../../src/core/aggregate/snapshot.js';
import { openRecordingBytes } from '../../src/recording/read/reader.js';
import { scanFile } from '../../src/recording/read/scan.js';
import { createFlightRecorder, type FlightRecorder } from '../../src/recording/write/flight.js';
import { LIVE_SESSION, liveSession, STEPS_PER_FAULT } from './live-session.js';
import { chunksOf, MemorySink } from './support.js';

const directory = await mkdtemp(join(tmpdir(), 'vmalocktop-flight-'));
after(() => rm(directory, { recursive: true }));

async function fly(seconds: number, bytes: number, flown = 6): Promise<FlightRecorder> {
  const recorder = await createFlightRecorder(LIVE_SESSION, { seconds, bytes });
  for (const batch of liveSession({ seconds: flown, dropEvery: 100 })) recorder.write(batch);
  return recorder;
}

async function read(bytes: Uint8Array): Promise<{ snapshot: Snapshot; truncated: string | null; begun: number }> {
  const source = await openRecordingBytes(chunksOf(bytes), 'it');
  const pipeline = new Pipeline(source.session);
  for await (const batch of source.batches()) pipeline.push(batch);
  const begun = Number(BigInt(source.session.baseNs) - BigInt(LIVE_SESSION.baseNs)) / 1e9;
  return { snapshot: pipeline.snapshot(), truncated: source.truncated, begun };
}

test('the last seconds are written, whole, with the names of before, and conserve their events', async () => {
  const recorder = await fly(2, 2 ** 30);
  const sink = new MemorySink();
  const written = await recorder.dump(sink, 'a test');
  assert.equal(sink.ended, true);
  assert.equal(written.bytes, sink.bytes().length);
  const { snapshot, truncated, begun } = await read(sink.bytes());
  assert.equal(truncated, null);
  assert.equal(snapshot.ended, true);
  // Whole batches are dropped: up to one batch's time more than was asked for is kept.
  assert.ok(begun > 3 && begun <= 4.01, `begins at ${begun} s`);
  assert.equal(Math.round(written.from / 1e6), Math.round(begun * 1e3));
  const { events, lifecycles } = snapshot;
  assert.equal(events.emitted, events.decoded + events.dropped);
  assert.ok(Math.abs(lifecycles.total - (6 - begun) * 2000) <= 8);
  assert.equal(lifecycles.incomplete, 0);
  assert.ok(events.decoded > lifecycles.total * (STEPS_PER_FAULT - 1));
  assert.equal(snapshot.swap.devices[0]?.name, '/dev/zram0');
});

test('memory is bounded by bytes, whatever the seconds say', async () => {
  const bytes = 100_000;
  const recorder = await fly(3600, bytes);
  assert.ok(recorder.bytes <= bytes, `${recorder.bytes}`);
  const sink = new MemorySink();
  await recorder.dump(sink, 'a test');
  const { snapshot, begun } = await read(sink.bytes());
  assert.ok(begun > 1, `begins at ${begun} s`);
  assert.equal(snapshot.events.emitted, snapshot.events.decoded + snapshot.events.dropped);
});

test('where nothing had to be dropped it is the whole session', async () => {
  const recorder = await fly(3600, 2 ** 30, 1);
  const sink = new MemorySink();
  await recorder.dump(sink, 'a test');
  const { snapshot, begun } = await read(sink.bytes());
  assert.equal(begun, 0);
  assert.equal(snapshot.lifecycles.total, 2000);
});

test('it goes on while it is written out, and may be written again', async () => {
  const recorder = await createFlightRecorder(LIVE_SESSION, { seconds: 1, bytes: 2 ** 30 });
  const dumps: MemorySink[] = [];
  const waits: Promise<unknown>[] = [];
  let n = 0;
  for (const batch of liveSession({ seconds: 4, dropEvery: 100 })) {
    recorder.write(batch);
    if (++n % 20 !== 0) continue;
    const sink = new MemorySink();
    dumps.push(sink);
    waits.push(recorder.dump(sink, `dump ${n}`));
  }
  await Promise.all(waits);
  assert.ok(dumps.length >= 3);
  let last = -1;
  for (const sink of dumps) {
    const { snapshot, begun, truncated } = await read(sink.bytes());
    assert.equal(truncated, null);
    assert.ok(begun > last || (begun === 0 && last <= 0));
    last = begun;
    assert.equal(snapshot.lifecycles.incomplete, 0);
    assert.ok(snapshot.lifecycles.total > 0);
    const { events } = snapshot;
    assert.equal(events.emitted, events.decoded + events.dropped, 'at any time, not only when counters were sampled');
  }
});

test('why it was written stands in the file; a file that is there is not touched', async () => {
  const recorder = await fly(2, 2 ** 30);
  const path = join(directory, 'alert.vmlt');
  await recorder.dumpTo(path, 'folio wait p99 over 50 ms');
  const scan = await scanFile(path);
  assert.equal(scan.part?.written?.why, 'folio wait p99 over 50 ms');
  const marker = scan.markers.at(-1);
  assert.equal(marker?.kind, 'alert');
  assert.equal(marker?.text, 'folio wait p99 over 50 ms');
  assert.equal(marker?.time, scan.last);
  await assert.rejects(recorder.dumpTo(path, 'again'), /the file exists/);
});
