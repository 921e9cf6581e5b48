// SPDX-License-Identifier: MIT
/** Names of containers once root is given up: from what was read before, and from what everybody may read. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';

describe('without root', () => {
  const id = (digit: string): string => digit.repeat(64);
  const script = `
    import { ContainerNames } from ${JSON.stringify(new URL('../../src/live/names/container-names.js', import.meta.url).href)};
    const [root, ...ids] = process.argv.slice(1);
    const names = new ContainerNames(root);
    const known = [];
    for (const id of ids) known.push(await names.name({ kind: 'container', id, user: null }));
    process.setgroups([]); process.setgid(65534); process.setuid(65534);
    const later = new ContainerNames(root);
    const after = [];
    for (const id of ids) after.push([await names.name({ kind: 'container', id, user: null }), await later.name({ kind: 'container', id, user: null })]);
    console.log(JSON.stringify({ known, after }));`;
  const skip = process.getuid?.() === 0 ? false : 'it takes root to make files of root and to give root up';

  it('names what was read before; then those of Kubernetes by their logs, others by their id', { skip }, (t) => {
    const root = mkdtempSync(join(tmpdir(), 'modes-'));
    t.after(() => rmSync(root, { recursive: true }));
    const put = (path: string, text: string, mode: number, folders: readonly (readonly [string, number])[]): void => {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
      chmodSync(join(root, path), mode);
      for (const [folder, bits] of folders) chmodSync(join(root, folder), bits);
    };
    chmodSync(root, 0o755);
    // As dockerd, containerd and the kubelet make them.
    put(`var/lib/docker/containers/${id('a')}/config.v2.json`, '{"Name":"/web"}', 0o600, [
      [`var/lib/docker/containers/${id('a')}`, 0o710],
      ['var/lib/docker/containers', 0o710],
      ['var/lib/docker', 0o710],
    ]);
    const annotations = {
      'io.kubernetes.cri.sandbox-name': 'web-0',
      'io.kubernetes.cri.sandbox-namespace': 'shop',
      'io.kubernetes.cri.container-name': 'nginx',
    };
    const task = 'run/containerd/io.containerd.runtime.v2.task';
    put(`${task}/k8s.io/${id('b')}/config.json`, JSON.stringify({ annotations }), 0o600, [
      [`${task}/k8s.io/${id('b')}`, 0o700],
      [`${task}/k8s.io`, 0o711],
      [task, 0o711],
      ['run/containerd', 0o711],
    ]);
    mkdirSync(join(root, 'var/log/containers'), { recursive: true });
    symlinkSync('nowhere', join(root, `var/log/containers/web-0_shop_nginx-${id('b')}.log`));
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['--input-type=module', '-e', script, root, id('a'), id('b')],
      { encoding: 'utf8' },
    );
    assert.equal(stderr, '');
    assert.deepEqual(JSON.parse(stdout), {
      known: ['web', 'shop/web-0/nginx'],
      after: [
        ['web', 'aaaaaaaaaaaa'],
        ['shop/web-0/nginx', 'shop/web-0/nginx'],
      ],
    });
  });
});
