// SPDX-License-Identifier: MIT
/** Every way of installing it: into an empty root, where a user without privileges then runs it. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const CONTAINERFILE = readFileSync(join(ROOT, 'scripts/package/Containerfile'), 'utf8');
/** nobody, of Debian's base-passwd. */
const NOBODY = '65534:65534';

const has = (program: string): boolean => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;

function whyNot(): string | false {
  if (process.getuid?.() !== 0) return 'only root can enter another root';
  if (!has('mmdebstrap')) return 'mmdebstrap is not installed (scripts/setup install)';
  return false;
}

/** The suite of Debian and the commands that the Containerfile names. */
const SUITE = /^FROM debian:(\w+)-slim$/m.exec(CONTAINERFILE)?.[1] ?? '';
const RUN = (/^RUN ((?:.*\\\n)*.*)$/m.exec(CONTAINERFILE)?.[1] ?? '').replaceAll('\\\n', ' ');
const [ENTRY = ''] = JSON.parse(/^ENTRYPOINT (.*)$/m.exec(CONTAINERFILE)?.[1] ?? '[]') as string[];

describe(`installed into a clean root (Debian ${SUITE})`, { skip: whyNot() }, () => {
  let dir: string;
  let root: string;
  let deb: string;
  let tarball: string;

  /** Runs a program in the root, by nobody, with nothing of our environment. */
  function inside(argv: readonly string[]): {
    readonly status: number | null;
    readonly stdout: string;
    readonly stderr: string;
  } {
    const env = { PATH: '/usr/bin:/bin', HOME: '/nonexistent', LC_ALL: 'C.UTF-8' };
    return spawnSync('/usr/sbin/chroot', [`--userspec=${NOBODY}`, root, ...argv], { encoding: 'utf8', env });
  }

  function enter(script: string): void {
    execFileSync('/usr/sbin/chroot', [root, 'sh', '-euc', script], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', DEBIAN_FRONTEND: 'noninteractive', HOME: '/root' },
    });
  }

  /** What everybody tries first. */
  function works(program: string): void {
    const version = inside([program, '--version']);
    assert.deepEqual([version.status, version.stderr], [0, '']);
    const demo = inside([program, 'demo']);
    assert.equal(demo.status, 0, demo.stderr);
    assert.match(demo.stdout, /27,240 {2}page faults/);
    const recording =
      inside(['find', '/usr/lib/vmalocktop', '/opt', '-name', 'mixed-7.3.vmlt']).stdout.split('\n')[0] ?? '';
    for (const command of ['stat', 'replay', 'info']) {
      const { status, stderr } = inside([program, command, recording]);
      assert.equal(status, 0, `${command}: ${stderr}`);
    }
    // Nobody cannot observe; what it says of libbpf shows that koffi loaded it.
    const doctor = inside([program, 'doctor']);
    assert.equal(doctor.status, 3, doctor.stderr);
    assert.match(doctor.stdout, /✓ libbpf +1\.\d/);
  }

  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'vmalocktop-install-'));
    root = join(dir, 'root');
    const made = execFileSync(process.execPath, [join(ROOT, 'dist/scripts/package/main.js'), 'npm', 'deb'], {
      encoding: 'utf8',
    });
    [tarball = '', deb = ''] = made.trimEnd().split('\n');
    execFileSync('mmdebstrap', ['--quiet', '--variant=minbase', '--include=ca-certificates', SUITE, root], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    copyFileSync('/etc/resolv.conf', join(root, 'etc/resolv.conf'));
  });

  after(() => rmSync(dir, { recursive: true, force: true }));

  it('the Debian package, by the commands of the Containerfile', () => {
    copyFileSync(deb, join(root, 'tmp', basename(deb)));
    enter(RUN);
    works(ENTRY);
    // The user of the daemon is made where systemd-sysusers is; without systemd the rest works all the same.
    assert.match(inside(['cat', '/etc/vmalocktop/daemon.toml']).stdout, /^\[observe\]/m);
    const config = inside([ENTRY, 'daemon', '--config', '/etc/vmalocktop/daemon.toml', '--check-config']);
    assert.match(config.stderr + config.stdout, /ok, 10 alert rules|no such (user|group)|vmalocktop/);
  });

  it('the npm package, with what npm fetches for it', () => {
    const prefix = join(root, 'opt/npm');
    mkdirSync(prefix, { recursive: true });
    const argv = ['install', '--global', '--prefix', prefix, '--no-audit', '--no-fund', '--loglevel=error', tarball];
    execFileSync('npm', argv, { stdio: ['ignore', 'ignore', 'inherit'] });
    works('/opt/npm/bin/vmalocktop');
    const list = execFileSync('find', [prefix, '-name', 'package.json', '-path', '*node_modules*'], {
      encoding: 'utf8',
    });
    const licences = list
      .trimEnd()
      .split('\n')
      .map((file) => JSON.parse(readFileSync(file, 'utf8')) as { name?: string; license?: string })
      .filter(({ name, license }) => name !== undefined && license === undefined)
      .map(({ name }) => name);
    assert.deepEqual(licences, []);
  });

  it('lintian finds nothing', {
    skip: has('lintian') ? false : 'lintian is not installed (scripts/setup install)',
  }, () => {
    const { stdout, status } = spawnSync('lintian', ['--allow-root', '--fail-on=error,warning', deb], {
      encoding: 'utf8',
    });
    assert.deepEqual([status, stdout], [0, '']);
  });

  const builder = ['podman', 'buildah'].find(has);
  it('the container image', {
    skip: builder ? false : 'neither podman nor buildah is installed; the root above is its',
  }, () => {
    const context = join(dir, 'context');
    mkdirSync(context);
    copyFileSync(deb, join(context, basename(deb)));
    writeFileSync(join(context, 'Containerfile'), CONTAINERFILE);
    execFileSync(builder ?? '', ['build', '-t', 'vmalocktop-test', context], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    if (builder !== 'podman') return;
    const demo = execFileSync('podman', ['run', '--rm', 'vmalocktop-test', 'demo'], { encoding: 'utf8' });
    assert.match(demo, /27,240 {2}page faults/);
  });
});
