// SPDX-License-Identifier: MIT
/** Every way of installing it: into an empty root, where a user without privileges then runs it. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
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
  /** As it was before anything was installed into it. */
  let plain: string;
  let deb: string;
  let tarball: string;
  let single: string;

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
    const recording = inside(['find', '/opt', '/usr/lib', '-name', 'mixed-7.3.vmlt']).stdout.split('\n')[0] ?? '';
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
    const made = execFileSync(process.execPath, [join(ROOT, 'dist/scripts/package/main.js'), 'npm', 'single', 'deb'], {
      encoding: 'utf8',
    });
    [tarball = '', single = '', deb = ''] = made.trimEnd().split('\n');
    execFileSync('mmdebstrap', ['--quiet', '--variant=minbase', '--include=ca-certificates', SUITE, root], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    copyFileSync('/etc/resolv.conf', join(root, 'etc/resolv.conf'));
    plain = join(dir, 'plain');
    if (has('buildah')) execFileSync('cp', ['--archive', root, plain]);
  });

  after(() => rmSync(dir, { recursive: true, force: true }));

  it('one file, where there is no Node.js', () => {
    assert.ok(!existsSync(join(root, 'usr/bin/node')));
    enter('apt-get update -qq && apt-get install -qq --no-install-recommends libbpf1 libstdc++6');
    mkdirSync(join(root, 'opt/single'), { recursive: true });
    copyFileSync(single, join(root, 'opt/single/vmalocktop'));
    // The recordings of the others are not there yet, and in it they are where nobody looks.
    copyFileSync(join(ROOT, 'share/demo/mixed-7.3.vmlt'), join(root, 'opt/single/mixed-7.3.vmlt'));
    works('/opt/single/vmalocktop');
    assert.deepEqual(readdirSync(join(root, 'tmp')), []);
  });

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

  it('the container image, and the program in a container of it', {
    skip: has('buildah')
      ? false
      : 'buildah is not installed (scripts/setup install); the root above is what the image has',
  }, () => {
    const context = join(dir, 'context');
    mkdirSync(context);
    copyFileSync(deb, join(context, basename(deb)));
    writeFileSync(join(context, 'Containerfile'), CONTAINERFILE);
    const store = ['--storage-driver=vfs', `--root=${join(dir, 'store')}`, `--runroot=${join(dir, 'run')}`];
    const buildah = (...argv: readonly string[]): string =>
      execFileSync('buildah', [...store, ...argv], { stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' }).trim();

    // No image comes from a registry: what the Containerfile builds on is a root of the same suite.
    const base = buildah('from', 'scratch');
    buildah('copy', '--quiet', base, plain, '/');
    buildah('commit', '--quiet', '--rm', base, `docker.io/library/debian:${SUITE}-slim`);
    buildah('build', '--isolation=chroot', '--pull-never', '--quiet', '--tag=vmalocktop-test', context);
    const container = buildah('from', '--pull-never', 'vmalocktop-test');
    const { OCIv1 } = JSON.parse(buildah('inspect', container)) as {
      OCIv1: { config: { Entrypoint: string[]; Cmd: string[] } };
    };
    assert.deepEqual(OCIv1.config.Entrypoint, [ENTRY]);
    const run = (...argv: readonly string[]): string =>
      buildah('run', '--isolation=chroot', container, '--', ...OCIv1.config.Entrypoint, ...argv);
    assert.match(run(...OCIv1.config.Cmd), /^Usage: vmalocktop/m);
    assert.match(run('demo'), /27,240 {2}page faults/);
    // A container may observe or not; what doctor says of libbpf shows that koffi loaded it there.
    const doctor = ['run', '--isolation=chroot', container, '--', ENTRY, 'doctor'];
    assert.match(spawnSync('buildah', [...store, ...doctor], { encoding: 'utf8' }).stdout, /✓ libbpf +1\.\d/);
  });
});
