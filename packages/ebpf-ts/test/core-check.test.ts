// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Btf } from '../src/btf.js';
import { type CoreReport, checkRelocations } from '../src/core-check.js';
import { essentialName } from '../src/core-match.js';
import { BpfError } from '../src/errors.js';

const HEADER = `
typedef unsigned char __u8; typedef unsigned short __u16; typedef unsigned int __u32; typedef unsigned long long __u64;
typedef signed char __s8; typedef short __s16; typedef int __s32; typedef long long __s64;
typedef __u16 __be16; typedef __u32 __be32; typedef __u32 __wsum;
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
char LICENSE[] SEC("license") = "GPL";
#define CORE __attribute__((preserve_access_index))
`;
const OBJECT = `${HEADER}
struct inner { int deep; } CORE;
struct thing { long kept; long gone; int shape; struct inner in; struct inner row[4]; struct { int hidden; }; unsigned bit : 3; } CORE;
struct thing___old { long gone; } CORE;
struct nowhere { int x; } CORE;
enum colour { RED, BLUE };
enum colour___new { GREEN___new };
typedef int (*handler)(int);

SEC("fentry/has_target") int good(struct thing *t)
{
	return t->kept + t->in.deep + t->row[2].deep + t->hidden + bpf_core_field_exists(t->gone) +
	       bpf_core_type_exists(struct nowhere) + bpf_core_enum_value(enum colour, BLUE) +
	       bpf_core_enum_value_exists(enum colour___new, GREEN___new) + bpf_core_type_size(struct thing) +
	       BPF_CORE_READ_BITFIELD(t, bit);
}
SEC("?fexit/lacks_target") int guarded(struct thing___old *t)
{
	return bpf_core_field_exists(t->gone) ? t->gone : 0;
}
SEC("tp_btf/some_event") int bad(struct thing *t)
{
	return t->gone + t->shape + t->row[9].deep + ((struct nowhere *)t)->x + bpf_core_enum_value(enum colour, RED);
}
SEC("kprobe/anything") int none(void *ctx)
{
	return 0;
}
`;
/** Its `thing` is laid out otherwise, `gone` and `RED` are not there, `shape` is a pointer, and a second `thing` would be another one. */
const KERNEL = `${HEADER}
struct inner { char pad[7]; int deep; };
struct thing { char pad[100]; union { struct { int hidden; }; int other; }; long kept; void *shape; struct inner in; struct inner row[4]; unsigned first : 5; unsigned bit : 3; };
enum colour { BLUE = 7, GREEN = 9 };
typedef void (*btf_trace_other_event)(void *, int);
struct thing a; enum colour b; btf_trace_other_event c;
SEC("x") int has_target(int x) { return x + sizeof a + b; }
`;

describe('checkRelocations', () => {
  let dir: string;
  let report: CoreReport;
  const compile = (name: string, source: string, ...flags: string[]): string => {
    const out = join(dir, `${name}.o`);
    execFileSync('clang', ['-g', '-O2', '-target', 'bpf', ...flags, '-x', 'c', '-c', '-', '-o', out], {
      input: source,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    return out;
  };
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'core-'));
    report = checkRelocations(compile('object', OBJECT), compile('kernel', KERNEL));
  });
  after(() => rmSync(dir, { recursive: true, force: true }));
  const of = (program: string): string[] =>
    report.relocations
      .filter((relocation) => relocation.program === program)
      .map(({ access, kind, state, guarded }) => `${access} ${kind} ${state}${guarded ? ' guarded' : ''}`);

  it('finds what is there, however it is laid out, and gives 0 for what was asked and is not', () => {
    const got = of('good').filter((text) => !text.startsWith('struct thing.bit'));
    assert.deepEqual(
      new Set(got),
      new Set([
        'struct thing.kept field offset matched',
        'struct thing.in.deep field offset matched',
        'struct thing.row[2].deep field offset matched',
        'struct thing.hidden field offset matched',
        'struct thing.gone field exists absent',
        'struct nowhere type exists absent',
        'enum colour.BLUE enumerator value matched',
        'enum colour___new.GREEN___new enumerator exists matched',
        'struct thing type size matched',
      ]),
    );
    assert.ok(of('good').some((text) => text.startsWith('struct thing.bit') && text.endsWith('matched')));
  });

  it('names what is not there and used', () => {
    assert.deepEqual(
      new Set(of('bad')),
      new Set([
        'struct thing.gone field offset unmatched',
        'struct thing.shape field offset unmatched',
        'struct thing.row[9].deep field offset unmatched',
        'struct nowhere.x field offset unmatched',
        'enum colour.RED enumerator value unmatched',
      ]),
    );
    assert.equal(report.unmatched.length, 6);
  });

  it('says when the program asks first', () => {
    assert.deepEqual(of('guarded'), [
      'struct thing___old.gone field exists absent',
      'struct thing___old.gone field offset unmatched guarded',
    ]);
  });

  it('names programs without a target', () => {
    assert.deepEqual(report.missingTargets, [
      { program: 'guarded', section: '?fexit/lacks_target', target: 'function lacks_target' },
      { program: 'bad', section: 'tp_btf/some_event', target: 'tracepoint some_event' },
    ]);
  });

  it('follows the answers through the program: code that no path leads to is guarded, and no other', () => {
    const object = compile(
      'reach',
      `${HEADER}
      struct thing { long kept; long gone; long lost; } CORE;
      enum colour___old { GREEN___old, RED___old };
      volatile int some;
      SEC("kprobe/a") int otherwise(struct thing *t)
      { /* asked of one, another is used in its place */
        return bpf_core_field_exists(t->kept) ? t->kept : t->lost;
      }
      SEC("kprobe/a") int early(struct thing *t)
      {
        if (!bpf_core_field_exists(t->gone) || some > 3) return 0;
        for (int i = 0; i < some; i++) some += t->gone;
        return t->gone;
      }
      SEC("kprobe/a") int both(struct thing *t)
      {
        if (bpf_core_field_exists(t->gone) && bpf_core_enum_value_exists(enum colour___old, GREEN___old)) return t->gone;
        return t->kept;
      }
      SEC("kprobe/a") int in_vain(struct thing *t)
      { /* asks, and uses it all the same */
        some = bpf_core_field_exists(t->gone);
        return t->gone;
      }
      SEC("kprobe/a") int wrong_way(struct thing *t)
      {
        return bpf_core_field_exists(t->gone) ? 0 : t->gone;
      }
      SEC("kprobe/a") int or_other(struct thing *t)
      { /* reached by what is not known */
        if (bpf_core_field_exists(t->gone) || some) return t->gone;
        return 0;
      }`,
    );
    const guarded = new Map<string, Set<boolean>>();
    for (const { program, guarded: dead } of checkRelocations(object, join(dir, 'kernel.o')).unmatched)
      guarded.set(program, (guarded.get(program) ?? new Set()).add(dead));
    assert.deepEqual(
      [...guarded].map(([program, states]) => [program, [...states]]),
      [
        ['otherwise', [true]],
        ['early', [true]],
        ['both', [true]],
        ['in_vain', [false]],
        ['wrong_way', [false]],
        ['or_other', [false]],
      ],
    );
  });

  it('types of one name that differ are ambiguous', () => {
    const object = compile(
      'one',
      `${HEADER} struct two { int x; } CORE; SEC("kprobe/a") int p(struct two *t) { return t->x; }`,
    );
    const kernel = compile(
      'two',
      `${HEADER}
      static int f(void) { struct two { int y; int x; }; static volatile struct two v; return v.x; }
      static int g(void) { struct two { int x; }; static volatile struct two v; return v.x; }
      SEC("x") int h(void *c) { return f() + g(); }`,
    );
    assert.deepEqual(
      checkRelocations(object, kernel).unmatched.map(({ state }) => state),
      ['ambiguous'],
    );
  });

  it('refuses what is damaged with an error of its own, wherever it is cut or changed', () => {
    const whole = readFileSync(join(dir, 'object.o'));
    const kernel = Btf.fromFile(join(dir, 'kernel.o'));
    for (let i = 0; i < 2000; i++) {
      const bytes = Buffer.from(whole.subarray(0, i % 4 === 0 ? (i * 37) % whole.length : whole.length));
      if (bytes.length > 0 && i % 4 !== 0) bytes[(i * 7919) % bytes.length] = (i * 31) & 0xff;
      try {
        checkRelocations(bytes, kernel);
      } catch (error) {
        assert.ok(error instanceof BpfError, String(error));
      }
    }
  });

  it('knows flavours', () => {
    assert.deepEqual(['a___b', 'a__b', 'a___', '___a', 'a___b___c', 'plain'].map(essentialName), [
      'a',
      'a__b',
      'a___',
      '___a',
      'a___b',
      'plain',
    ]);
  });
});
