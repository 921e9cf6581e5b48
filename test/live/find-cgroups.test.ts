// SPDX-License-Identifier: MIT
/** The filters of a session are looked up in cgroup trees as hosts have them: systemd with Docker, a node of Kubernetes, cgroupfs paths. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import type { CgroupFilterKind } from '../../src/core/vocabulary/cgroup-filter.js';
import { ExitCode, UserError } from '../../src/errors.js';
import { depthOf, ownCgroup } from '../../src/live/followed.js';
import { cgroupMount, hostOptions } from '../../src/live/names/cgroups.js';
import { findCgroups, MAX_CGROUPS } from '../../src/live/names/find-cgroups.js';

const root = mkdtempSync(join(tmpdir(), 'find-cgroups-test-'));
after(() => rmSync(root, { recursive: true }));
const mount = join(root, 'sys/fs/cgroup');
const id = (digit: string): string => `${digit}0ffee`.padEnd(64, digit);
const UID = '98cee708-023b-11eb-933d-42010a800193';
const POD = `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${UID.replaceAll('-', '_')}.slice`;

for (const path of [
  '/init.scope',
  '/system.slice/nginx.service/workers',
  '/system.slice/dbus.service',
  '/system.slice/system-getty.slice/getty@tty1.service',
  `/system.slice/docker-${id('a')}.scope/init`,
  `/system.slice/docker-${id('b')}.scope`,
  `/machine.slice/libpod-${id('c')}.scope/container`,
  '/machine.slice/systemd-nspawn@old.service/payload',
  '/lxc.payload.guest/init.scope',
  '/user.slice/user-1000.slice/user@1000.service/app.slice/nginx.service',
  `${POD}/cri-containerd-${id('d')}.scope`,
  `${POD}/cri-containerd-${id('e')}.scope`,
])
  mkdirSync(join(mount, path), { recursive: true });

function file(path: string, value: unknown): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), JSON.stringify(value));
}
file(`var/lib/docker/containers/${id('a')}/config.v2.json`, { Name: '/web' });
file(`var/lib/docker/containers/${id('b')}/config.v2.json`, { Name: '/web-2' });
file('var/lib/containers/storage/overlay-containers/containers.json', [{ id: id('c'), names: ['jonah'] }]);
const bundle = (of: string): string => `run/containerd/io.containerd.runtime.v2.task/k8s.io/${of}/config.json`;
const pod = { 'io.kubernetes.cri.sandbox-name': 'web-0', 'io.kubernetes.cri.sandbox-namespace': 'shop' };
file(bundle(id('d')), { annotations: { ...pod, 'io.kubernetes.cri.container-name': 'nginx' } });
file(bundle(id('e')), { annotations: pod });

async function paths(...filters: readonly (readonly [CgroupFilterKind, string])[]): Promise<readonly string[]> {
  const wanted = filters.map(([kind, text]) => ({ kind, text }));
  const found = await findCgroups(wanted, { mount, root });
  for (const group of found) assert.equal(group.id, statSync(join(mount, group.path), { bigint: true }).ino);
  return found.map(({ path }) => path).sort();
}

const DOCKER_A = `/system.slice/docker-${id('a')}.scope`;
const FOUND: readonly (readonly [CgroupFilterKind, string, readonly string[]])[] = [
  ['cgroup', '/system.slice', ['/system.slice']],
  ['cgroup', 'system.slice/', ['/system.slice']],
  ['cgroup', join(mount, 'system.slice/dbus.service'), ['/system.slice/dbus.service']],
  ['cgroup', '/', ['/']],
  ['cgroup', mount, ['/']],
  ['cgroup', String(statSync(join(mount, 'init.scope')).ino), ['/init.scope']],
  ['container', 'web', [DOCKER_A]],
  ['container', 'a0ff', [DOCKER_A]],
  ['container', id('a'), [DOCKER_A]],
  ['container', 'jonah', [`/machine.slice/libpod-${id('c')}.scope`]],
  ['container', 'old', ['/machine.slice/systemd-nspawn@old.service']],
  ['container', 'guest', ['/lxc.payload.guest']],
  ['container', 'shop/web-0/nginx', [`${POD}/cri-containerd-${id('d')}.scope`]],
  ['container', 'nginx', [`${POD}/cri-containerd-${id('d')}.scope`]],
  ['pod', 'shop/web-0', [POD]],
  ['pod', UID, [POD]],
  ['unit', 'nginx', ['/system.slice/nginx.service']],
  ['unit', 'nginx.service', ['/system.slice/nginx.service']],
  ['unit', 'getty@tty1', ['/system.slice/system-getty.slice/getty@tty1.service']],
  ['unit', 'machine.slice', ['/machine.slice']],
];
for (const [kind, text, expected] of FOUND)
  test(`--${kind} ${text.startsWith(root) ? '(as the file system has it)' : text}`, async () => {
    assert.deepEqual(await paths([kind, text]), expected);
  });

test('several are all of them, and what lies in another one is not told twice', async () => {
  assert.deepEqual(await paths(['unit', 'dbus'], ['container', 'web'], ['cgroup', '/init.scope']), [
    '/init.scope',
    '/system.slice/dbus.service',
    DOCKER_A,
  ]);
  assert.deepEqual(await paths(['unit', 'dbus'], ['cgroup', '/system.slice']), ['/system.slice']);
  assert.deepEqual(await paths(), []);
});

const refusal = (exitCode: ExitCode, message: RegExp, remedy: RegExp) => (error: unknown) =>
  error instanceof UserError && error.exitCode === exitCode && message.test(error.message) && remedy.test(error.remedy);

test('what there is not is refused, with where to look', async () => {
  const absent: readonly (readonly [CgroupFilterKind, string, RegExp])[] = [
    ['cgroup', '/system.slice/ngin', /systemd-cgls/],
    ['cgroup', '1', /ls -di/],
    ['container', 'a0f', /docker ps/],
    ['container', 'we', /crictl ps/],
    ['pod', 'shop/web', /kubectl get pods/],
    ['unit', 'cron', /systemctl list-units/],
  ];
  for (const [kind, text, remedy] of absent)
    await assert.rejects(
      paths([kind, text]),
      refusal(ExitCode.Usage, new RegExp(`^cannot follow ${kind} ${text}: there is none on this host$`), remedy),
    );
});

test('more than the probes compare with are refused, and not cut', async () => {
  const many = Array.from({ length: MAX_CGROUPS + 1 }, (_, i) => `/many/of-${i}`);
  for (const path of many) mkdirSync(join(mount, path), { recursive: true });
  const wanted = many.map((path) => ['cgroup', path] as const);
  assert.equal((await paths(...wanted.slice(1))).length, MAX_CGROUPS);
  await assert.rejects(
    paths(...wanted),
    refusal(ExitCode.Usage, /a session follows 16 at most/, /that they all lie in/),
  );
});

test('without cgroup2 nothing can be followed by it', async () => {
  await assert.rejects(
    findCgroups([{ kind: 'unit', text: 'nginx' }], { mount: null, root }),
    refusal(ExitCode.CannotObserve, /no cgroup2 file system is mounted here/, /mount -t cgroup2/),
  );
});

test('how deep a path is, also from below the root of a cgroup namespace', () => {
  assert.equal(depthOf('/'), 0);
  assert.equal(depthOf('/system.slice/nginx.service'), 2);
  assert.equal(depthOf('/../../kubepods'), -1);
  assert.equal(ownCgroup('12:pids:/user.slice\n0::/../other\n'), '/../other');
  assert.equal(ownCgroup('1:name=systemd:/\n'), '/');
});

test('what of the hierarchy is mounted', () => {
  const own = '34 31 0:29 / /sys/fs/cgroup ro,nosuid - cgroup2 cgroup rw';
  const host = '99 80 0:29 /../../.. /host/sys/fs/cgroup ro - cgroup2 cgroup2 rw';
  assert.equal(cgroupMount(`${own}\n${host}`), '/sys/fs/cgroup');
  assert.deepEqual(hostOptions('/', `${own}\n${host}`), { mount: '/sys/fs/cgroup', mounted: '/', root: '/' });
  assert.deepEqual(hostOptions('/host', `${own}\n${host}`), {
    mount: '/host/sys/fs/cgroup',
    mounted: '/../../..',
    root: '/host',
  });
});
