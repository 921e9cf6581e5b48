// SPDX-License-Identifier: MIT
/** What `npm pack` makes: complete enough to run, with ebpf-ts inside, and without what was built for one machine. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

describe('the packed package', () => {
  let dir: string;
  let files: readonly string[];

  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'pack-'));
    const packed = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', dir], {
      cwd: ROOT,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [{ filename }] = JSON.parse(packed);
    execFileSync('tar', ['xzf', join(dir, filename), '-C', dir]);
    // As npm would install it: the package in a node_modules, what it depends on beside it.
    const modules = join(dir, 'app/node_modules');
    mkdirSync(modules, { recursive: true });
    for (const name of readdirSync(join(ROOT, 'node_modules')))
      if (!name.startsWith('.') && name !== 'ebpf-ts')
        symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
    execFileSync('mv', [join(dir, 'package'), join(modules, 'vmalocktop')]);
    files = readdirSync(join(modules, 'vmalocktop'), { recursive: true, encoding: 'utf8' });
  });

  after(() => rmSync(dir, { recursive: true, force: true }));

  it('holds ebpf-ts, built, with its licence and its words', () => {
    for (const name of [
      'package.json',
      'LICENSE',
      'README.md',
      'CHANGELOG.md',
      'dist/src/index.js',
      'dist/src/index.d.ts',
    ])
      assert.ok(files.includes(`node_modules/ebpf-ts/${name}`), name);
    assert.deepEqual(
      files.filter(
        (file) =>
          file.startsWith('node_modules/ebpf-ts/') && /\/(test|tsconfig)/.test(file) && !file.includes('testing.'),
      ),
      [],
    );
  });

  it('holds no native code: that is for the machine it is installed on', () => {
    assert.deepEqual(
      files.filter((file) => file.endsWith('.node') || file.endsWith('.so')),
      [],
    );
  });

  it('runs', () => {
    const main = join(dir, 'app/node_modules/vmalocktop/dist/cli/main.js');
    assert.match(execFileSync(process.execPath, [main, '--help'], { encoding: 'utf8' }), /vmalocktop/);
    const doctor = `const { probeBpf } = await import('${join(dir, 'app/node_modules/vmalocktop/dist/src/doctor/probe.js')}');
      process.stdout.write((await probeBpf()).state);`;
    assert.match(
      execFileSync(process.execPath, ['--input-type=module', '-e', doctor], { encoding: 'utf8' }),
      /^(yes|no)$/,
    );
  });
});
