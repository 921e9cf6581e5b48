// SPDX-License-Identifier: MIT
/** `replay` and `top` in a terminal of their own: keys, signals, and that the terminal is restored. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { IPty } from '@lydell/node-pty';
import { patience } from '../pace.js';
import { spawnWhole, type WholeOutput } from '../tui/whole-output.js';
import { batchesOf, writeRecording } from './recorded.js';
import { MAIN } from './run.js';

const LEAVE_ALTERNATE_SCREEN = '\x1b[?1049l';
let dir = '';
let file = '';

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'vmalocktop-tty-'));
  file = join(dir, 'whole.vmlt');
  await writeRecording(file, batchesOf(200));
});
const started: IPty[] = [];
after(async () => {
  // One that is still there after its test timed out would keep this process from ending.
  for (const pty of started) pty.kill('SIGKILL');
  await rm(dir, { recursive: true });
});

interface Session extends WholeOutput {
  readonly until: (text: string) => Promise<void>;
}

/** The command line runs under sh, so that stdin can be a file while the terminal stays the controlling one. */
function start(words: string): Session {
  const line = `exec "${process.execPath}" "${MAIN}" ${words}`;
  const run = spawnWhole(['/bin/sh', '-c', line], {
    name: 'xterm-256color',
    cols: 120,
    rows: 30,
    env: { ...process.env, TERM: 'xterm-256color' },
  });
  const { pty, seen, exit } = run;
  started.push(pty);
  let wake = (): void => {};
  run.onMore(() => wake());
  const until = async (text: string): Promise<void> => {
    const ended = exit.then(() => true);
    while (!seen().includes(text)) {
      const more = new Promise<boolean>((resolve) => {
        wake = (): void => resolve(false);
      });
      if ((await Promise.race([more, ended])) && !seen().includes(text))
        throw new Error(`never saw ${text} in:\n${seen()}`);
    }
  };
  return { ...run, until };
}

for (const [name, shows, words] of [
  ['a file: opens in its longest fault', 'PAUSED', () => `replay "${file}"`],
  ['stdin, keys from the controlling terminal: shows the end', 'END', () => `replay - < "${file}"`],
] as const) {
  test(`replay of ${name}, q leaves, the terminal is restored`, { timeout: patience(10_000) }, async () => {
    const session = start(words());
    await session.until(shows);
    session.pty.write('q');
    assert.equal(await session.exit, 0);
    assert.ok(session.seen().includes(LEAVE_ALTERNATE_SCREEN));
  });
}

test('replay ended by SIGTERM: 143, the terminal is restored', { timeout: patience(10_000) }, async () => {
  const session = start(`replay "${file}"`);
  await session.until('PAUSED');
  process.kill(session.pid(), 'SIGTERM');
  assert.equal(await session.exit, 143);
  assert.ok(session.seen().includes(LEAVE_ALTERNATE_SCREEN));
});

test('record refuses to write a recording to a terminal', { timeout: patience(10_000) }, async () => {
  const session = start('record -o -');
  assert.equal(await session.exit, 2);
  assert.match(session.seen(), /cannot record to standard output: it is a terminal/);
});

test('a recording cannot come from a terminal', { timeout: patience(10_000) }, async () => {
  const session = start('stat -');
  assert.equal(await session.exit, 2);
  assert.match(session.seen(), /cannot read a recording from standard input: it is a terminal/);
});
