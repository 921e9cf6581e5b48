// SPDX-License-Identifier: MIT
/** `top --connect`: the dashboard over the daemon's socket. */
import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { MAIN, run as runCommand } from '../cli/run.js';
import { run } from '../tui/pty.js';
import { type Running, scratch, startDaemon, writeRecording } from './support.js';

const directory = scratch();
const socket = join(directory.path, 'socket');
let daemon: Running;

before(async () => {
  chmodSync(directory.path, 0o777);
  const recording = join(directory.path, 'session.vmlt');
  await writeRecording(recording, 120);
  daemon = await startDaemon(directory.path, recording, `[socket]\npath = "${socket}"\n`);
});

after(async () => {
  await daemon.end('SIGKILL');
  directory.remove();
});

test('it shows what the daemon observes, and its end', async () => {
  const shell = run(MAIN, { args: ['top', '--connect', socket, '--interval', '0.2'] });
  await shell.shows(/waiter/);
  assert.equal(await daemon.end('SIGTERM'), 0);
  shell.write('q');
  await shell.restored(0);
});

test('what acts in the kernel is refused', async () => {
  const { code, stderr } = await runCommand(['top', '--connect', socket, '--pid', '1']);
  assert.equal(code, 2);
  assert.match(
    stderr,
    /--pid acts only while the kernel is observed, not on what a daemon observes already\n→ .*configuration/,
  );
});
