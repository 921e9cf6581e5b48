// SPDX-License-Identifier: MIT
/** What the path of a cgroup says: the container, pod, machine or unit it is, and where its file system is mounted. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { kubernetesOf } from '../../src/core/present/kubernetes.js';
import { unitOf } from '../../src/core/vocabulary/cgroups.js';
import { cgroupMount, hostOptions } from '../../src/live/names/cgroups.js';

const ID = '3f4e5d6c7b8a9012'.repeat(4);
const UID = '98cee708-023b-11eb-933d-42010a800193';

describe('unitOf', () => {
  const pod = 'kubepods.slice/kubepods-burstable.slice';
  const cases: readonly (readonly [path: string, kind: string | null, id?: string, user?: number])[] = [
    [`/system.slice/docker-${ID}.scope`, 'container', ID],
    [`/docker/${ID}`, 'container', ID],
    [`/docker/${ID}/system.slice/cron.service`, 'container', ID],
    [`/machine.slice/libpod-${ID}.scope/container`, 'container', ID],
    [`/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${ID}.scope`, 'container', ID, 1000],
    [`/machine.slice/libpod-conmon-${ID}.scope`, 'unit', `libpod-conmon-${ID}.scope`],
    [`/${pod}/kubepods-burstable-pod${UID.replaceAll('-', '_')}.slice/cri-containerd-${ID}.scope`, 'container', ID],
    [`/${pod}/kubepods-burstable-pod${UID.replaceAll('-', '_')}.slice/crio-${ID}.scope`, 'container', ID],
    [`/kubepods/burstable/pod${UID}/${ID}`, 'container', ID],
    [`/kubepods/pod${UID}`, 'pod', UID],
    [`/${pod}/kubepods-burstable-pod${UID.replaceAll('-', '_')}.slice`, 'pod', UID],
    ['/lxc.payload.web', 'machine', 'web'],
    ['/machine.slice/machine-qemu\\x2d1\\x2ddebian.scope', 'machine', 'qemu-1-debian'],
    ['/machine.slice/systemd-nspawn@box.service/payload', 'machine', 'box'],
    ['/system.slice/nginx.service', 'unit', 'nginx.service'],
    ['/system.slice/system-getty.slice/getty@tty1.service', 'unit', 'getty@tty1.service'],
    ['/user.slice/user-1000.slice/user@1000.service/app.slice/app-a\\x2db.scope', 'unit', 'app-a-b.scope', 1000],
    ['/user.slice/user-1000.slice/session-3.scope', 'unit', 'session-3.scope'],
    ['/init.scope', 'unit', 'init.scope'],
    ['/system.slice', null],
    ['/', null],
    ['/hand/made', null],
    [`/docker/${ID.slice(1)}`, null],
  ];
  for (const [path, kind, id, user] of cases) {
    it(path, () => {
      assert.deepEqual(unitOf(path), kind === null ? null : { kind, id, user: user ?? null });
    });
  }
});

describe('kubernetesOf', () => {
  it('tells namespace, pod and container of a cgroup of Kubernetes, and nothing of others', () => {
    const path = '/kubepods.slice/kubepods-pod1.slice';
    assert.deepEqual(kubernetesOf(`shop/web-0/nginx ${path}/cri-containerd-1.scope`), {
      namespace: 'shop',
      pod: 'web-0',
      container: 'nginx',
    });
    assert.deepEqual(kubernetesOf(`shop/web-0 ${path}`), { namespace: 'shop', pod: 'web-0' });
    for (const name of ['', path, `3f4e5d6c7b8a ${path}`, 'web /system.slice/docker-1.scope', 'a/b/c /machine.slice/x'])
      assert.equal(kubernetesOf(name), null, name);
  });
});

describe('hostOptions', () => {
  it('takes the cgroup2 of the host where its root is mounted', () => {
    const line = (point: string): string => `31 23 0:28 / ${point} rw shared:9 - cgroup2 none rw`;
    const both = [line('/sys/fs/cgroup'), line('/host/sys/fs/cgroup')].join('\n');
    assert.deepEqual(hostOptions('/', both), { mount: '/sys/fs/cgroup', mounted: '/', root: '/' });
    assert.deepEqual(hostOptions('/host', both), { mount: '/host/sys/fs/cgroup', mounted: '/', root: '/host' });
    assert.deepEqual(hostOptions('/hos', both), { mount: '/sys/fs/cgroup', mounted: '/', root: '/hos' });
  });
});

describe('cgroupMount', () => {
  const line = (point: string, type: string): string => `31 23 0:28 / ${point} rw,relatime shared:9 - ${type} none rw`;

  it('finds cgroup2 alone, beside version 1, and under a name with blanks', () => {
    assert.equal(cgroupMount(line('/sys/fs/cgroup', 'cgroup2')), '/sys/fs/cgroup');
    const hybrid = [line('/sys/fs/cgroup/memory', 'cgroup'), line('/sys/fs/cgroup/unified', 'cgroup2')].join('\n');
    assert.equal(cgroupMount(hybrid), '/sys/fs/cgroup/unified');
    assert.equal(cgroupMount(line('/a\\040b', 'cgroup2')), '/a b');
    assert.equal(cgroupMount(line('/sys/fs/cgroup', 'cgroup')), null);
  });
});
