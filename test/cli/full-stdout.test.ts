// SPDX-License-Identifier: MIT
/** /dev/full refuses every write: the output is lost, and a script must learn of it by the exit code. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { test } from 'node:test';
import { MAIN } from './run.js';

test('what a full standard output did not take is said', {
  skip: existsSync('/dev/full') ? false : 'this system has no /dev/full',
}, () => {
  const full = openSync('/dev/full', 'w');
  try {
    // The first two are written by the parser of the command line, which awaits nothing.
    for (const argv of [['--help'], ['--version'], ['completion', 'bash'], ['stat', 'test/golden/swap-7.3.vmlt']]) {
      const { status, stderr } = spawnSync(process.execPath, [MAIN, ...argv], {
        stdio: ['ignore', full, 'pipe'],
        encoding: 'utf8',
      });
      assert.equal(status, 2, argv.join(' '));
      assert.equal(
        stderr,
        'vmalocktop: cannot write to standard output: no space left on the device\n→ make room, or write elsewhere\n',
      );
    }
  } finally {
    closeSync(full);
  }
});
