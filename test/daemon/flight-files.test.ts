// SPDX-License-Identifier: MIT
/** The daemon's flight recorder files: how many there are, whoever asks for them at the same time. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { dumpFlight } from '../../src/daemon/flight-files.js';
import { openFile } from '../../src/recording/read/file.js';
import { createFlightRecorder, type FlightRecorder } from '../../src/recording/write/flight.js';
import { syntheticSession } from '../core/session.js';
import { synthesize } from '../core/synthetic.js';
import { scratch } from './support.js';

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
