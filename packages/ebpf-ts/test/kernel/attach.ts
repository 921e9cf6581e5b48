// SPDX-License-Identifier: MIT
/** Where a program is attached: offsets, processes, targets, pins. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { BpfError, type BpfLink, BpfMap, BpfObject } from '../../src/index.js';
import { file, KIND, KINDS, loadedKinds, OPENAT, opens, run, runsOf, SYS } from './support.js';

describe('attaching', () => {
  let object: BpfObject;
  before(() => {
    object = loadedKinds();
  });
  after(() => object.close());
  const ran = (): bigint[] => runsOf(object);

  it('a kprobe within a function runs, and one within an instruction is refused', () => {
    const at = KIND.KPROBE as number;
    let [taken, refused] = [0, 0];
    for (let offset = 1; offset < 32; offset++) {
      try {
        const before = ran()[at] ?? 0n;
        using _ = object.program('on_kprobe').attachKprobe(OPENAT, { offset });
        opens();
        if ((ran()[at] ?? 0n) > before) taken++;
      } catch (error) {
        assert.ok(error instanceof BpfError, String(error));
        refused++;
      }
    }
    assert.ok(taken > 0 && refused > 0, `${taken} ran, ${refused} were refused`);
  });

  it('a uprobe of one process sees no other; an offset into the file is as good as a name', async () => {
    const at = KIND.UPROBE as number;
    const library = run("ldconfig -p | sed -n '/libc.so.6.*64/s/.*=> //p' | head -n 1").trim();
    const getenv = Number.parseInt(run(`nm -D ${library} | sed -n 's/ W getenv.*//p; s/ T getenv.*//p'`), 16);
    const own = (): string | undefined => process.env.HOME;
    const other = spawn('sleep', ['600']);
    // It asks for its locale itself before it sleeps.
    while (!readFileSync(`/proc/${other.pid}/wchan`, 'latin1').includes('nanosleep')) await sleep(20);
    {
      using _ = object
        .program('on_uprobe')
        .attachUprobe({ path: library, function: 'getenv', pid: other.pid as number });
      const before = ran()[at];
      own();
      run('ls / >/dev/null');
      assert.equal(ran()[at], before);
    }
    other.kill();
    {
      using _ = object.program('on_uprobe').attachUprobe({ path: library, function: 'getenv', pid: process.pid });
      const before = ran()[at] ?? 0n;
      own();
      assert.ok((ran()[at] ?? 0n) > before);
    }
    const before = ran()[at] ?? 0n;
    using _ = object.program('on_uprobe').attachUprobe({ path: library, offset: getenv });
    run('ls / >/dev/null');
    assert.ok((ran()[at] ?? 0n) > before, `${library} ${getenv}`);
  });

  it('a program goes where its target is set to', () => {
    using other = BpfObject.open(KINDS);
    for (const program of other.programs.values()) program.setAutoload(program.name === 'on_fexit');
    other.program('on_fexit').setAttachTarget(`${SYS}getpgid`);
    other.load();
    assert.equal(other.program('on_fentry').loaded, false);
    using _ = other.program('on_fexit').attachTrace();
    const runs = (): bigint => other.global('runs').get()[KIND.FEXIT as number];
    opens();
    assert.equal(runs(), 0n);
    run("perl -e 'getpgrp(1)'");
    assert.ok(runs() > 0n);
  });

  it('iterates over the tasks of one process', () => {
    using tasks = BpfObject.open(file('../examples/tasks.bpf.o'));
    tasks.load();
    const threads = readdirSync('/proc/self/task').sort();
    const lines = (link: BpfLink): string[][] =>
      link
        .text()
        .trimEnd()
        .split('\n')
        .map((line) => line.split('\t'));
    using own = tasks.program('on_task').attachIter({ pid: process.pid });
    const rows = lines(own);
    assert.deepEqual(rows.map(([, tid]) => tid).sort(), threads);
    assert.ok(rows.every(([tgid]) => tgid === String(process.pid)));
    using one = tasks.program('on_task').attachIter({ tid: 1 });
    assert.deepEqual(
      lines(one).map(([, tid]) => tid),
      ['1'],
    );
  });

  it('pinned, a link outlives its handle', () => {
    const at = KIND.FENTRY as number;
    const link = object.program('on_fentry').attachTrace();
    link.pin('/sys/fs/bpf/ebpf-ts-link');
    link.close();
    const before = ran()[at] ?? 0n;
    opens();
    assert.ok((ran()[at] ?? 0n) > before);
    BpfMap.unpin('/sys/fs/bpf/ebpf-ts-link');
  });

  it('names what cannot be attached', () => {
    assert.throws(
      () => object.program('on_kprobe').attachKprobe('no_such_function'),
      (error: Error) => error.name === 'BpfError',
    );
    assert.throws(() => object.program('on_multi').attachKprobeMulti([]), { code: 'ERR_BPF_SIZE' });
    assert.throws(
      () => object.program('on_uprobe').attachUprobe({ path: '/nowhere' }),
      (error: Error) => error.name === 'BpfError',
    );
    assert.throws(() => object.program('on_xdp').attachXdp('nosuch0'), { code: 'ENODEV' });
    assert.throws(() => object.program('on_kprobe').attachKprobe('a\0b'), { code: 'ERR_BPF_TYPE' });
    assert.throws(() => object.program('nope'), { code: 'ERR_BPF_NAME' });
  });
});
