// SPDX-License-Identifier: MIT
/** `info`, `--from` and `--to`, `replay --follow`, and which options of `record` exclude each other. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Inventory } from '../../src/recording/read/inventory.js';
import { createRotatingWriter } from '../../src/recording/write/rotate.js';
import { fileSink } from '../../src/recording/write/sink.js';
import { createRecordingWriter } from '../../src/recording/write/writer.js';
import { LIVE_SESSION, liveSession } from '../recording/live-session.js';
import { MAIN, run } from './run.js';

const GOLDEN = fileURLToPath(new URL('../../../test/golden/swap-7.3.vmlt', import.meta.url));
let dir = '';
let whole = '';

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'vmalocktop-info-'));
  whole = join(dir, 'whole.vmlt');
  const writer = await createRecordingWriter(LIVE_SESSION, await fileSink(whole));
  for (const batch of liveSession({ seconds: 2, dropEvery: 100 })) await writer.write(batch);
  await writer.end();
});
after(() => rm(dir, { recursive: true }));

async function info(path: string): Promise<Inventory> {
  const { code, stdout, stderr } = await run(['info', '--json', path]);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Inventory;
}

interface Stat {
  readonly events: { readonly emitted: number; readonly decoded: number; readonly dropped: number };
  readonly lifecycles: { readonly total: number };
  readonly durationNs: number | string;
}

test('info of a whole recording: its losses add up, and stat says the same', async () => {
  const document = await info(whole);
  assert.equal(document.v, 1);
  assert.equal(document.whole, true);
  assert.equal(document.parts, null);
  const { losses, rows, time } = document;
  assert.equal(losses.unaccounted, 0);
  assert.equal(losses.dropped.total, 40);
  assert.deepEqual(losses.dropped.perKind, { SWAP_EXIT: 40 });
  assert.equal(losses.cutOff, null);
  const { stdout } = await run(['stat', '--json', whole]);
  const { events } = JSON.parse(stdout) as Stat;
  assert.equal(rows.events, events.decoded);
  assert.equal(losses.dropped.total, events.dropped);
  assert.equal(rows.perKind.End, 1);
  assert.equal(time.began, '2026-03-01T12:00:00.000Z');
  assert.ok(document.markers.length > 0 && document.markers.every(({ kind }) => kind === 'loss'));
  assert.equal(document.bytes, (await readFile(whole)).length);
});

test('info of the real recording, for people: losses come first', async () => {
  const { code, stdout } = await run(['info', GOLDEN]);
  assert.equal(code, 0);
  const lines = stdout.split('\n');
  assert.equal(lines[2], 'Losses');
  assert.match(stdout, /missed +73 runs: x_handle_mm_fault 73/);
  assert.match(stdout, /unaccounted +0 records/);
  assert.match(stdout, /notes lost +not counted when this was recorded/);
  assert.match(stdout, /43,487 events/);
  assert.match(stdout, /Linux 7\.3\.4/);
  assert.match(stdout, /without up_read: left out/);
});

test('info says what is missing of a recording that was cut off, and exits 2 for one that is damaged', async () => {
  const bytes = await readFile(whole);
  const cut = join(dir, 'cut.vmlt');
  await writeFile(cut, bytes.subarray(0, Math.floor(bytes.length * 0.7)));
  const document = await info(cut);
  assert.equal(document.whole, false);
  assert.match(document.losses.cutOff ?? '', /inside a message/);
  assert.equal(document.losses.unaccounted, null, 'the last counters are not final');
  const { stdout } = await run(['info', cut]);
  assert.match(stdout.split('\n')[3] ?? '', /CUT OFF .*inside a message/);
  assert.match(stdout, /samples came up to \d.* apart:\n.*no more than that is missing/);
  const pause = document.losses.longestPauseNs ?? 0;
  assert.ok(pause > 100e6 && pause < (document.time.durationNs ?? 0), `${pause}`);

  const damaged = join(dir, 'damaged.vmlt');
  await writeFile(damaged, Buffer.from(bytes).fill(0x5a, bytes.length >> 1, (bytes.length >> 1) + 20_000));
  const broken = await run(['info', damaged]);
  assert.equal(broken.code, 2);
  assert.match(broken.stdout, /DAMAGED .*damaged at byte \d+/);
  assert.match(broken.stderr, /damaged at byte \d+.*\n→ /);

  const none = await run(['info', join(dir, 'none')]);
  assert.equal(none.code, 2);
  assert.equal(none.stdout, '');
});

test('parts are read under the name that was given to record', async () => {
  const path = join(dir, 'rotated.vmlt');
  let clock = 0;
  const writer = await createRotatingWriter(LIVE_SESSION, path, { maxAgeMs: 500, keep: 2, now: () => clock });
  for (const batch of liveSession({ seconds: 2 })) {
    clock = (batch.time[0] as number) / 1e6;
    await writer.write(batch);
  }
  await writer.end();
  const document = await info(path);
  assert.deepEqual(document.parts, { first: 4, count: 2 });
  assert.equal(document.losses.unaccounted, 0);
  const [stat, replay] = await Promise.all([run(['stat', '--json', path]), run(['replay', path])]);
  const { lifecycles } = JSON.parse(stat.stdout) as Stat;
  assert.ok(lifecycles.total > 800 && lifecycles.total < 1200, `${lifecycles.total}`);
  assert.equal(replay.code, 0);
});

test('--from and --to choose a time range, by seconds or by the clock', async () => {
  const [seconds, clock] = await Promise.all([
    run(['stat', '--json', '--from', '0.5', '--to', '1.5s', whole]),
    run(['stat', '--json', '--from', '2026-03-01T12:00:00.5Z', '--to', '2026-03-01T12:00:01.5Z', whole]),
  ]);
  assert.equal(seconds.code, 0, seconds.stderr);
  assert.equal(seconds.stdout, clock.stdout);
  const { lifecycles, durationNs } = JSON.parse(seconds.stdout) as Stat;
  assert.ok(Math.abs(lifecycles.total - 2000) <= 10, `${lifecycles.total}`);
  assert.equal(Number(durationNs), 1e9);
  const text = await run(['replay', '--from', '0.5', '--to', '1.5', whole]);
  assert.equal(text.code, 0);
  assert.doesNotMatch(text.stdout, /CUT OFF/);
});

const refused: readonly (readonly [argv: readonly string[], why: RegExp])[] = [
  [['stat', '--from', '5', '-d', '1'], /--from chooses a part of a recording/],
  [['record', '-o', '-', '--max-size', '1M'], /a stream has no parts/],
  [['record', '-o', '-', '--flight', '30s'], /a stream has no parts/],
  [['record', '-o', 'x', '--flight', '30s', '--max-age', '1h'], /--flight writes one file/],
  [['record', '-o', 'x', '--keep', '3'], /--keep counts parts/],
  [['record', '-o', 'x', '--max-size', '5'], /It must be a size from 64K on/],
  [['record', '-o', 'x', '--max-age', 'soon'], /It must be a time such as/],
  [['record', '-o', 'x', '--max-size', '1M', '--keep', '0'], /It must be a whole number from 1 on/],
  [['record', '-o', 'x', '--fsync', 'maybe'], /Allowed choices are none, interval, batch/],
  [['replay', '--from', 'noon', 'x'], /It must be a time such as/],
];
for (const [argv, why] of refused) {
  test(`refused before anything is touched: ${argv.join(' ')}`, async () => {
    const { code, stdout, stderr } = await run(argv);
    assert.equal(code, 2);
    assert.equal(stdout, '');
    assert.match(stderr, why);
    assert.match(stderr, /\n→ /);
  });
}

test('time ranges that are none: behind the end, or without length', async () => {
  const [behind, empty] = await Promise.all([
    run(['stat', '--from', '1h', whole]),
    run(['stat', '--from', '1.5', '--to', '1', whole]),
  ]);
  assert.equal(behind.code, 2);
  assert.match(behind.stderr, /cannot begin at 3600\.000 s: the recording ends at 2\.00/);
  assert.equal(empty.code, 2);
  assert.match(empty.stderr, /1 is not later than 1\.5/);
});

test('replay --follow waits for the end of the session', async () => {
  const path = join(dir, 'grows.vmlt');
  const bytes = await readFile(whole);
  await writeFile(path, bytes.subarray(0, bytes.length >> 1));
  const child = spawn(process.execPath, [MAIN, 'replay', '--follow', path], { stdio: 'pipe' });
  let stdout = '';
  child.stdout.on('data', (text) => {
    stdout += String(text);
  });
  await sleep(700);
  assert.equal(child.exitCode, null, 'it waits');
  await appendFile(path, bytes.subarray(bytes.length >> 1));
  const [code] = (await once(child, 'close')) as [number | null];
  assert.equal(code, 0);
  assert.equal(stdout, (await run(['replay', whole])).stdout);
});
