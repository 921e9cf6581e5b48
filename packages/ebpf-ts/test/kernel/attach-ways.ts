// SPDX-License-Identifier: MIT
/** Every way of attaching runs a program while it lasts, and not after. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BpfLink, BpfObject } from '../../src/index.js';
import { file, forks, KIND, loadedKinds, OPENAT, opens, run, runsOf, SYS, since } from './support.js';

describe('ways of attaching', () => {
  let object: BpfObject;
  before(() => {
    object = loadedKinds();
  });
  after(() => object.close());
  const ran = (): bigint[] => runsOf(object);

  const ways: readonly (readonly [kind: string, attach: () => BpfLink, work: () => void, cookie?: bigint])[] = [
    ['KPROBE', () => object.program('on_kprobe').attachKprobe(OPENAT, { cookie: 11n }), opens, 11n],
    [
      'KRETPROBE',
      () => object.program('on_kretprobe').attachKprobe(OPENAT, { retprobe: true, cookie: 12n }),
      opens,
      12n,
    ],
    [
      'MULTI',
      () => object.program('on_multi').attachKprobeMulti([`${SYS}openat`, `${SYS}close`], { cookies: [13n, 13n] }),
      opens,
      13n,
    ],
    ['FENTRY', () => object.program('on_fentry').attachTrace({ cookie: 2n ** 64n - 1n }), opens, 2n ** 64n - 1n],
    ['FEXIT', () => object.program('on_fexit').attach(), opens, 0n],
    ['RAW_TP', () => object.program('on_raw_tp').attachRawTracepoint('sched_process_fork'), forks],
    ['TP_BTF', () => object.program('on_tp_btf').attach(), forks],
    ['TP', () => object.program('on_tp').attachTracepoint('sched', 'sched_process_fork', { cookie: 15n }), forks, 15n],
    [
      'UPROBE',
      () => object.program('on_uprobe').attachUprobe({ path: 'libc.so.6', function: 'getenv', cookie: 16n }),
      forks,
      16n,
    ],
    [
      'URETPROBE',
      () => object.program('on_uretprobe').attachUprobe({ path: 'libc.so.6', function: 'getenv', retprobe: true }),
      forks,
      0n,
    ],
    [
      'USDT',
      () => object.program('on_usdt').attachUsdt({ path: file('usdt'), provider: 'ebpf', name: 'probe', cookie: 19n }),
      () => run(file('usdt')),
      19n,
    ],
    [
      'PERF',
      () => object.program('on_perf').attachPerfEvent({ event: 'cpu-clock', frequency: 1000, cpu: 0 }, { cookie: 17n }),
      () => run('taskset 1 bash -c "for i in {1..20000}; do :; done"'),
      17n,
    ],
    [
      'CGROUP',
      () => object.program('on_cgroup').attachCgroup('/sys/fs/cgroup'),
      () => run('echo x > /dev/udp/127.0.0.1/9'),
    ],
    ['XDP', () => object.program('on_xdp').attachXdp('lo'), () => run('echo x > /dev/udp/127.0.0.1/9')],
    ['TC', () => object.program('on_tc').attachTcx('lo', 'ingress'), () => run('echo x > /dev/udp/127.0.0.1/9')],
    ...(since(6, 12)
      ? ([
          [
            'SESSION',
            () => object.program('on_session').attachKprobeSession([`${SYS}openat`], { cookies: [18n] }),
            opens,
            18n,
          ],
        ] as const)
      : []),
  ];
  for (const [kind, attach, work, cookie] of ways) {
    it(`${kind.toLowerCase()} runs while attached, and not after`, async () => {
      const at = KIND[kind] as number;
      assert.equal(ran()[at], 0n);
      using link = attach();
      for (let i = 0; i < 50 && ran()[at] === 0n; i++) work();
      assert.ok((ran()[at] ?? 0n) > 0n, 'did not run');
      if (cookie !== undefined) assert.equal(object.global('cookies').get()[at], cookie);
      // A USDT link stands for several of the kernel's and has no descriptor of its own.
      if (kind !== 'USDT') assert.ok(link.info().id > 0 && link.info().programId > 0, JSON.stringify(link.info()));
      link.close();
      link.close();
      assert.throws(() => link.fd, { code: 'ERR_BPF_CLOSED' });
      await sleep(50);
      const before = ran()[at];
      work();
      assert.equal(ran()[at], before);
    });
  }

  it('a session runs at entry and at return', { skip: !since(6, 12) && 'kernel before 6.12' }, () => {
    const at = KIND.SESSION as number;
    using multi = object.program('on_multi').attachKprobeMulti([`${SYS}openat`]);
    const before = ran();
    {
      using _ = object.program('on_session').attachKprobeSession([`${SYS}openat`]);
      for (let i = 0; i < 100; i++) readFileSync('/proc/self/comm');
    }
    const after = ran();
    const calls = (after[KIND.MULTI as number] ?? 0n) - (before[KIND.MULTI as number] ?? 0n);
    const both = (after[at] ?? 0n) - (before[at] ?? 0n);
    assert.ok(calls >= 100n && both >= 200n && both <= 2n * calls, `${both} runs for ${calls} calls`);
    assert.equal(multi.info().missed, 0);
  });

  it('tcx on the way out', () => {
    const at = KIND.TC as number;
    const before = ran()[at] ?? 0n;
    using _ = object.program('on_tc').attachTcx('lo', 'egress');
    run('echo x > /dev/udp/127.0.0.1/9');
    assert.ok((ran()[at] ?? 0n) > before);
  });
});
