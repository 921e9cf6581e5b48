// SPDX-License-Identifier: MIT
/** The bundle, the npm package and the Debian package: small, complete, and able to run where nothing else is installed. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { bundle } from '../../scripts/package/bundle.js';
import { debArchitecture, makeDeb } from '../../scripts/package/deb.js';
import type { Shipped } from '../../scripts/package/notices.js';
import { sbom } from '../../scripts/package/sbom.js';
import { run } from '../cli/run.js';
import { patience } from '../pace.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** Runs what was packed as a stranger would: no variable of ours, nothing of the tree near it. */
function strange(main: string, argv: readonly string[]): string {
  return execFileSync(process.execPath, [main, ...argv], {
    encoding: 'utf8',
    cwd: '/',
    env: { PATH: '/usr/bin:/bin' },
  });
}

describe('what is packed', () => {
  let dir: string;
  let out: string;
  let main: string;
  let shipped: readonly Shipped[];
  let files: readonly string[];

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'vmalocktop-package-'));
    out = join(dir, 'package');
    main = join(out, 'dist/cli/main.js');
    shipped = await bundle(ROOT, out);
    writeFileSync(join(out, 'sbom.json'), sbom(ROOT, shipped));
    files = readdirSync(out, { recursive: true, encoding: 'utf8' });
  });

  after(() => rmSync(dir, { recursive: true, force: true }));

  it('holds no maps, no declarations and no native code: that is for the machine it is installed on', () => {
    assert.deepEqual(
      files.filter((file) => /\.(map|node|so)$|\.d\.ts$/.test(file)),
      [],
    );
  });

  it('names every library in it with its licence, and none that is not used', () => {
    const names = shipped.map(({ name }) => name);
    for (const name of ['blessed', 'blessed-contrib', 'apache-arrow', 'commander'])
      assert.ok(names.includes(name), name);
    // Of blessed-contrib there is one chart: not what its maps, pictures and markdown need.
    for (const name of ['xml2js', 'marked', 'event-stream', 'map-canvas']) assert.ok(!names.includes(name), name);
    const text = readFileSync(join(out, 'LICENSES/third-party.txt'), 'utf8');
    for (const { name, version, license } of shipped) assert.ok(text.includes(`${name} ${version} (${license})`), name);
  });

  it('has a bill of materials of exactly these', () => {
    const bom = JSON.parse(readFileSync(join(out, 'sbom.json'), 'utf8')) as { components: { name: string }[] };
    assert.deepEqual(
      bom.components.map(({ name }) => name).sort(),
      [...new Set(shipped.map(({ name }) => name)), 'ebpf-ts']
        .map((name) => name.replace(/^@.*\//, (scope) => scope))
        .sort(),
    );
  });

  it('asks npm for koffi alone; the rest comes with it', () => {
    const manifest = JSON.parse(readFileSync(join(out, 'package.json'), 'utf8')) as {
      dependencies: object;
      bundleDependencies: readonly string[];
    };
    const fetched = Object.keys(manifest.dependencies).filter((name) => !manifest.bundleDependencies.includes(name));
    assert.deepEqual(fetched, ['koffi']);
  });

  it('says of its recording what the tree says of it', async () => {
    const { stdout } = await run(['stat', join(ROOT, 'test/golden/mixed-7.3.vmlt')]);
    assert.equal(strange(main, ['demo']), stdout);
  });

  it('exports and reports', () => {
    const recording = join(out, 'share/demo/mixed-7.3.vmlt');
    for (const argv of [
      ['export', recording, '-f', 'parquet', '-o', join(dir, 'rows.parquet')],
      ['report', recording, '-o', join(dir, 'page.html')],
    ])
      strange(main, argv);
    for (const file of ['rows.parquet', 'page.html']) assert.ok(existsSync(join(dir, file)), file);
  });

  const dpkg = existsSync('/usr/bin/dpkg-deb') ? false : 'dpkg-deb is not installed';
  it('makes a Debian package, twice the same, that runs where it is unpacked', { skip: dpkg }, async () => {
    const options = {
      bundle: out,
      epoch: 1_700_000_000,
      architecture: debArchitecture(),
      maintainer: 'A <a@example.org>',
      compression: ['-Zgzip', '-z1'],
    };
    const [one, two] = ['one', 'two'].map((name) => {
      execFileSync('mkdir', ['-p', join(dir, name)]);
      return makeDeb(ROOT, { ...options, out: join(dir, name) });
    }) as [string, string];
    assert.ok(readFileSync(one).equals(readFileSync(two)));
    execFileSync('dpkg-deb', ['-x', one, join(dir, 'root')]);
    assert.match(strange(join(dir, 'root/usr/bin/vmalocktop'), ['demo']), /page faults/);
    // Where this host can be asked, koffi found its native part and libbpf: what it says is about the kernel.
    const said = strange(join(dir, 'root/usr/bin/vmalocktop'), ['--version']);
    assert.match(said, /^\d+\.\d+\.\d+\n$/);
    const installed = execFileSync('dpkg-deb', ['-c', one], { encoding: 'utf8' });
    for (const path of [
      './usr/share/man/man8/vmalocktop-stat.8.gz',
      './usr/share/bash-completion/completions/vmalocktop',
      './usr/lib/systemd/system/vmalocktop.service',
      './usr/lib/sysusers.d/vmalocktop.conf',
      './etc/vmalocktop/daemon.toml',
      './usr/share/doc/vmalocktop/sbom.json',
    ])
      assert.ok(installed.includes(` ${path}\n`), path);
    await serves();
  });

  /** Its HTTP thread is a file of its own. */
  async function serves(): Promise<void> {
    const config = join(dir, 'daemon.toml');
    writeFileSync(config, '[metrics]\nlisten = "127.0.0.1:0"\n[privileges]\nuser = "nobody"\n');
    const recording = join(dir, 'root/usr/lib/vmalocktop/share/demo/mixed-7.3.vmlt');
    const child = spawn(
      process.execPath,
      [join(dir, 'root/usr/bin/vmalocktop'), 'daemon', '--config', config, '--play', recording],
      { cwd: '/' },
    );
    try {
      const port = await new Promise<string>((resolve, reject) => {
        let said = '';
        child.stderr.on('data', (bytes) => {
          said += String(bytes);
          const found = /127\.0\.0\.1:(\d+)/.exec(said);
          if (found?.[1] !== undefined) resolve(found[1]);
        });
        child.once('close', () => reject(new Error(said)));
      });
      // A session that has no CPU is answered for by the thread itself, and who scrapes asks again.
      let text = '';
      for (let waited = 0; waited < patience(5000) && !/^vmalocktop_/m.test(text); waited += 100) {
        if (text !== '') await sleep(100);
        text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      }
      assert.match(text, /^vmalocktop_/m);
    } finally {
      child.kill();
    }
  }
});
