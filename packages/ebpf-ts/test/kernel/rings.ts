// SPDX-License-Identifier: MIT
/** Ring buffer, user ring buffer, perf buffer. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BpfObject, PerfBuffer, RingBuffer, UserRing } from '../../src/index.js';
import { loadedKinds, run } from './support.js';

describe('rings', () => {
  let object: BpfObject;
  before(() => {
    object = loadedKinds();
  });
  after(() => object.close());

  it('a waiting iterator neither spins nor holds the process open', () => {
    const script = `
      const { BpfMap, MapType, RingBuffer } = await import('${import.meta.resolve('../../src/index.js')}');
      const map = BpfMap.create({ type: MapType.Ringbuf, keySize: 0, valueSize: 0, maxEntries: 65536 });
      const ring = RingBuffer.open(map);
      (async () => { for await (const _ of ring) process.exit(9); })();
      await new Promise((resolve) => setTimeout(resolve, 300));
      const before = process.cpuUsage();
      await new Promise((resolve) => setTimeout(resolve, 3000));
      const { user, system } = process.cpuUsage(before);
      process.stdout.write(String(user + system));`;
    const cpuUs = Number(execFileSync(process.execPath, ['--input-type=module', '-e', script], { timeout: 120_000 }));
    // A loop that spins would have taken most of 3 s.
    assert.ok(cpuUs >= 0 && cpuUs < 600_000, `${cpuUs} µs in 3 s`);
  });

  it('records go to the kernel and come back, and the iterator waits for them', async () => {
    using up = UserRing.open(object.map('to_kernel'));
    using ring = RingBuffer.open(object.map('ring'));
    using _ = object.program('drain').attachRawTracepoint('sched_process_fork');
    const got: bigint[] = [];
    const all = (async () => {
      for await (const record of ring) {
        got.push(new DataView(record.buffer, record.byteOffset).getBigUint64(0, true));
        if (got.length === 20) return;
      }
    })();
    for (let i = 0; i < 20; i++) assert.ok(up.send(new Uint8Array(BigUint64Array.of(BigInt(i)).buffer)));
    assert.throws(() => up.send(new Uint8Array(70_000)), { code: 'ERR_BPF_SIZE' });
    for (let i = 0; i < 50 && got.length < 20; i++) {
      run('/bin/true');
      await sleep(10);
    }
    await all;
    assert.deepEqual(
      got,
      Array.from({ length: 20 }, (_, i) => BigInt(i)),
    );
    up.close();
    assert.throws(() => up.send(new Uint8Array(8)), { code: 'ERR_BPF_CLOSED' });
  });

  it('perf buffer', async () => {
    using buffer = PerfBuffer.open(object.map('perf'), 4);
    let told = false;
    buffer.onReadable(() => {
      told = true;
    });
    using _ = object.program('to_perf').attachTracepoint('sched', 'sched_process_fork');
    run('/bin/true; /bin/true');
    for (let i = 0; i < 300 && !told; i++) {
      run('/bin/true');
      await sleep(20);
    }
    const records = buffer.read();
    assert.ok(told && records.length >= 2 && buffer.lost === 0, `${told} ${records.length}`);
    assert.ok(records.every(({ bytes, cpu }) => bytes.length >= 8 && cpu >= 0));
    buffer.close();
    assert.throws(() => buffer.read(), { code: 'ERR_BPF_CLOSED' });
  });
});
