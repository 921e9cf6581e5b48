// SPDX-License-Identifier: MIT
/** What the kernel has, by its own words and by its types. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, it } from 'node:test';
import { keepDebug } from '../../src/ffi.js';
import { BpfObject, Btf, checkRelocations, features, MapType, ProgramType, probeHelpers } from '../../src/index.js';
import { file } from './support.js';

describe('what the kernel has', () => {
  it('checkRelocations finds what libbpf finds', () => {
    const path = file('core.bpf.o');
    const report = checkRelocations(path, Btf.vmlinux());
    keepDebug(true);
    using object = BpfObject.open(path);
    object.load();
    keepDebug(false);
    const relo = object.log.split('\n').filter((line) => /prog 'all': relo #\d+: /.test(line));
    const none = relo.filter((line) => line.endsWith('no matching targets found')).length;
    assert.ok(
      relo.length > report.relocations.length,
      `${relo.length} lines, ${report.relocations.length} relocations`,
    );
    assert.equal(report.relocations.filter(({ state }) => state === 'absent' || state === 'unmatched').length, none);
    assert.ok(none >= 5);
  });

  it('features by libbpf, and every type that the kernel has is known', () => {
    const { types, bpf } = features();
    assert.equal(bpf.state, 'supported');
    for (const type of ['Tracing', 'Xdp', 'Kprobe', 'Syscall'] as const)
      assert.equal(types?.programTypes[type], 'supported', type);
    for (const type of ['Ringbuf', 'TaskStorage', 'Hash', 'LpmTrie', 'Queue', 'HashOfMaps', 'UserRingbuf'] as const)
      assert.equal(types?.mapTypes[type], 'supported', type);
    const btf = Btf.vmlinux();
    const known = (table: Readonly<Record<string, number>>, name: string): void => {
      const ids = new Set(Object.values(table));
      for (const [key, id] of Object.entries(btf.enumeration(name) ?? {}))
        if (!/^__|UNSPEC/.test(key)) assert.ok(ids.has(id), `${key} is not in the table`);
    };
    known(MapType, 'bpf_map_type');
    known(ProgramType, 'bpf_prog_type');
    const helpers = probeHelpers(ProgramType.Kprobe, btf);
    assert.ok(Object.keys(helpers).length > 200, String(Object.keys(helpers).length));
    assert.equal(helpers.map_lookup_elem, 'supported');
    assert.equal(helpers.redirect_map, 'unsupported');
    assert.equal(probeHelpers(ProgramType.Xdp, btf).redirect_map, 'supported');
    assert.equal(probeHelpers(ProgramType.Syscall, btf).sys_bpf, 'supported');
  });

  it("types of modules stand on the kernel's", () => {
    const kernel = Btf.vmlinux();
    const names = readdirSync('/sys/kernel/btf').filter((name) => name !== 'vmlinux');
    for (const name of names) Btf.module(name, kernel);
    // The guest's root is an overlay. fs/overlayfs/ovl_entry.h: an inode of the kernel's is a member of ovl_inode.
    const overlay = Btf.module('overlay', kernel);
    assert.ok(overlay.hasFunc('ovl_lookup') && !kernel.hasFunc('ovl_lookup'));
    assert.ok((overlay.struct('ovl_inode')?.size ?? 0) > (kernel.struct('inode')?.size ?? Number.POSITIVE_INFINITY));
    assert.ok(overlay.struct('ovl_inode')?.members.some(({ name }) => name === 'vfs_inode'));
    assert.deepEqual(overlay.struct('task_struct'), kernel.struct('task_struct'));
    assert.throws(() => Btf.module('no-such-module', kernel), { code: 'ERR_BPF_INPUT' });
  });
});
