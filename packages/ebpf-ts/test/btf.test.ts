// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { accessSync, constants, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { Btf } from '../src/btf.js';
import { BtfKind } from '../src/btf-kinds.js';
import { elfSection } from '../src/elf.js';
import { BpfError } from '../src/errors.js';

const SOURCE = `
typedef unsigned long long u64;
enum plain { PLAIN_A, PLAIN_B = 7, PLAIN_C = 0xffffffff };
struct inner { char c; volatile const short s; };
struct outer {
	struct inner in[3];
	u64 big;
	unsigned int low : 3, mid : 7, high : 20;
	void *pointer;
	int grid[2][5];
	union { int one; char four[4]; };
	enum plain p;
};
union either { int i; u64 u; };
struct outer *anchor_outer;
union either *anchor_either;
const volatile unsigned char knob __attribute__((section(".rodata"))) = 1;
const volatile int level __attribute__((section(".rodata"))) = -1;
int hook(void *ctx) { return knob + level; }
`;

/** BTF of one enum `made`, word by word: clang 14 knows neither signed enums nor enum64, the kernel's BTF has both. */
function rawEnum(kind: number, signed: boolean, values: Readonly<Record<string, readonly number[]>>): Btf {
  let strings = '\0made\0';
  const words = [1, (((signed ? 0x80 : 0) | kind) << 24) | Object.keys(values).length, kind === BtfKind.Enum64 ? 8 : 4];
  for (const [name, parts] of Object.entries(values)) {
    words.push(strings.length, ...parts);
    strings += `${name}\0`;
  }
  const header = [24, 0, words.length * 4, words.length * 4, strings.length];
  const head = Buffer.from(Uint32Array.from([0x01_eb9f, ...header]).buffer);
  return new Btf(Buffer.concat([head, Buffer.from(Uint32Array.from(words).buffer), Buffer.from(strings)]));
}

const isBpfError = (error: unknown): boolean => error instanceof BpfError;

describe('Btf', () => {
  let elf: Buffer;
  let btf: Btf;
  before(() => {
    const dir = mkdtempSync(join(tmpdir(), 'btf-test-'));
    try {
      execFileSync('clang', ['-g', '-O2', '-target', 'bpf', '-x', 'c', '-c', '-', '-o', join(dir, 'o.o')], {
        input: SOURCE,
      });
      elf = readFileSync(join(dir, 'o.o'));
    } finally {
      rmSync(dir, { recursive: true });
    }
    btf = Btf.fromElf(elf);
  });

  it('reads a struct with arrays, bitfields, pointers, unions and qualifiers', () => {
    const outer = btf.struct('outer');
    assert.equal(outer?.size, 88);
    const brief = outer.members.map((m) => [m.name, m.offset, m.size, m.length, m.bits]);
    assert.deepEqual(brief, [
      ['in', 0, 12, 3, null],
      ['big', 16, 8, 1, null],
      ['low', 24, 4, 1, { offset: 192, width: 3 }],
      ['mid', 24, 4, 1, { offset: 195, width: 7 }],
      ['high', 25, 4, 1, { offset: 202, width: 20 }],
      ['pointer', 32, 8, 1, null],
      ['grid', 40, 40, 10, null],
      ['', 80, 4, 1, null],
      ['p', 84, 4, 1, null],
    ]);
    assert.deepEqual(btf.struct('inner'), { size: 4, members: btf.members(btf.find(BtfKind.Struct, 'inner')) });
    assert.deepEqual(
      btf.struct('either')?.members.map((m) => [m.name, m.offset, m.size]),
      [
        ['i', 0, 4],
        ['u', 0, 8],
      ],
    );
  });

  it('finds the first of each kind and name, as a pass over all types would', () => {
    const first = new Map<string, number>();
    for (let id = 1; id < btf.count; id++) {
      const key = `${btf.kind(id)} ${btf.name(id)}`;
      first.set(key, first.get(key) ?? id);
      assert.equal(btf.find(btf.kind(id), btf.name(id)), first.get(key), key);
    }
    assert.ok(first.size > 20 && first.size < btf.count - 1, 'some have the name of another');
    assert.equal(btf.find(BtfKind.Enum, 'outer'), 0, 'another kind has that name');
    assert.equal(btf.find(BtfKind.Struct, 'oute'), 0);
    assert.equal(btf.find(BtfKind.Struct, 'uter'), 0);
  });

  it('reads enums of 32 and 64 bits, signed and not', () => {
    assert.deepEqual(btf.enumeration('plain'), { PLAIN_A: 0, PLAIN_B: 7, PLAIN_C: 0xffff_ffff });
    const wide = rawEnum(BtfKind.Enum64, false, { WIDE: [1, 1], TOP: [0, 0x8000_0000] });
    assert.deepEqual(wide.enumeration('made'), { WIDE: 2 ** 32 + 1, TOP: 2 ** 63 });
    const signedWide = rawEnum(BtfKind.Enum64, true, {
      MINUS: [0xffff_fffd, 0xffff_ffff],
      LOW: [0, 0xffff_ffff],
      PLUS: [3, 0],
    });
    assert.deepEqual(signedWide.enumeration('made'), { MINUS: -3, LOW: -(2 ** 32), PLUS: 3 });
    const signed = rawEnum(BtfKind.Enum, true, { MINUS: [0xffff_fffd], PLUS: [3] });
    assert.deepEqual(signed.enumeration('made'), { MINUS: -3, PLUS: 3 });
  });

  it('knows functions, the variables of a section, and what is not there', () => {
    assert.ok(btf.hasFunc('hook'));
    assert.ok(!btf.hasFunc('hoo'));
    assert.ok(!btf.hasFunc('outer'));
    const variables = btf.datasec('.rodata')?.map((v) => [v.name, v.size, v.signed]);
    assert.deepEqual(variables?.sort(), [
      ['knob', 1, false],
      ['level', 4, true],
    ]);
    assert.equal(btf.datasec('.data.none'), null);
    assert.equal(btf.struct('plain'), null);
    assert.equal(btf.enumeration('outer'), null);
    assert.throws(() => btf.kind(btf.count), isBpfError);
  });

  it('refuses what is cut off or no BTF, with a typed error', () => {
    const section = elfSection(elf, '.BTF') as Uint8Array;
    for (let length = 0; length < section.length; length++)
      assert.throws(() => new Btf(section.subarray(0, length)), isBpfError);
    for (let length = 0; length < elf.length; length += 13)
      assert.throws(() => Btf.fromElf(elf.subarray(0, length)), isBpfError);
    assert.throws(() => new Btf(new Uint8Array(64)), isBpfError);
    assert.equal(elfSection(elf, '.BTF.none'), null);
  });

  it('ends, with an answer or a typed error, on damaged bytes', () => {
    const section = elfSection(elf, '.BTF') as Uint8Array;
    let refused = 0;
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(section.length - 1), fc.integer({ min: 0, max: 255 })), {
          minLength: 1,
          maxLength: 6,
        }),
        (flips) => {
          const bytes = Uint8Array.from(section);
          for (const [at, value] of flips) bytes[at] = value;
          try {
            const damaged = new Btf(bytes);
            damaged.struct('outer');
            damaged.enumeration('plain');
            damaged.datasec('.rodata');
          } catch (error) {
            assert.ok(error instanceof BpfError, `${error}`);
            refused++;
          }
        },
      ),
      { numRuns: 2000 },
    );
    assert.ok(refused > 0);
  });
});

const VMLINUX = '/sys/kernel/btf/vmlinux';
function readable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

describe('Btf.vmlinux', { skip: readable(VMLINUX) ? false : `${VMLINUX} is not readable here` }, () => {
  let kernel: Btf;
  before(() => {
    kernel = Btf.vmlinux();
  });
  after(() => assert.ok(kernel.count > 10_000));

  it("finds the kernel's enums, structs and functions", () => {
    assert.equal(kernel.enumeration('vm_fault_reason')?.VM_FAULT_RETRY, 0x400);
    assert.equal(
      kernel.struct('vm_fault')?.members.some((m) => m.name === 'orig_pte' || m.name === ''),
      true,
    );
    assert.equal(kernel.struct('task_struct')?.members.find((m) => m.name === 'comm')?.length, 16);
    // Behind an anonymous struct, for the layout is randomized.
    assert.ok(kernel.hasMember('mm_struct', 'mmap_lock'));
    assert.ok(!kernel.hasMember('mm_struct', 'no_kernel_has_this_member'));
    assert.ok(!kernel.hasMember('no_kernel_has_this_type', 'mmap_lock'));
    assert.ok(kernel.hasFunc('handle_mm_fault'));
    assert.ok(!kernel.hasFunc('no_kernel_has_this_function'));
    for (let id = 1; id < kernel.count; id += 997) {
      const found = kernel.find(kernel.kind(id), kernel.name(id));
      assert.ok(found > 0 && found <= id, `type ${id}: found ${found}`);
      assert.deepEqual([kernel.kind(found), kernel.name(found)], [kernel.kind(id), kernel.name(id)]);
    }
  });
});

describe('Btf.vmlinux of a kernel without BTF', () => {
  it('says which option is missing', () => {
    assert.throws(
      () => Btf.vmlinux('/nonexistent/vmlinux'),
      (error: unknown) => error instanceof BpfError && /CONFIG_DEBUG_INFO_BTF/.test(error.remedy),
    );
  });
});
