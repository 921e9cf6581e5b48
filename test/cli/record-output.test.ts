// SPDX-License-Identifier: MIT
/** What `record --flight` does at SIGUSR1 and at the end. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openOutput, timedPath } from '../../cli/commands/record/output.js';
import { scanFile } from '../../src/recording/read/scan.js';
import { LIVE_SESSION, liveSession } from '../recording/live-session.js';

const directory = await mkdtemp(join(tmpdir(), 'vmalocktop-output-'));
after(() => rm(directory, { recursive: true }));

test('--flight writes the last seconds at SIGUSR1, beside the file, and the session goes on to its end', async () => {
  const path = join(directory, 'night.vmlt');
  const output = await openOutput(LIVE_SESSION, { output: path, fsync: 'batch', flight: 1, flightSize: 2 ** 26 });
  let signalled = false;
  for (const batch of liveSession({ seconds: 4 })) {
    await output.write(batch);
    if (signalled || (batch.time[0] as number) < 2.5e9) continue;
    signalled = true;
    process.kill(process.pid, 'SIGUSR1');
    while ((await readdir(directory)).length === 0) await sleep(5);
  }
  assert.equal((await readdir(directory)).includes('night.vmlt'), false, 'nothing but what was asked for is written');
  await output.end();
  const files = (await readdir(directory)).sort();
  assert.equal(files.length, 2);
  assert.match(files[0] ?? '', /^night\.\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ\.vmlt$/);
  const [asked, ended] = await Promise.all(files.map((file) => scanFile(join(directory, file))));
  assert.equal(asked?.part?.written?.why, 'signal SIGUSR1');
  assert.equal(ended?.part?.written?.why, 'the session ended');
  for (const scan of [asked, ended]) {
    assert.ok(scan);
    assert.equal(scan.truncated, null);
    assert.ok(scan.last >= 1e9 && scan.last < 2.2e9, `${scan.last / 1e9} s`);
  }
});

test('the name of what a signal asks for has the time in it, and is nobody else’s', () => {
  const now = new Date('2026-03-01T12:30:05.123Z');
  assert.equal(timedPath('/a/b.vmlt', now), '/a/b.2026-03-01T12-30-05Z.vmlt');
  assert.equal(timedPath('/a.b/c', now), '/a.b/c.2026-03-01T12-30-05Z');
});
