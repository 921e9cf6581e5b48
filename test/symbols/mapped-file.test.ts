// SPDX-License-Identifier: MIT
/** A file that is mapped is opened as that file, whatever takes its name. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { openRegular } from '../../src/symbols/mapped-file.js';

/** Gives the name $1/it to a file and to a pipe by turns, as fast as it can. */
const SWAP = `
const { linkSync, renameSync } = require('node:fs');
const [dir] = process.argv.slice(1);
process.send('on');
for (let i = 0; ; i++) {
  linkSync(dir + (i % 2 ? '/file' : '/pipe'), dir + '/next');
  renameSync(dir + '/next', dir + '/it');
}`;

it('opens nothing else than the file that is mapped, however fast another one takes its name', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'symbols-swap-'));
  writeFileSync(join(dir, 'file'), 'x');
  writeFileSync(join(dir, 'it'), '');
  execFileSync('mkfifo', [join(dir, 'pipe')]);
  const { ino } = statSync(join(dir, 'file'), { bigint: true });
  const swapper = spawn(process.execPath, ['-e', SWAP, dir], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  try {
    await once(swapper, 'message');
    let opened = 0;
    for (let i = 0; opened < 300 && i < 100_000; i++) {
      const file = await openRegular(join(dir, 'it'), ino);
      if (file === null) continue;
      opened++;
      assert.ok((await file.stat()).isFile());
      await file.close();
    }
    assert.equal(opened, 300);
  } finally {
    swapper.kill('SIGKILL');
    await once(swapper, 'exit');
    rmSync(dir, { recursive: true });
  }
});
