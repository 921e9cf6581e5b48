// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { Kallsyms } from '../../src/symbols/kallsyms.js';

const TEXT = `0000000000000000 A fixed_percpu_data
0000000000021000 A cpu_info
ffffffff81000000 T _stext
ffffffff81000000 T _text
ffffffff815ec610 T handle_mm_fault
ffffffff815ec900 t __pfx_static_twice
ffffffff815ec910 t static_twice
ffffffff815ec980 t static_twice
ffffffff815eca00 D some_data
ffffffff815eca80 W weak_one
ffffffffc0301000 t btrfs_fault\t[btrfs]
ffffffffc0301040 t handle_mm_fault\t[lookalike]
ffffffffc0200000 t zram_bvec_read\t[zram]
ffffffffc0200400 t bpf_prog_6deef7357e7b4530_x\t[bpf]
`;

const parse = (text: string): Kallsyms => {
  const { kallsyms, why } = Kallsyms.parse(Buffer.from(text), 'kallsyms');
  assert.ok(kallsyms, why);
  return kallsyms;
};

describe('Kallsyms', () => {
  const dir = mkdtempSync(join(tmpdir(), 'kallsyms-test-'));
  after(() => rmSync(dir, { recursive: true }));
  const symbols = parse(TEXT);

  it('names an address by the function it lies in, with its module', () => {
    assert.equal(symbols.symbol(0xffffffff815ec610n), 'handle_mm_fault');
    assert.equal(symbols.symbol(0xffffffff815ec622n), 'handle_mm_fault+0x12');
    assert.equal(symbols.symbol(0xffffffffc0200123n), 'zram_bvec_read+0x123 [zram]');
    assert.equal(symbols.symbol(0xffffffffc030103fn), 'btrfs_fault+0x3f [btrfs]');
  });

  it('takes the first of several names of one address, as the kernel does', () => {
    assert.equal(symbols.symbol(0xffffffff81000004n), '_stext+0x4');
    assert.equal(symbols.functionAt(0xffffffff81000000n), '_stext');
  });

  it('is the same from a file that is read in turns, wherever its pages end', async () => {
    const line = fc
      .tuple(
        fc.integer({ min: 0, max: 0xff_ffff }),
        fc.constantFrom('t', 'T', 'D', 'w'),
        fc.stringMatching(/^[a-z_]{1,40}$/),
      )
      .map(([low, type, name]) => `ffffffff81${low.toString(16).padStart(6, '0')} ${type} ${name}`);
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 200 }), fc.boolean(), async (lines, newline) => {
        const path = join(dir, 'turns');
        writeFileSync(path, lines.join('\n') + (newline ? '\n' : ''));
        const fd = openSync(path, 'r');
        const [turns, whole] = [await Kallsyms.inTurns(fd, path), Kallsyms.parse(readFileSync(path), path)];
        closeSync(fd);
        assert.deepEqual([turns.why, turns.kallsyms?.size], [whole.why, whole.kallsyms?.size]);
        for (let low = 0; low <= 0x100_0000; low += 0x1_0101) {
          const address = 0xffffffff81000000n + BigInt(low);
          assert.equal(turns.kallsyms?.symbol(address), whole.kallsyms?.symbol(address));
        }
      }),
      { numRuns: 100 },
    );
    const { why } = await Kallsyms.inTurns(-1, 'closed');
    assert.match(why, /^closed: /);
  });

  it('lets others have their turns while megabytes are read', async () => {
    const path = join(dir, 'large');
    writeFileSync(path, TEXT.repeat(10_000));
    let between = 0;
    const timer = setInterval(() => between++, 1);
    const fd = openSync(path, 'r');
    const { kallsyms } = await Kallsyms.inTurns(fd, path);
    closeSync(fd);
    clearInterval(timer);
    assert.equal(kallsyms?.size, 110_000);
    assert.ok(between >= 10, `${between} turns`);
  });

  it('looks a return address up one byte before, for a call that was the last instruction', () => {
    assert.equal(symbols.symbol(0xffffffff815ec900n), '__pfx_static_twice');
    assert.equal(symbols.symbol(0xffffffff815ec900n, true), 'handle_mm_fault+0x2f0');
  });

  it('prints bare what no symbol is near to', () => {
    assert.equal(symbols.symbol(0xffffffff80ffffffn), '0xffffffff80ffffff');
    assert.equal(symbols.symbol(0xffffffff83000000n), '0xffffffff83000000');
    assert.equal(symbols.symbol(0x21004n), '0x21004');
    assert.equal(symbols.symbol(0n), '0x0');
  });

  it('finds functions by name: of vmlinux first, none where a name is not unique', () => {
    assert.equal(symbols.address('handle_mm_fault'), 0xffffffff815ec610n);
    assert.equal(symbols.address('btrfs_fault'), 0xffffffffc0301000n);
    assert.equal(symbols.address('static_twice'), null);
    assert.equal(symbols.address('mm_fault'), null);
    assert.equal(symbols.address('btrfs_fault\t[btrfs]'), 0xffffffffc0301000n);
    assert.equal(symbols.address('some_data'), null);
  });

  it('bounds a function by the next symbol at another address', () => {
    assert.deepEqual(symbols.range('handle_mm_fault'), { start: 0xffffffff815ec610n, end: 0xffffffff815ec900n });
    assert.deepEqual(symbols.range('_stext'), { start: 0xffffffff81000000n, end: 0xffffffff815ec610n });
    assert.deepEqual(symbols.range('zram_bvec_read'), { start: 0xffffffffc0200000n, end: 0xffffffffc0200400n });
    assert.equal(symbols.range('nothing'), null);
  });

  it('tells a pointer to a function from an address inside one', () => {
    assert.equal(symbols.functionAt(0xffffffffc0301000n), 'btrfs_fault [btrfs]');
    assert.equal(symbols.functionAt(0xffffffffc0301001n), null);
  });

  it('says why there are none: hidden, empty, unreadable', () => {
    const hidden = TEXT.replace(/^[0-9a-f]{16}/gm, '0000000000000000');
    const path = join(dir, 'hidden');
    writeFileSync(path, hidden);
    assert.equal(Kallsyms.load(path), null);
    assert.match(Kallsyms.attempt(path).why, /kptr_restrict/);
    assert.match(Kallsyms.parse(Buffer.from(''), 'empty').why, /^empty: no symbols/);
    assert.equal(Kallsyms.attempt(join(dir, 'absent')).why, `${join(dir, 'absent')}: ENOENT`);
  });

  it('finds what a linear search finds, in whatever order the file is', () => {
    const address = fc.bigInt({ min: 0xffffffff81000000n, max: 0xffffffff8100ffffn });
    const entries = fc.uniqueArray(fc.tuple(address, fc.stringMatching(/^[a-z]{6}[0-9]{3}$/)), {
      minLength: 1,
      maxLength: 60,
      selector: ([, name]) => name,
    });
    fc.assert(
      fc.property(entries, fc.array(address, { minLength: 1 }), (functions, wanted) => {
        const found = parse(functions.map(([at, name]) => `${at.toString(16)} t ${name}\n`).join(''));
        for (const at of wanted) {
          const below = functions.filter(([start]) => start <= at);
          const start = below.reduce((most, [one]) => (one > most ? one : most), 0n);
          const name = below.find(([one]) => one === start)?.[1];
          const offset = at - start;
          const text =
            name === undefined ? `0x${at.toString(16)}` : offset > 0n ? `${name}+0x${offset.toString(16)}` : name;
          assert.equal(found.symbol(at), text);
        }
        for (const [at, name] of functions) assert.equal(found.address(name), at);
      }),
    );
  });
});
