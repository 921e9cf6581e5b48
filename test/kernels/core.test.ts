// SPDX-License-Identifier: MIT
/** CO-RE without booting: every relocation of the object on every kernel whose types are kept here (scripts/kernel-btfs.ts). */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { BpfObject, Btf, type CheckedRelocation, checkRelocations } from 'ebpf-ts';
import { HOOKS } from '../../src/live/hooks.js';
import { hookOf } from '../../src/live/program-names.js';
import { KERNELS, kernelTable, relocationNames } from './table.js';

const OBJECT = fileURLToPath(new URL('../../bpf/vmalocktop.bpf.o', import.meta.url));
const ARM64 = OBJECT.replace(/(?=\.bpf\.o$)/, '.arm64');
const AGAIN = 'make kernel-btfs';
const table = kernelTable();

/** What would make the verifier refuse a program that a session loads there, or libbpf the whole object. */
function refusals(types: Uint8Array, lacks: readonly string[]): string[] {
  const absent = new Set(lacks.map((target) => target.replace(/^\w+ /, '')));
  const refused = ({ state, guarded, program }: CheckedRelocation): boolean =>
    state === 'ambiguous' || (state === 'unmatched' && !guarded && !absent.has(hookOf(program)));
  return checkRelocations(OBJECT, new Btf(types))
    .relocations.filter(refused)
    .map(({ program, access, kind, state }) => `${program}: ${access} (${kind}): ${state}`);
}
const typesOf = (kernel: string): Buffer => readFileSync(`${KERNELS}${kernel}.btf`);

describe('CO-RE on kernels that are not booted', () => {
  for (const { kernel, lacks } of table.kernels) {
    it(`${kernel}: every relocation finds what it needs, or is asked for first`, () => {
      assert.deepEqual(refusals(typesOf(kernel), lacks), []);
    });
  }

  it(`the types kept here were made for the object's relocations: ${AGAIN}`, () => {
    const { kernel } = table.kernels[0] as (typeof table.kernels)[number];
    const made = new Set(table.relocations);
    const now = relocationNames(checkRelocations(OBJECT, `${KERNELS}${kernel}.btf`));
    assert.deepEqual(
      now.filter((name) => !made.has(name)),
      [],
      AGAIN,
    );
  });

  it('the object for arm64 has the same programs and asks for the same types, but for registers', () => {
    const { kernel } = table.kernels[0] as (typeof table.kernels)[number];
    const asked = (object: string): readonly string[] =>
      relocationNames(checkRelocations(object, `${KERNELS}${kernel}.btf`));
    const registers = (names: readonly string[]): string[] =>
      names.flatMap((name) => /^struct pt_regs\.(\w+)/.exec(name)?.[1] ?? []);
    const others = (names: readonly string[]): string[] => names.filter((name) => !name.startsWith('struct pt_regs'));
    assert.deepEqual(others(asked(ARM64)), others(asked(OBJECT)));
    assert.deepEqual([...new Set(registers(asked(ARM64)))].sort(), ['orig_x0', 'pstate', 'regs', 'syscallno']);
    using x86 = BpfObject.open(OBJECT);
    using arm64 = BpfObject.open(ARM64);
    assert.deepEqual([...arm64.programs.keys()], [...x86.programs.keys()]);
    assert.deepEqual([...arm64.maps.keys()], [...x86.maps.keys()]);
  });

  it('every series since 6.12 is here, in each flavour', () => {
    const files = readdirSync(KERNELS).filter((name) => name.endsWith('.btf'));
    assert.deepEqual(files.sort(), table.kernels.map(({ kernel }) => `${kernel}.btf`).sort());
    const seen = new Set(
      files.map((name) => `${/^\d+\.\d+/.exec(name)?.[0]}${/-(?:rt|cloud)(?=-)/.exec(name)?.[0] ?? ''}`),
    );
    for (const series of ['6.12', '6.16', '6.17', '6.18', '6.19', '7.0', '7.1', '7.2', '7.3'])
      for (const flavour of ['', '-rt', '-cloud']) assert.ok(seen.has(`${series}${flavour}`), `${series}${flavour}`);
  });

  it('the hooks a session cannot do without are on every one of them', () => {
    const required = new Set(HOOKS.filter((hook) => hook.required).map(({ target }) => `function ${target}`));
    for (const { kernel, lacks } of table.kernels)
      assert.deepEqual([kernel, lacks.filter((target) => required.has(target))], [kernel, []]);
  });

  it('hooks are on the releases that their descriptions name, and on no others', () => {
    const number = (release: string): number => {
      const [major = 0, minor = 0] = release.split('.').map(Number);
      return 1000 * major + minor;
    };
    let named = 0;
    for (const { target, purpose } of HOOKS) {
      const since = /\((?:from )?(\d+\.\d+)(?: and later)?\)/.exec(purpose)?.[1];
      const until = /\((?:up )?to (\d+\.\d+)\)/.exec(purpose)?.[1];
      if (since === undefined && until === undefined) continue;
      named++;
      for (const { kernel, lacks } of table.kernels) {
        const at = number(/^\d+\.\d+/.exec(kernel)?.[0] ?? '');
        const expected = (since === undefined || at >= number(since)) && (until === undefined || at <= number(until));
        const has = !lacks.includes(`function ${target}`);
        // Flavours are built without some of it (CONFIG_DEVICE_PRIVATE).
        if (has !== expected && (has || !/-(rt|cloud)-/.test(kernel))) assert.fail(`${target}: ${kernel}, ${purpose}`);
      }
    }
    assert.ok(named >= 6, `${named}`);
  });

  it('each of them names the owner of an mm, by which the slow paths of rw_semaphore know an mmap_lock', () => {
    for (const { kernel } of table.kernels) {
      const btf = Btf.fromFile(`${KERNELS}${kernel}.btf`);
      assert.ok(btf.hasMember('mm_struct', 'owner'), kernel);
      assert.ok(!btf.hasMember('mm_struct', 'own'), kernel);
    }
  });

  it('a member that a kernel renamed is found out, and the programs that use it are named', () => {
    for (const { kernel, lacks } of table.kernels) {
      const types = typesOf(kernel);
      const at = types.indexOf('\0vm_start\0');
      assert.ok(at > 0);
      types.write('vm_begin', at + 1);
      const found = refusals(types, lacks);
      assert.ok(
        found.length > 0 && found.every((line) => line.includes('vm_area_struct.vm_start (field offset): unmatched')),
        kernel,
      );
    }
  });

  it('a member that the program asks for first may go', () => {
    const kernel = table.kernels.find(({ kernel }) => kernel.startsWith('7.3')) as (typeof table.kernels)[number];
    const types = typesOf(kernel.kernel);
    const at = types.indexOf('\0vm_lock_seq\0');
    assert.ok(at > 0);
    types.write('vm_lock_xyz', at + 1);
    assert.deepEqual(refusals(types, kernel.lacks), []);
  });
});
