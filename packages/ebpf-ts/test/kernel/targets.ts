// SPDX-License-Identifier: MIT
/** Programs at programs, at security hooks, and over cgroups. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { BpfObject, type BpfProgram, features, writeStorage } from '../../src/index.js';
import { file, opens, run } from './support.js';

const REPLACE = file('replace.bpf.o');
const GROUPS = '/sys/fs/cgroup/ebpf-ts-iter';

/** replace.bpf.o with these programs alone. */
function withPrograms(names: readonly string[], prepare: (object: BpfObject) => void = () => {}): BpfObject {
  const object = BpfObject.open(REPLACE);
  for (const name of names) object.program(name).setAutoload(true);
  prepare(object);
  object.load();
  return object;
}
const PACKET = { data: new Uint8Array(64), outSize: 64 };

describe('targets', () => {
  it('a function of a program is replaced while attached, and seen', () => {
    using target = withPrograms(['asks']);
    const asks = target.program('asks');
    assert.equal(asks.testRun(PACKET).returned, 1);
    using replacing = withPrograms(['answers'], (it) => it.program('answers').setAttachTarget('answer', asks));
    {
      using _ = replacing.program('answers').attach();
      assert.equal(asks.testRun(PACKET).returned, 2);
    }
    assert.equal(asks.testRun(PACKET).returned, 1);
    using seeing = withPrograms(['sees'], (it) => it.program('sees').setAttachTarget('asks', asks));
    using _ = seeing.program('sees').attach();
    asks.testRun(PACKET);
    asks.testRun(PACKET);
    assert.equal(seeing.global('seen').get(), 2n);
  });

  it('a target that is closed before the load is still meant, and not what has its number by then', () => {
    const target = withPrograms(['asks']);
    const number = target.program('asks').fd;
    using replacing = BpfObject.open(REPLACE);
    replacing.program('answers').setAutoload(true);
    replacing.program('answers').setAttachTarget('answer', target.program('asks'));
    target.close();
    const taken: number[] = [];
    for (let fd = -1; fd < number; taken.push(fd)) fd = openSync('/dev/null', 'r');
    try {
      replacing.load();
    } finally {
      for (const fd of taken) closeSync(fd);
    }
  });

  it('what is no program of ours is no target, and a function it lacks is named', () => {
    using target = withPrograms(['asks']);
    using other = BpfObject.open(REPLACE);
    const answers = other.program('answers');
    for (const wrong of [
      null as never,
      {} as never,
      { fd: 3 } as never,
      Object.create(Object.getPrototypeOf(answers)) as BpfProgram,
    ])
      assert.throws(() => answers.setAttachTarget('answer', wrong), { code: 'ERR_BPF_TYPE' });
    assert.throws(() => answers.setAttachTarget('answer', other.program('asks')), { code: 'ERR_BPF_STATE' });
    assert.throws(
      () => answers.setAttachTarget('nobody', target.program('asks')),
      (error: Error) => error.name === 'BpfError',
    );
    const before = readdirSync('/proc/self/fd').length;
    other.close();
    assert.ok(readdirSync('/proc/self/fd').length < before, 'its descriptors of targets go with it');
  });

  it('a security hook', {
    skip: features().lsm?.includes('bpf') !== true && 'no BPF among the security modules',
  }, () => {
    using object = withPrograms(['opens']);
    using _ = object.program('opens').attach();
    opens();
    assert.ok(object.global('opened').get() > 0n);
  });

  it('a function of a module', async () => {
    // The root of a guest is an overlay.
    using object = withPrograms(['sees'], (it) => it.program('sees').setAttachTarget('ovl_lookup'));
    using _ = object.program('sees').attach();
    for (let i = 0; i < 50 && object.global('seen').get() === 0n; i++) {
      run(`stat /no-such-file-${i} || true`);
      await sleep(10);
    }
    assert.ok(object.global('seen').get() > 0n);
  });

  it('iterates over cgroups: itself, below, above', () => {
    mkdirSync(`${GROUPS}/a/b`, { recursive: true });
    const id = (path: string): string => String(statSync(path, { bigint: true }).ino);
    const [root, top, a, b] = ['/sys/fs/cgroup', GROUPS, `${GROUPS}/a`, `${GROUPS}/a/b`].map(id);
    try {
      using object = withPrograms(['groups']);
      const over = (cgroup: string, order?: 'self' | 'descendants' | 'descendants-post' | 'ancestors'): string[] => {
        using link = object.program('groups').attachIter(order === undefined ? { cgroup } : { cgroup, order });
        return link.text().trim().split('\n');
      };
      assert.deepEqual(over(GROUPS), [top, a, b]);
      assert.deepEqual(over(GROUPS, 'descendants-post'), [b, a, top]);
      assert.deepEqual(over(`${GROUPS}/a`, 'self'), [a]);
      assert.deepEqual(over(`${GROUPS}/a/b`, 'ancestors'), [b, a, top, root]);
      const groups = object.program('groups');
      assert.throws(() => groups.attachIter({ cgroup: GROUPS, order: 'toString' as never }), { code: 'ERR_BPF_TYPE' });
      assert.throws(() => groups.attachIter({ cgroup: GROUPS, pid: 1 }), { code: 'ERR_BPF_TYPE' });
      assert.throws(() => groups.attachIter({ cgroup: '/nowhere' }), { code: 'ENOENT' });
      assert.throws(
        () => groups.attachIter({ cgroup: '/etc/passwd' }),
        (error: Error) => error.name === 'BpfError',
      );
    } finally {
      for (const path of [`${GROUPS}/a/b`, `${GROUPS}/a`, GROUPS]) rmdirSync(path);
    }
  });

  it('a pipe in the place of a cgroup or file is not waited for', () => {
    execFileSync('mkfifo', ['/tmp/ebpf-ts-pipe']);
    try {
      using stores = BpfObject.open(file('stores.bpf.o'));
      stores.load();
      const value = new Uint8Array(8);
      writeStorage(stores.map('of_inode'), { path: '/tmp/ebpf-ts-pipe' }, value);
      assert.throws(
        () => writeStorage(stores.map('of_cgroup'), { path: '/tmp/ebpf-ts-pipe' }, value),
        (error: Error) => error.name === 'BpfError',
      );
      using object = withPrograms(['groups']);
      assert.throws(
        () => object.program('groups').attachIter({ cgroup: '/tmp/ebpf-ts-pipe' }),
        (error: Error) => error.name === 'BpfError',
      );
    } finally {
      rmSync('/tmp/ebpf-ts-pipe');
    }
    assert.ok(readFileSync('/proc/self/comm').length > 0);
  });
});
