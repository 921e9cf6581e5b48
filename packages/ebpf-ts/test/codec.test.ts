// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { Btf } from '../src/btf.js';
import { BtfKind } from '../src/btf-kinds.js';
import { codecOf } from '../src/codec.js';
import type { Codec } from '../src/codec-scalar.js';
import { BpfError } from '../src/errors.js';
import { decodeWith, encodeWith } from '../src/typed-map.js';

/** C that defines the struct and, as a program, prints what C makes of bytes given to it: the oracle. */
const STRUCT = `
enum colour { RED, GREEN = 7 };
enum big { BIG = 0x123456789abcdefULL };
typedef unsigned char u8;
struct inner { short s; char text[5]; };
struct all {
	signed char i8; u8 v8; short i16; unsigned short v16; int i32; unsigned v32; long long i64; unsigned long long v64;
	_Bool yes; char name[7]; u8 raw[3]; int grid[2][3]; struct inner in[2]; enum colour colour; enum big big; void *pointer;
	unsigned a : 1, b : 5, c : 20; int d : 9; unsigned long long e : 40; int : 3; unsigned f : 2;
	union { unsigned whole; u8 part[4]; struct { short lo, hi; }; };
	struct { int hidden; };
	long double unused[0];
} __attribute__((packed));
struct all all;
`;
const ORACLE = `
#include <stdio.h>
#include <string.h>
int main(void)
{
	while (fread(&all, sizeof all, 1, stdin) == 1)
		printf("%d %u %d %u %d %u %lld %llu %d %d %u %llu %u %u %u %d %llu %u %u %d %d %d\\n", all.i8, all.v8, all.i16, all.v16, all.i32, all.v32, all.i64, all.v64,
		       all.grid[1][2], all.in[1].s, all.colour, (unsigned long long)all.big, all.a, all.b, all.c, all.d, (unsigned long long)all.e, all.f,
		       all.whole, all.lo, all.hi, all.hidden);
	return 0;
}`;

// biome-ignore lint/suspicious/noExplicitAny: the types are the test's subject
type Any = any;

describe('codecs', () => {
  let dir: string;
  let btf: Btf;
  let codec: Codec<Any>;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'codec-'));
    writeFileSync(join(dir, 'all.c'), STRUCT);
    execFileSync('clang', ['-g', '-O2', '-target', 'bpf', '-c', join(dir, 'all.c'), '-o', join(dir, 'all.o')]);
    writeFileSync(join(dir, 'oracle.c'), STRUCT + ORACLE);
    execFileSync('gcc', ['-w', '-o', join(dir, 'oracle'), join(dir, 'oracle.c')]);
    btf = Btf.fromFile(join(dir, 'all.o'));
    codec = codecOf(btf, btf.find(BtfKind.Struct, 'all'));
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  const random = (): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: codec.size, maxLength: codec.size });

  it('reads what C reads', () => {
    const samples = fc.sample(random(), 500);
    const lines = execFileSync(join(dir, 'oracle'), { input: Buffer.concat(samples), encoding: 'utf8' })
      .trim()
      .split('\n');
    samples.forEach((sample, i) => {
      const v = decodeWith(codec, sample);
      assert.equal(
        [
          v.i8,
          v.v8,
          v.i16,
          v.v16,
          v.i32,
          v.v32,
          v.i64,
          v.v64,
          v.grid[1][2],
          v.in[1].s,
          v.colour,
          v.big,
          v.a,
          v.b,
          v.c,
          v.d,
          v.e,
          v.f,
          v.whole,
          v.lo,
          v.hi,
          v.hidden,
        ].join(' '),
        lines[i],
      );
    });
  });

  it('writes what it reads: every bit that a member has', () => {
    fc.assert(
      fc.property(random(), random(), (bytes, other) => {
        const value = decodeWith(codec, bytes);
        const { part, lo, hi, ...rest } = value;
        // Over other bytes, so that neighbours of a bitfield show when they are touched.
        const memory = other.slice();
        const view = new DataView(memory.buffer);
        // What is no text is not read back byte for byte: text is compared as text, and _Bool as truth.
        codec.encode({ ...rest, name: '', in: rest.in.map(({ s }: Any) => ({ s, text: '' })) }, view, 0, 'all');
        const again = decodeWith(codec, memory);
        const plain = (v: Any): Any => ({ ...v, name: null, in: v.in.map((x: Any) => x.s) });
        assert.deepEqual(plain(again), plain(value));
      }),
    );
  });

  it('text ends at its NUL or at its end', () => {
    const zero = decodeWith(codec, new Uint8Array(codec.size));
    const { part, lo, hi, ...rest } = zero;
    for (const name of ['', 'a', 'seven77', 'é€']) {
      assert.equal(decodeWith(codec, encodeWith(codec, { ...rest, name }, 'all')).name, name);
    }
    assert.throws(() => encodeWith(codec, { ...rest, name: 'eight888' }, 'all'), { code: 'ERR_BPF_SIZE' });
  });

  it('refuses what does not fit, and names the place', () => {
    const { part, lo, hi, ...rest } = decodeWith(codec, new Uint8Array(codec.size));
    const wrong: readonly (readonly [Any, RegExp])[] = [
      [{ ...rest, i8: 128 }, /all\.i8/],
      [{ ...rest, v8: -1 }, /all\.v8/],
      [{ ...rest, v64: 2n ** 64n }, /all\.v64/],
      [{ ...rest, i64: 2 ** 60 }, /all\.i64/],
      [{ ...rest, i32: 1.5 }, /all\.i32/],
      [{ ...rest, i32: '1' }, /all\.i32/],
      [{ ...rest, b: 32 }, /all\.b/],
      [{ ...rest, d: -257 }, /all\.d/],
      [{ ...rest, grid: [[1, 2, 3]] }, /all\.grid/],
      [
        {
          ...rest,
          grid: [
            [1, 2, 3],
            [1, 2, 2 ** 31],
          ],
        },
        /all\.grid\[1\]\[2\]/,
      ],
      [{ ...rest, in: [{ s: 1, text: '' }, { s: 1 }] }, /all\.in\[1\]/],
      [{ ...rest, part: [1, 2, 3, 4] }, /all/],
      [{ ...rest, whole: undefined }, /all\.whole/],
      [null, /all/],
      [{}, /all/],
    ];
    for (const [value, path] of wrong)
      assert.throws(
        () => encodeWith(codec, value, 'all'),
        (error: unknown) => error instanceof BpfError && path.test(error.message),
        String(path),
      );
  });

  it('reads nothing beyond the bytes it is given', () => {
    for (let length = 0; length < codec.size; length++)
      assert.throws(() => decodeWith(codec, new Uint8Array(length)), { code: 'ERR_BPF_SIZE' });
  });

  it('what has no values is refused', () => {
    assert.throws(() => codecOf(btf, 0), { code: 'ERR_BPF_TYPE' });
  });
});

describe('generate', () => {
  const file = (name: string): string => new URL(`../../${name}`, import.meta.url).pathname;
  for (const [example, ...types] of [
    ['counter'],
    ['execsnoop', '--type', 'event'],
    ['readlatency'],
    ['getenv'],
    ['egress'],
    ['tasks'],
  ] as const)
    it(`the types of ${example} are those of its object`, () => {
      const text = execFileSync(
        process.execPath,
        [file('dist/src/cli.js'), 'generate', file(`dist/examples/${example}.bpf.o`), ...types],
        { encoding: 'utf8' },
      );
      assert.equal(text, readFileSync(file(`examples/${example}.gen.ts`), 'utf8'));
    });
  it('examples are short', () => {
    for (const example of ['counter', 'execsnoop', 'readlatency', 'getenv', 'egress', 'tasks'])
      assert.ok(readFileSync(file(`examples/${example}.ts`), 'utf8').split('\n').length < 30, example);
  });
});
