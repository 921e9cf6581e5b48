// SPDX-License-Identifier: MIT
/** The generated layout is what clang makes of bpf/events.h, counters.h and args.h, and gen-schema --check reports when it is not. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { BpfError, Btf } from 'ebpf-ts';
import { LAYOUT_DIGEST, VlCpu, VlKind, VlKindNames, VlOpen, VlStep, VlWriter } from '../../src/schema/events.gen.js';
import { generate, layoutDigest } from '../../src/schema/generate.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const GENERATED = join(ROOT, 'src/schema/events.gen.ts');
const OBJECT = join(ROOT, 'dist/bpf/vmalocktop.bpf.o');
const COMMAND = join(ROOT, 'dist/scripts/gen-schema.js');
const BPF = join(ROOT, 'bpf');
const header = ['events.h', 'counters.h', 'args.h'].map((name) => readFileSync(join(BPF, name), 'utf8')).join('\n');

/** A type nothing refers to is not in the BTF. */
const ANCHORS = [
  'struct vl_step',
  'struct vl_open',
  'struct vl_writer',
  'struct vl_vma',
  'struct vl_cpu',
  'struct vl_counted',
  'union vl_args',
  'enum vl_kind',
  'enum vl_step_flag',
  'enum vl_lock_flag',
  'enum vl_counter',
  'enum vl_hist',
  'enum vl_scope',
  'enum vl_counted_limit',
  'enum vl_found',
  'enum vl_holder',
  'enum vl_file',
  'enum vl_wait',
  'enum vl_inner',
  'enum vl_note',
  'enum vl_mapping',
];
let dir: string;
before(() => {
  dir = mkdtempSync(join(tmpdir(), 'schema-test-'));
});
after(() => rmSync(dir, { recursive: true }));

function compile(name: string, events: string, anchors: readonly string[] = ANCHORS): string {
  const object = join(dir, `${name}.o`);
  const source = events + anchors.map((type, i) => `\n${type} *anchor_${i};`).join('');
  execFileSync('clang', ['-g', '-O2', '-target', 'bpf', '-I', BPF, '-x', 'c', '-c', '-', '-o', object], {
    input: `${source}\n`,
  });
  return object;
}

const btfOf = (object: string): Btf => Btf.fromElf(readFileSync(object));

/** The headers with one change; fails when the text to change is not there. */
function changed(from: string, to: string): string {
  assert.ok(header.includes(from), `bpf/ no longer has: ${from}`);
  return header.replace(from, to);
}

describe('events.gen.ts', () => {
  it('is what the headers compile to', () => {
    const btf = btfOf(compile('same', header));
    assert.equal(readFileSync(GENERATED, 'utf8'), generate(btf));
    assert.equal(LAYOUT_DIGEST, layoutDigest(btf));
  });

  it('has the layout of the object that is loaded', {
    skip: existsSync(OBJECT) ? false : 'dist/bpf/vmalocktop.bpf.o is not built',
  }, () => {
    assert.equal(layoutDigest(btfOf(OBJECT)), LAYOUT_DIGEST);
  });

  it('agrees with the sizes events.h asserts', () => {
    const asserted = (name: string): number =>
      Number(new RegExp(`sizeof\\(struct ${name}\\) == (\\d+)`).exec(header)?.[1]);
    assert.equal(VlStep.size, asserted('vl_step'));
    assert.equal(VlOpen.size, asserted('vl_open'));
    assert.equal(VlWriter.size, asserted('vl_writer'));
    assert.equal(VlCpu.size % 64, 0);
    assert.deepEqual(VlKindNames, Object.keys(VlKind));
  });
});

describe('layoutDigest', () => {
  const changes: readonly (readonly [string, string, string])[] = [
    ['two fields change places', '\t__u32 a;\n\t__u32 b;', '\t__u32 b;\n\t__u32 a;'],
    ['a field changes its width', '__u16 fault_cpu;\n\t__u16 step;', '__u32 fault_cpu : 16;\n\t__u16 step;'],
    ['an enumerator changes its value', 'VL_F_SIGPENDING = 4', 'VL_F_SIGPENDING = 8'],
    ['a counter changes its name', 'VL_C_QUIET', 'VL_C_SILENT'],
    ['what a and b are changes places', '{ __u32 flags, ret; } hmf_exit', '{ __u32 ret, flags; } hmf_exit'],
    ['a word is named for a kind that there is not', '} hmf_exit;', '} hmf_return;'],
  ];
  for (const [what, from, to] of changes) {
    it(`differs, or is refused, when ${what}`, () => {
      const object = compile('changed', changed(from, to));
      let digest: string | null = null;
      try {
        digest = layoutDigest(btfOf(object));
      } catch (error) {
        assert.ok(error instanceof BpfError);
      }
      assert.notEqual(digest, LAYOUT_DIGEST);
    });
  }

  it('names the type clang left out of the BTF', () => {
    const object = compile(
      'unanchored',
      header,
      ANCHORS.filter((type) => type !== 'struct vl_cpu'),
    );
    assert.throws(() => layoutDigest(btfOf(object)), /the object's BTF has no struct vl_cpu/);
  });
});

describe('gen-schema', () => {
  const run = (...args: string[]): { status: number | null; stderr: string } =>
    spawnSync(process.execPath, [COMMAND, ...args], { encoding: 'utf8', cwd: dir });

  it('writes the file, and --check then finds no difference', () => {
    const object = compile('same', header);
    const out = join(dir, 'events.gen.ts');
    assert.equal(run(object, '--out', out).status, 0);
    assert.equal(readFileSync(out, 'utf8'), readFileSync(GENERATED, 'utf8'));
    assert.deepEqual(
      [run(object, '--out', out, '--check').status, readFileSync(out, 'utf8')],
      [0, readFileSync(GENERATED, 'utf8')],
    );
  });

  it('--check reports what differs, says what to do, exits 1 and writes nothing', () => {
    const object = compile('renamed', changed('__u16 step;', '__u16 number;'));
    const out = join(dir, 'before.ts');
    writeFileSync(out, readFileSync(GENERATED));
    const { status, stderr } = run(object, '--out', out, '--check');
    assert.equal(status, 1);
    assert.match(stderr, /^- {3}step: 14,$/m);
    assert.match(stderr, /^\+ {3}number: 14,$/m);
    assert.match(stderr, /→ run: node dist\/scripts\/gen-schema\.js/);
    assert.deepEqual(readFileSync(out), readFileSync(GENERATED));
  });

  it('refuses an object without BTF and a missing argument', () => {
    const bare = join(dir, 'bare.o');
    execFileSync('clang', ['-O2', '-target', 'bpf', '-x', 'c', '-c', '-', '-o', bare], { input: 'int x;\n' });
    const { status, stderr } = run(bare);
    assert.equal(status, 1);
    assert.match(stderr, /no \.BTF section\n→ /);
    assert.equal(run().status, 2);
  });
});
