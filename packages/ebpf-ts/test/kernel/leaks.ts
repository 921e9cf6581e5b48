// SPDX-License-Identifier: MIT
/** Opened and closed again and again: nothing stays. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { setImmediate as immediate, setTimeout as sleep } from 'node:timers/promises';
import { BpfMap, BpfObject, enableStats, PerfBuffer, RingBuffer, UserRing, writeStorage } from '../../src/index.js';
import { file, inKernel, KINDS, nothingMoreThan, SMALL, SYS } from './support.js';

describe('leaks', () => {
  it('every kind of link, ring and mapping is opened and closed again and again: no descriptor stays, nothing in the kernel', async () => {
    using object = BpfObject.open(KINDS);
    object.program('on_session').setAutoload(false);
    object.load();
    const round = (): void => {
      const opened: readonly { close(): void }[] = [
        object.program('on_fexit').attach(),
        object.program('on_multi').attachKprobeMulti([`${SYS}openat`]),
        object.program('on_kprobe').attachKprobe(`${SYS}openat`),
        object.program('on_usdt').attachUsdt({ path: file('usdt'), provider: 'ebpf', name: 'probe' }),
        object.program('on_perf').attachPerfEvent({ event: 'cpu-clock', frequency: 1, cpu: 0 }),
        object.program('on_cgroup').attachCgroup('/sys/fs/cgroup'),
        object.program('on_tc').attachTcx('lo', 'ingress'),
        object.program('on_raw_tp').attachRawTracepoint('sched_process_fork'),
        RingBuffer.open(object.map('ring')),
        UserRing.open(object.map('to_kernel')),
        PerfBuffer.open(object.map('perf'), 1),
        object.map('.bss').mmapArray({ writable: true }),
        BpfMap.openId(object.map('numbers').info.id),
        enableStats(),
      ];
      using elements = object.program('on_elem').attachIter({ map: object.map('numbers') });
      elements.text();
      writeStorage(object.map('of_task'), { pid: process.pid }, new Uint8Array(8));
      for (const one of opened) one.close();
    };
    for (let i = 0; i < 3; i++) round();
    await sleep(50);
    const before = inKernel();
    const descriptors = readdirSync('/proc/self/fd').length;
    for (let i = 0; i < 20; i++) round();
    await sleep(50);
    assert.equal(readdirSync('/proc/self/fd').length, descriptors);
    await nothingMoreThan(before);
  });

  it('10 000 times opened, loaded, attached and closed: no descriptor and no memory stays', async () => {
    const elf = readFileSync(SMALL);
    const descriptors = (): number => readdirSync('/proc/self/fd').length;
    const rss = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]);
    const times = Number(process.env.EBPF_TS_CYCLES ?? 10_000);
    const kernel = inKernel();
    const cycle = (i: number): void => {
      const object = BpfObject.open(elf);
      object.load();
      const link = object.program('small').attach();
      object.map('one').set(0, new Uint8Array(8));
      if (i % 2 === 0) link.close();
      object.close();
    };
    // For the first and the second at a tracepoint the kernel rewrites its own code, which takes an emulated machine 0.1 s.
    const others = [BpfObject.open(elf), BpfObject.open(elf)];
    for (const other of others) {
      other.load();
      other.program('small').attach();
    }
    // What the engine is to give back it gives back between turns of its loop.
    const cycles = async (n: number): Promise<void> => {
      for (let i = 0; i < n; i++) {
        cycle(i);
        if (i % 50 === 0) await immediate();
      }
    };
    await cycles(times / 5);
    const before = { descriptors: descriptors(), rss: rss() };
    await cycles(times);
    const after = { descriptors: descriptors(), rss: rss() };
    for (const other of others) other.close();
    console.log(`# ${times} cycles: ${JSON.stringify(before)} → ${JSON.stringify(after)}`);
    assert.equal(after.descriptors, before.descriptors);
    assert.ok(after.rss - before.rss < 8192, `${before.rss} → ${after.rss} KiB`);
    await nothingMoreThan(kernel);
  });
});
