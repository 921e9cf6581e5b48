// SPDX-License-Identifier: MIT
/** Objects as far as no kernel is needed: opened, set up, refused, closed. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { setImmediate as immediate } from 'node:timers/promises';
import { BpfError } from '../src/errors.js';
import { callback } from '../src/ffi.js';
import { BpfObject } from '../src/object.js';

const KINDS = new URL('kinds.bpf.o', import.meta.url).pathname;
const closed = { code: 'ERR_BPF_CLOSED' };

it('a C function that calls back is made as often as it is asked for', () => {
  for (let i = 0; i < 3; i++) {
    const made = callback('int ebpf_ts_test_fn(int a)', (a: number) => a);
    assert.notEqual(made.address, 0n);
    made.release();
  }
});

describe('BpfObject', () => {
  it('opens by path and from memory', () => {
    using a = BpfObject.open(KINDS);
    using b = BpfObject.open(readFileSync(KINDS), { name: 'mine' });
    assert.equal(a.name, 'kinds');
    assert.equal(b.name, 'mine');
    assert.deepEqual([...a.programs.keys()], [...b.programs.keys()]);
    assert.equal(a.program('on_tp_btf').section, 'tp_btf/sched_process_fork');
    assert.equal(a.map('numbers').maxEntries, 64);
    a.map('numbers').setMaxEntries(7);
    assert.equal(a.map('numbers').maxEntries, 7);
    for (const n of [0, -1, 1.5, 2 ** 32, Number.NaN])
      assert.throws(() => a.map('numbers').setMaxEntries(n), { code: 'ERR_BPF_RANGE' });
    // libbpf takes it, and ends the process when it closes the object.
    for (const section of ['.bss', '.rodata'] as const)
      assert.throws(() => a.map(section).setMaxEntries(2 ** 32 - 1), { code: 'ERR_BPF_TYPE' });
  });

  it('refuses what is no BPF object', () => {
    for (const bytes of [
      new Uint8Array(0),
      new Uint8Array(100),
      readFileSync(process.execPath).subarray(0, 65536),
      readFileSync(KINDS).subarray(0, 3000),
    ])
      assert.throws(() => BpfObject.open(bytes), { code: 'ERR_BPF_INPUT' });
    assert.throws(() => BpfObject.open('/nowhere.o'), { code: 'ENOENT' });
    assert.throws(() => BpfObject.open('a\0b'), { code: 'ERR_BPF_TYPE' });
  });

  it('globals before load, by name and type', () => {
    using object = BpfObject.open(KINDS);
    const knob = object.global('knob');
    assert.equal(knob.get(), -1);
    knob.set(-300);
    assert.equal(knob.get(), -300);
    object.setGlobal('.rodata', 'knob', 5);
    assert.equal(knob.get(), 5);
    for (const value of [2 ** 15, -(2 ** 15) - 1, 0.5, Number.NaN, '1'])
      assert.throws(() => knob.set(value), { code: 'ERR_BPF_RANGE' });
    assert.throws(() => object.setGlobal('.rodata', 'knob', 2 ** 16), { code: 'ERR_BPF_RANGE' });
    assert.equal(knob.get(), 5);
    assert.equal(object.global('origin').get().name, 'origin');
    assert.throws(() => object.global('none'), { code: 'ERR_BPF_NAME' });
    object.close();
    assert.throws(() => knob.get(), closed);
    assert.throws(() => knob.set(1), closed);
  });

  it('nothing of a closed object reaches libbpf', () => {
    const object = BpfObject.open(KINDS);
    const program = object.program('on_fexit');
    const map = object.map('numbers');
    object.close();
    object.close();
    const calls: readonly (() => unknown)[] = [
      () => object.load(),
      () => object.typed('numbers'),
      () => object.setGlobal('.rodata', 'knob', 1),
      () => object.attachStructOps('numbers'),
      () => program.attach(),
      () => program.attachKprobe('x'),
      () => program.attachKprobeMulti(['x']),
      () => program.attachUprobe({ path: 'libc.so.6' }),
      () => program.attachCgroup('/'),
      () => program.attachIter(),
      () => program.testRun(),
      () => program.setAutoload(true),
      () => program.setAttachTarget('x'),
      () => program.setType(1),
      () => program.fd,
      () => program.account(),
      () => map.info,
      () => map.fd,
      () => map.setMaxEntries(3),
      () => map.get(1),
    ];
    for (const call of calls) assert.throws(call, closed, String(call));
    assert.equal(program.loaded, false);
  });

  it('10 000 times opened and closed, and refused: no descriptor and no memory stays', async () => {
    const elf = readFileSync(new URL('small.bpf.o', import.meta.url));
    const rss = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]);
    const descriptors = (): number => readdirSync('/proc/self/fd').length;
    const cycle = (i: number): void => {
      const object = BpfObject.open(elf);
      object.typed('one');
      if (i % 4 === 0) {
        try {
          object.program('small').attach();
          assert.fail();
        } catch (error) {
          assert.ok(error instanceof BpfError);
        }
      }
      object.close();
    };
    // What the engine is to give back it gives back between turns of its loop.
    const cycles = async (n: number): Promise<void> => {
      for (let i = 0; i < n; i++) {
        cycle(i);
        if (i % 50 === 0) await immediate();
      }
    };
    await cycles(3000);
    const before = [descriptors(), rss()] as const;
    await cycles(10_000);
    assert.equal(descriptors(), before[0]);
    assert.ok(rss() - before[1] < 16_384, `${before[1]} → ${rss()} KiB`);
  });

  it('an object whose bytes are changed is refused or opened, and never ends the process', () => {
    const script = `import { readFileSync } from 'node:fs';
      const { BpfObject } = await import('${import.meta.resolve('../src/object.js')}');
      const whole = readFileSync('${KINDS}');
      let opened = 0, refused = 0;
      for (let i = 0; i < 600; i++) {
        const bytes = Buffer.from(whole);
        for (let k = 0; k <= i % 3; k++) bytes[(i * 7919 + k * 104729) % bytes.length] ^= 1 << (i + k) % 8;
        try { BpfObject.open(bytes).close(); opened++ } catch (error) { if (error.name !== 'BpfError') throw error; refused++ }
      }
      process.stdout.write(opened + ' ' + refused);`;
    const run = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    assert.equal(run.signal, null, `${run.signal} ${run.stderr}`);
    const [opened = 0, refused = 0] = run.stdout.split(' ').map(Number);
    assert.ok(opened > 0 && refused > 0 && opened + refused === 600, `${run.stdout} ${run.stderr}`);
  });
});
