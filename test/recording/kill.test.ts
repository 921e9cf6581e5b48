// SPDX-License-Identifier: MIT
/** SIGKILL at any time, a disk that fills, a limit on the size of files: what was written opens, and says what it lacks. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { partPath } from '../../src/recording/format/files.js';
import { inventory } from '../../src/recording/read/inventory.js';
import { type Scan, scanFile } from '../../src/recording/read/scan.js';

/** `make test-long` for the whole of it. */
const KILLS = Number(process.env.VMALOCKTOP_KILLS ?? 12);
const RECORDER = fileURLToPath(new URL('recorder.js', import.meta.url));
const directory = await mkdtemp(join(tmpdir(), 'vmalocktop-kill-'));
after(() => rm(directory, { recursive: true }));

interface Recorder {
  readonly child: ChildProcess;
  /** ns since its start, as it said last. */
  said(): number;
  /** What it said in words. */
  words(): string;
}

function startRecorder(command: readonly string[]): Recorder {
  const [file = '', ...argv] = command;
  const child = spawn(file, argv, { stdio: ['ignore', 'ignore', 'pipe'] });
  let text = '';
  child.stderr?.on('data', (bytes) => {
    text += String(bytes);
  });
  return {
    child,
    said: () => Number(/(\d+)\n[^\n]*$/.exec(text)?.[1] ?? -1),
    words: () => text.replaceAll(/^\d+\n/gm, ''),
  };
}

async function begun(recorder: Recorder): Promise<void> {
  while (recorder.said() < 0) {
    assert.equal(recorder.child.exitCode, null, recorder.words());
    await sleep(5);
  }
}

function assertCutOff(scan: Scan): void {
  assert.equal(scan.error, null);
  assert.ok(scan.truncated, 'it says that it was cut off');
  assert.equal(inventory('it', scan).losses.cutOff, scan.truncated);
}

/** Two at a time: a recorder that waits to be killed leaves a processor idle. */
function inLanes(runs: number, kill: (run: number) => Promise<void>): Promise<unknown> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < runs) await kill(next++);
  };
  return Promise.all([lane(), lane()]);
}

test(`SIGKILL at a random time, ${KILLS} times: the file opens, at most the last second is missing, and it says so`, async (t) => {
  let most = 0;
  await inLanes(KILLS, async (run) => {
    const path = join(directory, `killed-${run}.vmlt`);
    const recorder = startRecorder([process.execPath, RECORDER, path]);
    await begun(recorder);
    await sleep(Math.random() * (run % 4 === 0 ? 1500 : 300));
    recorder.child.kill('SIGKILL');
    await once(recorder.child, 'close');
    const scan = await scanFile(path);
    assertCutOff(scan);
    const missing = recorder.said() - (Number.isNaN(scan.last) ? 0 : scan.last);
    most = Math.max(most, missing);
    assert.ok(missing < 1e9, `${missing / 1e6} ms are missing`);
    await rm(path);
  });
  t.diagnostic(`at most ${(most / 1e6).toFixed(0)} ms were missing`);
});

test('SIGKILL while parts are changed: all parts together open', async () => {
  await inLanes(Math.ceil(KILLS / 4), async (run) => {
    const path = join(directory, `rotated-${run}.vmlt`);
    const recorder = startRecorder([process.execPath, RECORDER, path, '65536']);
    await begun(recorder);
    while (!existsSync(partPath(path, 2))) await sleep(5);
    await sleep(Math.random() * 300);
    recorder.child.kill('SIGKILL');
    await once(recorder.child, 'close');
    const scan = await scanFile(path);
    assertCutOff(scan);
    // Killed between the creation of a part and its head: the part before is whole, and this one is nothing.
    assert.ok(scan.parts >= 1);
    assert.ok(recorder.said() - scan.last < 1e9);
  });
});

test('a limit on the size of files stops the recorder with the reason, and what was written opens', async () => {
  const path = join(directory, 'limited.vmlt');
  const recorder = startRecorder([
    'bash',
    '-c',
    `ulimit -f 200; exec "$0" "$1" "$2"`,
    process.execPath,
    RECORDER,
    path,
  ]);
  const [code] = (await once(recorder.child, 'close')) as [number];
  assert.equal(code, 2, recorder.words());
  assert.match(recorder.words(), /cannot write the recording to .*: the file may not grow further\n→ /);
  assert.equal((await stat(path)).size, 200 * 1024);
  const scan = await scanFile(path);
  assertCutOff(scan);
  assert.match(scan.truncated ?? '', /inside a message/);
  assert.ok(scan.last > 0);
});

test('a full disk stops the recorder with the reason, and what was written opens', async (t) => {
  const disk = join(directory, 'disk');
  await mkdir(disk);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'none', disk], { stdio: 'pipe' });
  } catch (error) {
    return t.skip(`no small file system to be had: ${(error as Error).message.split('\n').at(-2)}`);
  }
  try {
    for (const argv of [[], ['65536']]) {
      const path = join(disk, 'full.vmlt');
      const recorder = startRecorder([process.execPath, RECORDER, path, ...argv]);
      const [code] = (await once(recorder.child, 'close')) as [number];
      assert.equal(code, 2, recorder.words());
      assert.match(recorder.words(), /no space left on the device\n→ free some space/);
      const scan = await scanFile(path);
      assertCutOff(scan);
      assert.ok(scan.last > 0);
      for (const file of execFileSync('ls', [disk], { encoding: 'utf8' }).split('\n'))
        if (file !== '') await rm(join(disk, file));
    }
  } finally {
    execFileSync('umount', [disk]);
  }
});

test('a pipe whose reader goes away stops the recorder with the reason, and what was read opens', async () => {
  const path = join(directory, 'piped.vmlt');
  const recorder = startRecorder([
    'bash',
    '-c',
    `set -o pipefail; "$0" "$1" - | head -c 100000 > "$2"`,
    process.execPath,
    RECORDER,
    path,
  ]);
  const [code] = (await once(recorder.child, 'close')) as [number];
  assert.equal(code, 2, recorder.words());
  assert.match(recorder.words(), /has closed the pipe\n→ /);
  const scan = await scanFile(path);
  assertCutOff(scan);
  assert.ok(scan.last > 0);
});
