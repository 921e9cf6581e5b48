// SPDX-License-Identifier: MIT
/** Rotation: when a part ends, which parts stay, and what they say together, one by one and from the middle on. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { statJson } from '../../cli/commands/stat/json.js';
import { Pipeline } from '../../src/core/aggregate/pipeline.js';
import type { Snapshot } from '../../src/core/aggregate/snapshot.js';
import { UserError } from '../../src/errors.js';
import { partPath } from '../../src/recording/format/files.js';
import { openFile } from '../../src/recording/read/file.js';
import { createRotatingWriter, type RotationOptions } from '../../src/recording/write/rotate.js';
import { fileSink } from '../../src/recording/write/sink.js';
import { createRecordingWriter } from '../../src/recording/write/writer.js';
import { LIVE_SESSION, type LiveOptions, liveSession, STEPS_PER_FAULT } from './live-session.js';

const directory = await mkdtemp(join(tmpdir(), 'vmalocktop-parts-'));
after(() => rm(directory, { recursive: true }));
const SECONDS = 5;

async function rotate(path: string, options: RotationOptions, live: LiveOptions = { seconds: SECONDS }): Promise<void> {
  let clock = 0;
  const writer = await createRotatingWriter(LIVE_SESSION, path, { ...options, now: () => clock });
  for (const batch of liveSession(live)) {
    clock = (batch.time[0] as number) / 1e6;
    await writer.write(batch);
  }
  await writer.end();
}

interface Read {
  readonly snapshot: Snapshot;
  readonly truncated: string | null;
  readonly parts: number;
}

async function read(path: string): Promise<Read> {
  const source = await openFile(path);
  const pipeline = new Pipeline(source.session);
  for await (const batch of source.batches()) pipeline.push(batch);
  return { snapshot: pipeline.snapshot(), truncated: source.truncated, parts: source.parts };
}

/** What a session says, without what only names the recording. */
const figures = (snapshot: Snapshot): unknown => JSON.parse(JSON.stringify(statJson(snapshot)));

function direct(live: LiveOptions = { seconds: SECONDS }): Snapshot {
  const pipeline = new Pipeline(LIVE_SESSION);
  for (const batch of liveSession(live)) pipeline.push(batch);
  return pipeline.snapshot();
}

test('a part ends by size and by age, and all of them together are the session', async () => {
  for (const [name, options] of [
    ['size', { maxBytes: 65_536 }],
    ['age', { maxAgeMs: 1000 }],
  ] as const) {
    const path = join(directory, `${name}.vmlt`);
    await rotate(path, options);
    const files = (await readdir(directory)).filter((file) => file.startsWith(`${name}.`)).sort();
    assert.ok(files.length >= 3, `${files.length} parts`);
    assert.equal(files[0], `${name}.0001.vmlt`);
    const { snapshot, truncated, parts } = await read(path);
    assert.equal(parts, files.length);
    assert.equal(truncated, null);
    assert.deepEqual(figures(snapshot), figures(direct()));
    if (name === 'size')
      for (const file of files.slice(0, -1)) {
        const { size } = await stat(join(directory, file));
        assert.ok(size >= 65_536 && size < 3 * 65_536, `${file}: ${size} bytes`);
      }
    else assert.equal(files.length, SECONDS + 1);
  }
});

test('parts joined by cat are the session as well', async () => {
  const path = join(directory, 'joined.vmlt');
  await rotate(join(directory, 'cat.vmlt'), { maxAgeMs: 1000 });
  const bytes: Uint8Array[] = [];
  for (let part = 1; part <= SECONDS + 1; part++)
    bytes.push(await readFile(partPath(join(directory, 'cat.vmlt'), part)));
  await writeFile(path, Buffer.concat(bytes));
  assert.deepEqual(figures((await read(path)).snapshot), figures(direct()));
});

test('of the parts the newest are kept, and they count from their own begin, with the names of before', async () => {
  const path = join(directory, 'kept.vmlt');
  const dropEvery = 50;
  await rotate(path, { maxAgeMs: 1000, keep: 2 }, { seconds: SECONDS, dropEvery });
  const files = (await readdir(directory)).filter((file) => file.startsWith('kept.')).sort();
  assert.deepEqual(files, ['kept.0005.vmlt', 'kept.0006.vmlt']);
  const { snapshot, truncated, parts } = await read(path);
  assert.equal(parts, 2);
  assert.equal(truncated, null);
  const { events, lifecycles, session } = snapshot;
  assert.ok(events.dropped > 0);
  assert.equal(events.emitted, events.decoded + events.dropped, 'the conservation law holds for what is there');
  assert.ok(
    Math.abs(snapshot.counts.vmaLock.retry - lifecycles.total) <= 8,
    'parts begin behind a sample of the counters',
  );
  // 2000 faults a second; those that were under way when the oldest part began are not in.
  const begun = Number(BigInt(session.baseNs) - BigInt(LIVE_SESSION.baseNs)) / 1e9;
  assert.ok(begun > 3.9 && begun < 4.3, `it begins at ${begun} s`);
  const expected = (SECONDS - begun) * 2000;
  assert.ok(Math.abs(lifecycles.total - expected) <= 8, `${lifecycles.total} of ${expected}`);
  assert.equal(lifecycles.incomplete, 0);
  // Drops of the 250 ms before it are among them: nobody knows on which side of its begin they were.
  const lost = lifecycles.total * STEPS_PER_FAULT - events.decoded;
  assert.ok(lost > 0 && lost <= events.dropped && events.dropped - lost <= 0.25 * (2000 / dropEvery) + 2);
  assert.ok(snapshot.durationNs < 1.1e9);
  assert.equal(snapshot.swap.devices[0]?.name, '/dev/zram0');
  assert.match(snapshot.processes[0]?.cgroupName ?? '', /db\.service/);
});

test('a part by itself says that the recording goes on, and conserves its own events', async () => {
  const path = join(directory, 'single.vmlt');
  await rotate(path, { maxAgeMs: 1000 });
  let total = 0;
  for (let part = 1; part <= SECONDS + 1; part++) {
    const { snapshot, truncated } = await read(partPath(path, part));
    total += snapshot.lifecycles.total;
    if (part > SECONDS) assert.equal(truncated, null);
    else assert.match(truncated ?? '', /goes on in a further part/);
    const { emitted, decoded, dropped } = snapshot.events;
    assert.equal(emitted, decoded + dropped);
  }
  const all = direct().lifecycles.total;
  assert.ok(
    total <= all && total >= all - 8 * SECONDS,
    `${total} of ${all}: only those across a boundary are left out`,
  );
});

test('an earlier recording of the name goes, all its parts with it', async () => {
  const path = join(directory, 'again.vmlt');
  await rotate(path, { maxAgeMs: 1000 });
  const single = await createRecordingWriter(LIVE_SESSION, await fileSink(path));
  await single.end();
  await rotate(path, { maxAgeMs: 1000 }, { seconds: 1.5 });
  const files = (await readdir(directory)).filter((file) => file.startsWith('again.')).sort();
  assert.deepEqual(files, ['again.0001.vmlt', 'again.0002.vmlt']);
});

test('a missing part and another session are named, after what came before them', async () => {
  const path = join(directory, 'gap.vmlt');
  await rotate(path, { maxAgeMs: 1000 });
  await rm(partPath(path, 3));
  const pipeline = new Pipeline(LIVE_SESSION);
  const gap = await openFile(path);
  await assert.rejects(
    async () => {
      for await (const batch of gap.batches()) pipeline.push(batch);
    },
    (error) => error instanceof UserError && /part 4 follows part 2/.test(error.message) && error.exitCode === 2,
  );
  assert.ok(pipeline.snapshot().lifecycles.total > 3900);

  const mixed = join(directory, 'mixed.vmlt');
  await writeFile(mixed, Buffer.concat([await readFile(partPath(path, 1)), await other()]));
  const source = await openFile(mixed);
  await assert.rejects(
    async () => {
      for await (const _ of source.batches());
    },
    (error) => error instanceof UserError && /another session begins at byte \d+/.test(error.message),
  );
});

async function other(): Promise<Uint8Array> {
  const path = join(directory, 'other.vmlt');
  const writer = await createRecordingWriter({ ...LIVE_SESSION, baseNs: '1' }, await fileSink(path));
  await writer.end();
  return readFile(path);
}

test('flush and end may come while a part is changed, and a failure stays', async () => {
  const path = join(directory, 'busy.vmlt');
  let clock = 0;
  const writer = await createRotatingWriter(LIVE_SESSION, path, { maxAgeMs: 100, now: () => clock });
  const pending: Promise<void>[] = [];
  for (const batch of liveSession({ seconds: 1 })) {
    clock = (batch.time[0] as number) / 1e6;
    pending.push(writer.flush());
    const written = writer.write(batch);
    pending.push(writer.flush());
    await written;
  }
  await Promise.all([...pending, writer.end()]);
  assert.deepEqual(figures((await read(path)).snapshot), figures(direct({ seconds: 1 })));

  const failing = await createRotatingWriter(LIVE_SESSION, join(directory, 'fails.vmlt'), {
    maxAgeMs: 1,
    now: () => clock,
  });
  clock += 2000;
  await mkdir(join(directory, 'fails.0002.vmlt'));
  const [batch] = liveSession({ seconds: 0.3 });
  assert.ok(batch);
  for (let i = 0; i < 2; i++) await assert.rejects(failing.write(batch), /it is a directory/);
  await assert.rejects(failing.end(), /it is a directory/);
});
