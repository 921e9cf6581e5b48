// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { clearBatch, createBatch, type EventBatch } from '../../src/core/events/batch.js';
import { UserKind } from '../../src/core/events/user-rows.js';
import { CgroupReader } from '../../src/live/names/cgroups.js';
import { ContainerNames } from '../../src/live/names/container-names.js';
import { patience } from '../pace.js';

const ID = '3f4e5d6c7b8a9012'.repeat(4);
const UID = '98cee708-023b-11eb-933d-42010a800193';

describe('cgroups', () => {
  const root = mkdtempSync(join(tmpdir(), 'cgroups-test-'));
  after(() => rmSync(root, { recursive: true }));
  const mount = join(root, 'sys/fs/cgroup');
  const group = (path: string): number => {
    mkdirSync(join(mount, path), { recursive: true });
    return statSync(join(mount, path)).ino;
  };
  const file = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  group('/');

  let strings: string[];
  let reader: CgroupReader;
  let kernel: EventBatch;
  let user: EventBatch;
  beforeEach(() => {
    strings = [''];
    reader = new CgroupReader(strings, { mount, root });
    kernel = createBatch(64, strings);
    user = createBatch(64, strings);
  });
  const rows = async (...ids: readonly number[]): Promise<Record<number, string | undefined>> => {
    clearBatch(kernel);
    for (const id of ids) kernel.cgroup[kernel.length++] = id;
    reader.note(kernel);
    await reader.settle(patience(5000));
    clearBatch(user);
    reader.emit(user, 9);
    return Object.fromEntries(
      Array.from({ length: user.length }, (_, i) => {
        assert.equal(user.kind[i], UserKind.Cgroup);
        return [user.value[i], strings[user.comm[i] ?? 0]];
      }),
    );
  };

  it('names groups that turn up by path and by unit, each once', async () => {
    const service = group('/system.slice/nginx.service');
    const plain = group('/hand made');
    assert.deepEqual(await rows(service, plain, service, 0), {
      [service]: '/system.slice/nginx.service\tnginx.service',
      [plain]: '/hand made',
    });
    assert.deepEqual(await rows(service, plain), {});
  });

  it('names the root', async () => {
    const top = statSync(mount).ino;
    assert.deepEqual(await rows(top), { [top]: '/' });
  });

  it('finds a group made after the first walk', async () => {
    await rows(group('/early'));
    const late = group('/late/deep');
    assert.deepEqual(await rows(late), { [late]: '/late/deep' });
  });

  it('says nothing of a group that was gone before it was looked for, and still names others', async () => {
    const gone = group('/gone');
    rmdirSync(join(mount, 'gone'));
    const here = group('/here');
    assert.deepEqual(await rows(gone, here), { [here]: '/here' });
  });

  it('hands the rest on later when the batch is full', async () => {
    const [one, two] = [group('/one'), group('/two')];
    user = createBatch(1, strings);
    const first = await rows(one, two);
    assert.equal(Object.keys(first).length, 1);
    clearBatch(user);
    assert.equal(reader.emit(user, 9), 1);
  });

  it('after a walk that took long, as where a user has made many groups, rests ten times as long, whatever is new', async (t) => {
    let clock = 10_000;
    t.mock.method(performance, 'now', () => clock);
    const found = async (looks = patience(1000) / 10): Promise<number> => {
      clearBatch(user);
      for (let i = 0; i < looks && user.length === 0; i++) {
        await sleep(10);
        reader.emit(user, 9);
      }
      return user.length;
    };
    const note = (id: number): void => {
      clearBatch(kernel);
      kernel.cgroup[kernel.length++] = id;
      reader.note(kernel);
    };
    note(group('/rest/one'));
    clock = 10_100;
    assert.equal(await found(), 1);
    note(group('/rest/two'));
    clock = 11_000;
    assert.equal(await found(20), 0);
    clock = 11_101;
    assert.equal(await found(), 1);
  });

  it('never lets a name reach a terminal as it is, nor split the row', async () => {
    const id = group('/a\tb\u001b[2J');
    assert.deepEqual(await rows(id), { [id]: '/a?b?[2J' });
  });

  it('says so where there is no cgroup2', async () => {
    reader = new CgroupReader(strings, { mount: null, root });
    assert.equal(reader.why, 'no cgroup2 file system is mounted here');
    assert.deepEqual(await rows(1), {});
  });

  it('puts a container name behind the path', async () => {
    file(`var/lib/docker/containers/${ID}/config.v2.json`, JSON.stringify({ ID, Name: '/web' }));
    const id = group(`/system.slice/docker-${ID}.scope`);
    assert.deepEqual(await rows(id), { [id]: `/system.slice/docker-${ID}.scope\tweb` });
  });

  describe('names of containers', () => {
    const names = new ContainerNames(root);
    const container = (id: string, user: number | null = null): Promise<string> =>
      names.name({ kind: 'container', id, user });
    const other = (digit: string): string => digit.repeat(64);

    it('Kubernetes under containerd: namespace, pod, container; its sandbox', async () => {
      const bundle = (id: string): string => `run/containerd/io.containerd.runtime.v2.task/k8s.io/${id}/config.json`;
      const pod = { 'io.kubernetes.cri.sandbox-name': 'web-0', 'io.kubernetes.cri.sandbox-namespace': 'shop' };
      const annotations = { ...pod, 'io.kubernetes.cri.container-name': 'nginx' };
      file(bundle(other('a')), JSON.stringify({ ociVersion: '1.1.0', annotations }));
      file(bundle(other('b')), JSON.stringify({ annotations: pod }));
      assert.equal(await container(other('a')), 'shop/web-0/nginx');
      assert.equal(await container(other('b')), 'shop/web-0/sandbox');
    });

    it('nerdctl', async () => {
      const path = `run/containerd/io.containerd.runtime.v2.task/default/${other('c')}/config.json`;
      file(path, JSON.stringify({ annotations: { 'nerdctl/name': 'cache' } }));
      assert.equal(await container(other('c')), 'cache');
    });

    it('Podman and CRI-O, of the system and of a user', async () => {
      const index = JSON.stringify([{ id: other('0') }, { id: other('d'), names: ['jonah'] }]);
      file('var/lib/containers/storage/overlay-containers/containers.json', index);
      file('etc/passwd', 'root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n');
      file(
        'home/ann/.local/share/containers/storage/overlay-containers/volatile-containers.json',
        JSON.stringify([{ id: other('e'), names: ['build'] }]),
      );
      assert.equal(await container(other('d')), 'jonah');
      assert.equal(await container(other('e'), 1000), 'build');
      assert.equal(await container(other('e')), 'eeeeeeeeeeee', 'another user');
      assert.equal(await container(other('e'), 1001), 'eeeeeeeeeeee', 'nobody');
      assert.equal(await container(other('0')), '000000000000', 'without a name');
    });

    it('what a user calls a group does not borrow the name of a container or pod of the system', async () => {
      file(`var/lib/docker/containers/${other('7')}/config.v2.json`, JSON.stringify({ Name: '/billing' }));
      mkdirSync(join(root, `var/log/pods/shop_billing-0_${UID.replace('0', '1')}/nginx`), { recursive: true });
      assert.equal(await container(other('7')), 'billing');
      assert.equal(await container(other('7'), 1000), '777777777777');
      const pod = { kind: 'pod', id: UID.replace('0', '1') } as const;
      assert.equal(await names.name({ ...pod, user: 1000 }), `pod ${pod.id}`);
      assert.equal(await names.name({ ...pod, user: null }), 'shop/billing-0');
    });

    it('however many groups a user makes, an index of theirs is parsed when it has changed, and no larger than one is', async (t) => {
      const path = 'home/bob/.local/share/containers/storage/overlay-containers/containers.json';
      const index = (name: string, more = 0): string =>
        JSON.stringify([{ id: other('8'), names: [name] }, { padding: 'x'.repeat(more) }]);
      file('etc/passwd', 'ann:x:1000:1000::/home/ann:/bin/sh\nbob:x:1001:1001::/home/bob:/bin/sh\n');
      file(path, index('one'));
      const parse = t.mock.method(JSON, 'parse');
      const ofBob = new ContainerNames(root);
      const name = (id: string): Promise<string> => ofBob.name({ kind: 'container', id, user: 1001 });
      for (let i = 0; i < 50; i++) await name(`9${i.toString(16).padStart(63, '0')}`);
      assert.equal(await name(other('8')), 'one');
      assert.equal(parse.mock.callCount(), 1);
      // Written again before the container starts, as runtimes do.
      await sleep(250);
      file(path, index('two'));
      assert.equal(await new ContainerNames(root).name({ kind: 'container', id: other('8'), user: 1001 }), 'two');
      await name(`a${'0'.repeat(63)}`);
      assert.equal(parse.mock.callCount(), 3);
      file(path, index('three', 1 << 20));
      assert.equal(
        await new ContainerNames(root).name({ kind: 'container', id: other('8'), user: 1001 }),
        '888888888888',
      );
    });

    it('Docker with its data elsewhere', async () => {
      file('etc/docker/daemon.json', JSON.stringify({ 'data-root': '/srv/docker' }));
      file(`srv/docker/containers/${other('f')}/config.v2.json`, JSON.stringify({ Name: '/elsewhere' }));
      assert.equal(await container(other('f')), 'elsewhere');
      rmSync(join(root, 'etc/docker/daemon.json'));
    });

    it('the short id where files are absent, broken, of another shape, or a link', async () => {
      const config = (id: string): string => `var/lib/docker/containers/${id}/config.v2.json`;
      file(config(other('1')), '{ "Name": "/half');
      file(config(other('2')), JSON.stringify({ Name: 7 }));
      file(config(other('3')), 'null');
      mkdirSync(dirname(join(root, config(other('4')))), { recursive: true });
      symlinkSync(join(root, config(ID)), join(root, config(other('4'))));
      for (const digit of '12345') assert.equal(await container(other(digit)), digit.repeat(12));
    });

    it('a container of Kubernetes by the folders of logs, where its runtime tells nothing', async () => {
      const short = '666666666666';
      const uid = UID.replace('9', 'a');
      const inPod = (digit: string): Promise<string> =>
        new ContainerNames(root).name({ kind: 'container', id: other(digit), user: null }, uid);
      assert.equal(await inPod('6'), short);
      const logs = join(root, `var/log/pods/shop_db-1_${uid}`);
      mkdirSync(join(logs, 'postgres'), { recursive: true });
      assert.equal(await inPod('6'), 'shop/db-1/postgres', 'the only container');
      mkdirSync(join(logs, 'metrics'));
      assert.equal(await inPod('6'), `shop/db-1/${short}`, 'one of two');
      mkdirSync(join(root, 'var/log/containers'), { recursive: true });
      symlinkSync('nowhere', join(root, `var/log/containers/db-1_shop_metrics-${other('6')}.log`));
      assert.equal(await inPod('6'), 'shop/db-1/metrics');
    });

    it('a pod by its directory of logs', async () => {
      assert.equal(await names.name({ kind: 'pod', id: UID, user: null }), `pod ${UID}`);
      mkdirSync(join(root, `var/log/pods/shop_web-0_${UID}/nginx`), { recursive: true });
      assert.equal(await names.name({ kind: 'pod', id: UID, user: null }), 'shop/web-0');
    });
  });
});
