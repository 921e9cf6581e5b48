// SPDX-License-Identifier: MIT
/** Misuse of what is loaded, and maps as they are without a program: in processes of their own. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { file } from './support.js';

describe('misuse', () => {
  it('maps do here what they do elsewhere, and touch no memory that was not lent', () => {
    const files = [file('maps.test.js'), file('maps-memory.test.js')];
    const { stdout, status } = spawnSync(process.execPath, ['--test', '--test-reporter=tap', ...files], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH },
    });
    assert.equal(status, 0, stdout);
    assert.match(stdout, /^# pass 1[0-9]$/m);
    assert.match(stdout, /^# skipped 0$/m);
  });

  it('misuse of what is loaded and attached is answered or refused', () => {
    for (const seed of ['1', String(Date.now() % 2 ** 31)]) {
      const run = spawnSync(process.execPath, [file('misuse-run.js'), seed, '4', 'load'], {
        encoding: 'utf8',
        maxBuffer: 2 ** 26,
      });
      assert.deepEqual([run.signal, run.status], [null, 0], `seed ${seed}: ${run.stderr.slice(-2000)}`);
      const { answered, refused, offences, called } = JSON.parse(run.stdout);
      console.log(`# seed ${seed}: ${answered} answered, ${refused} refused, ${called.length} members`);
      assert.deepEqual(offences, [], `seed ${seed}`);
      assert.ok(answered > 1000 && refused > 1000 && called.includes('link.account'));
    }
  });
});
