// SPDX-License-Identifier: MIT
/** The golden screens, the keys and the replay again, with reblessed in blessed's place. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { longOnly } from '../long.js';
import { patience } from '../pace.js';

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

for (const suite of ['golden.test.js', 'keys.test.js', 'keys-out.test.js', 'dashboard.test.js', 'replay.test.js']) {
  test(`${suite} passes on reblessed`, {
    timeout: patience(60_000),
    skip: longOnly,
  }, () => {
    // As a process of its own that does not take itself for a part of this run.
    const { NODE_TEST_CONTEXT: _, UPDATE_GOLDEN: __, ...env } = process.env;
    const args = ['--import', here('./reblessed.js'), here(`./${suite}`)];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' });
    assert.equal(status, 0, `${failures(stdout)}\n${stderr}`);
    assert.match(stdout, /# pass [1-9]/);
  });
}

/** What failed, each with what the reporter says of it. */
function failures(tap: string): string {
  return tap
    .split(/^(?=# Subtest)/m)
    .filter((part) => /^not ok/m.test(part))
    .join('\n');
}
