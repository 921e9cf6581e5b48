// SPDX-License-Identifier: MIT
/** `--fail-on` and `--alerts` on the command line. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run } from '../cli/run.js';

const GOLDEN = fileURLToPath(new URL('../../../test/golden/swap-7.3.vmlt', import.meta.url));
const directory = await mkdtemp(join(tmpdir(), 'vmalocktop-fail-on-'));
after(() => rm(directory, { recursive: true }));
const mine = join(directory, 'mine.toml');
await writeFile(
  mine,
  '[[rule]]\nname = "quiet"\nwhen = "dropped > 1000000"\n\n[[rule]]\nname = "loud"\nwhen = "fault_rate > 1"\n',
);

describe('stat --fail-on', () => {
  it('exits with 1 and says which rule fired, when, and with what values; the summary comes all the same', async () => {
    const { code, stdout, stderr } = await run(['stat', GOLDEN, '--json', '--fail-on', 'retry-fallbacks']);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^vmalocktop: fired at 6\.000 s \(2026-\d\d-\d\dT[\d:.]+Z\): warning retry-fallbacks firing: .*\[retry_ratio 0\.3328, retry_rate 378\.3\]\n$/,
    );
    assert.equal(JSON.parse(stdout).v, 1);
  });

  it('exits with 0 when nothing fired', async () => {
    const { code, stderr } = await run(['stat', GOLDEN, '--fail-on', 'folio-wait', '--fail-on', 'dropped > 0']);
    assert.equal(code, 0);
    assert.equal(stderr, '');
  });

  it('gives the same figures as without it', async () => {
    const [plain, judged] = await Promise.all([
      run(['stat', GOLDEN, '--json']),
      run(['stat', GOLDEN, '--json', '--fail-on', 'any']),
    ]);
    assert.equal(judged.stdout, plain.stdout);
    assert.equal(judged.code, 1);
  });

  it('takes expressions, and counts how often they held', async () => {
    const { code, stderr } = await run(['stat', GOLDEN, '--fail-on', 'retry_ratio > 0.5']);
    assert.equal(code, 1);
    assert.match(stderr, /critical fail-on-1 firing: retry_ratio > 0\.5 \[retry_ratio 0\.\d+\]/);
  });

  it('takes rules of another file', async () => {
    assert.equal((await run(['stat', GOLDEN, '--rules', mine, '--fail-on', 'quiet'])).code, 0);
    assert.equal((await run(['stat', GOLDEN, '--rules', mine, '--fail-on', 'any'])).code, 1);
    const { code, stderr } = await run(['stat', GOLDEN, '--rules', mine, '--fail-on', 'folio-wait']);
    assert.equal(code, 2);
    assert.match(stderr, /cannot use --fail-on "folio-wait": there is no such rule\n→ rules: quiet, loud, any/);
  });

  it('says what is wrong with an expression, before anything is observed', async () => {
    for (const command of [['stat'], ['record', '-o', join(directory, 'never.vmlt')]]) {
      const { code, stderr } = await run([...command, '--fail-on', 'retry_rat > 0.5']);
      assert.equal(code, 2);
      assert.match(
        stderr,
        /cannot use --fail-on "retry_rat > 0\.5": there is no field retry_rat\n→ fields: fault_rate, /,
      );
    }
  });

  it('refuses rules nobody asks for', async () => {
    const { code, stderr } = await run(['stat', GOLDEN, '--rules', mine]);
    assert.equal(code, 2);
    assert.match(stderr, /--rules/);
  });
});

describe('replay --alerts', () => {
  it('lists what fired where there is no terminal, also of what comes through a pipe', async () => {
    const { code, stdout } = await run(['replay', GOLDEN, '--alerts']);
    assert.equal(code, 0);
    assert.match(
      stdout,
      /\nalerts:\n +1\.997 s {2}warning runs-missed firing: .*\n +6\.000 s {2}warning retry-fallbacks firing: .*\n$/,
    );
  });

  it('takes rules of another file', async () => {
    const { stdout } = await run(['replay', GOLDEN, '--alerts', mine]);
    assert.match(stdout, /\nalerts:\n +\d\.\d{3} s {2}warning loud firing: loud \[fault_rate [\d.]+\]\n/);
  });

  it('names file, line and key of what is wrong with one', async () => {
    const bad = join(directory, 'bad.toml');
    await writeFile(bad, '[[rule]]\nname = "x"\nwhen = "dropped > 0"\nfor = "soon"\n');
    const { code, stderr } = await run(['replay', GOLDEN, '--alerts', bad]);
    assert.equal(code, 2);
    assert.match(stderr, /bad\.toml: line 4: rule\[0\]\.for is "soon"\n→ it must be a time such as/);
  });
});
