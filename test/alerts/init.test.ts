// SPDX-License-Identifier: MIT
/** As the first process of a container, vmalocktop ends what an action left behind, leaves alone what others started, and reaps every zombie. */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const AS_INIT = fileURLToPath(new URL('as-init.js', import.meta.url));
const NEW = ['--pid', '--fork', '--mount-proc', '--kill-child'];
const skip = spawnSync('unshare', [...NEW, 'true']).status !== 0 && 'no pid namespace can be made here';

test('the first process of a container', { skip }, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'init-'));
  const unshare = spawn('unshare', [...NEW, process.execPath, AS_INIT, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  unshare.stdout.setEncoding('utf8').on('data', (text) => {
    out += text;
  });
  try {
    while (!existsSync(join(directory, 'ready'))) await sleep(20);
    const init = readFileSync(`/proc/${unshare.pid}/task/${unshare.pid}/children`, 'utf8').trim();
    // As `podman exec` does: a process with a parent outside, whose child then is the first process's.
    const words = [
      '-t',
      init,
      '--pid',
      '--mount',
      'sh',
      '-c',
      `setsid sh -c 'echo $$ > ${directory}/stranger; exec sleep 300' &`,
    ];
    execFileSync('nsenter', words, { stdio: 'ignore' });
    while (!existsSync(join(directory, 'stranger')) || readFileSync(join(directory, 'stranger'), 'utf8') === '')
      await sleep(20);
    writeFileSync(join(directory, 'entered'), '');
    const [code] = await once(unshare, 'close');
    assert.equal(code, 0, out);
    assert.deepEqual(JSON.parse(out), {
      pid: 1,
      failure: null,
      after: { stranger: 'S', left: 'gone' },
      killed: 'gone',
    });
  } finally {
    unshare.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  }
});
