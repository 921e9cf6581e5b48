// SPDX-License-Identifier: MIT
/** Handles: pinned, closed, used in the wrong order. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { BpfMap, BpfObject, RingBuffer } from '../../src/index.js';
import { file, KINDS, loadedKinds, SMALL, SYS, since } from './support.js';

describe('handles', () => {
  let object: BpfObject;
  before(() => {
    object = loadedKinds();
  });
  after(() => object.close());

  it('pins, and opens what is pinned', () => {
    const map = object.map('numbers');
    map.pin('/sys/fs/bpf/ebpf-ts-numbers');
    using again = BpfMap.openPinned('/sys/fs/bpf/ebpf-ts-numbers');
    assert.deepEqual(again.get(3), map.get(3));
    assert.throws(() => map.pin('/sys/fs/bpf/ebpf-ts-numbers'), { code: 'EEXIST' });
    BpfMap.unpin('/sys/fs/bpf/ebpf-ts-numbers');
    assert.throws(() => BpfMap.openPinned('/sys/fs/bpf/ebpf-ts-numbers'), { code: 'ENOENT' });
  });

  it('everything of a closed object throws, and its links are gone', () => {
    const program = object.program('on_fexit');
    const link = program.attach();
    const map = object.map('numbers');
    const global = object.global('runs');
    object.close();
    object.close();
    assert.equal(link.closed, true);
    const calls: readonly (() => unknown)[] = [
      () => program.attach(),
      () => program.fd,
      () => program.account(),
      () => program.setAutoload(true),
      () => program.attachXdp('lo'),
      () => map.get(1),
      () => map.fd,
      () => map.set(1, new Uint8Array(8)),
      () => global.get(),
      () => object.load(),
      () => object.typed('numbers'),
      () => object.setGlobal('.rodata', 'knob', 1),
      () => RingBuffer.open(object.map('ring')),
      () => link.info(),
    ];
    for (const call of calls) assert.throws(call, { code: 'ERR_BPF_CLOSED' }, String(call));
  });

  it('closed aside it is closed at once, and its links are gone when it says so', async () => {
    const object = BpfObject.open(KINDS);
    if (since(6, 12)) object.program('on_session').setType(2, 56);
    object.program('on_session').setAutoload(since(6, 12));
    object.load();
    const links = [
      object.program('on_fexit').attach(),
      object.program('on_multi').attachKprobeMulti([`${SYS}openat`]),
      object.program('on_usdt').attachUsdt({ path: file('usdt'), provider: 'ebpf', name: 'probe' }),
      object.program('on_kprobe').attachKprobe(`${SYS}openat`),
    ];
    const left = object.closeAside();
    assert.throws(() => object.map('numbers').get(1), { code: 'ERR_BPF_CLOSED' });
    await left;
    assert.deepEqual(
      links.map((link) => link.closed),
      [true, true, true, true],
    );
    await object.closeAside();
    object.close();
  });

  it('works after misuse in the wrong order', () => {
    using object = BpfObject.open(SMALL);
    assert.throws(() => object.program('small').attach(), { code: 'ERR_BPF_STATE' });
    assert.throws(() => object.map('one').get(0), { code: 'ERR_BPF_STATE' });
    assert.throws(() => object.program('small').fd, { code: 'ERR_BPF_STATE' });
    object.load();
    assert.throws(() => object.load(), { code: 'ERR_BPF_STATE' });
    assert.throws(() => object.program('small').setAutoload(false), { code: 'ERR_BPF_STATE' });
    assert.throws(() => object.map('one').setMaxEntries(2), { code: 'ERR_BPF_STATE' });
    assert.throws(() => object.program('refused').attach(), { code: 'ERR_BPF_STATE' });
    object.program('small').attach();
  });
});
