// SPDX-License-Identifier: MIT
/** The daemon's flight recorder files: how many there are, even if several ask for one at the same time. */
import assert from 'node:assert/strict';
import { chownSync, lstatSync, mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { giveAway, makeFlightDirectory } from '../../src/daemon/flight-directory.js';
import { dumpFlight } from '../../src/daemon/flight-files.js';
import { openFile } from '../../src/recording/read/file.js';
import { createFlightRecorder, type FlightRecorder } from '../../src/recording/write/flight.js';
import { syntheticSession } from '../core/session.js';
import { synthesize } from '../core/synthetic.js';
import { scratch } from './support.js';

const root = process.geteuid?.() === 0;

async function recorder(): Promise<FlightRecorder> {
  const flight = await createFlightRecorder(syntheticSession(), { seconds: 60, bytes: 2 ** 20 });
  for (const batch of synthesize(100, 1)) flight.write(batch);
  return flight;
}

test('several at the same time: each is written, the newest stay, and none fails over what another has deleted', async (t) => {
  const directory = scratch();
  t.after(() => directory.remove());
  const flight = await recorder();
  for (let round = 0; round < 5; round++) {
    const times = Array.from({ length: 8 }, (_, i) => new Date(1_700_000_000_000 + 8 * round + i));
    const paths = await Promise.all(times.map((now) => dumpFlight(flight, directory.path, 2, 'a test', now)));
    assert.equal(new Set(paths).size, times.length);
  }
  const left = readdirSync(directory.path).sort();
  assert.deepEqual(left, ['flight-20231114T221320038Z.vmlt', 'flight-20231114T221320039Z.vmlt']);
  const source = await openFile(join(directory.path, left[1] ?? ''));
  let rows = 0;
  for await (const batch of source.batches()) rows += batch.length;
  assert.ok(rows > 100);
});

test('what a killed daemon left half written goes, what another is writing stays', async (t) => {
  const directory = scratch();
  t.after(() => directory.remove());
  const [left, new_] = ['.vmalocktop-0123456789abcdef.partial', '.vmalocktop-fedcba9876543210.partial'] as const;
  for (const name of [left, new_, 'else.partial']) writeFileSync(join(directory.path, name), 'x');
  for (const name of [left, 'else.partial']) utimesSync(join(directory.path, name), 1, 1);
  const path = await dumpFlight(await recorder(), directory.path, 2, 'a test');
  assert.deepEqual(readdirSync(directory.path).sort(), [new_, 'else.partial', basename(path)].sort());
});

test('a directory is given away as it was made, and not what somebody put in its place', {
  skip: !root && 'needs root',
}, (t) => {
  const directory = scratch();
  t.after(() => directory.remove());
  const user = { name: 'ann', uid: 4711, gid: 4712 };
  const owner = (name: string): number => lstatSync(join(directory.path, name)).uid;
  makeFlightDirectory(join(directory.path, 'made/deep'), user);
  assert.deepEqual([owner('made'), owner('made/deep')], [0, 4711]);
  // One that was there keeps its owner.
  mkdirSync(join(directory.path, 'full/cron.d'), { recursive: true });
  makeFlightDirectory(join(directory.path, 'full'), user);
  assert.equal(owner('full'), 0);
  symlinkSync('full', join(directory.path, 'link'));
  mkdirSync(join(directory.path, 'foreign'));
  chownSync(join(directory.path, 'foreign'), 4713, 4713);
  for (const name of ['link', 'full', 'foreign'])
    assert.throws(() => giveAway(join(directory.path, name), user), { code: 'EEXIST' }, name);
  assert.deepEqual([owner('link'), owner('full'), owner('foreign')], [0, 0, 4713]);
});
