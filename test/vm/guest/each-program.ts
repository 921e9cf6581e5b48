// SPDX-License-Identifier: MIT
/**
 * In a guest: loads every program of the object by itself, with everything on that a session may ask for, and prints a
 * line of JSON for each: {"program":NAME,"ok":true} or {"program":NAME,"ok":false,"absent":BOOL,"why":TEXT}.
 * `absent`: this kernel has no such function, so no plan would choose the program.
 */
import { BpfError, BpfObject, Btf } from 'ebpf-ts';
import { HOOKS } from '../../../src/live/hooks.js';
import { OBJECT } from '../../../src/live/kernel.js';
import { hookOf } from '../../../src/live/program-names.js';
import { VlScope } from '../../../src/schema/events.gen.js';

const btf = Btf.vmlinux();
const cpus = 4;
const ON: Readonly<Record<string, number>> = {
  scope: VlScope.ALL,
  standby: 1,
  cpu_rows: cpus,
  track_start: 1,
  observe_release: 1,
  flor_takes_vmf: 1,
  stack_kernel: 1,
  stack_user: 1,
  observe_mm: 1,
  mm_tp_path: btf.tracepointArguments('mmap_lock_acquire_returned') === 4 ? 1 : 0,
  filtered: 1,
  filter_tgid: 1,
  filter_tid: 1,
  filter_comm: 1,
  mm_queue: 1,
  mm_fired: 1,
  sample_every: 256,
  anon_prepare_lo: 1,
  anon_prepare_hi: 2,
  hmf_lo: 1,
  hmf_hi: 2,
  filemap_map_pages: 1,
};

function absent(program: string): boolean {
  const target = hookOf(program);
  if (target === '') return false; // run by us, on no hook
  const hook = HOOKS.find((it) => it.target === target);
  return hook?.tracepoint === true ? btf.tracepointArguments(target) === null : !btf.hasFunc(target);
}

const names = BpfObject.open(OBJECT);
const programs = [...names.programs.keys()];
names.close();
for (const program of programs) {
  const object = BpfObject.open(OBJECT);
  try {
    for (const it of object.programs.values()) it.setAutoload(it.name === program);
    object.map('events').setMaxEntries(1 << 20);
    object.map('cpus').setMaxEntries(2 * cpus);
    for (const [name, value] of Object.entries(ON)) object.setGlobal('.rodata', name, value);
    object.load();
    console.log(JSON.stringify({ program, ok: true }));
  } catch (error) {
    const log = error instanceof BpfError ? error.log.trimEnd().split('\n').slice(-12).join('\n') : '';
    console.log(JSON.stringify({ program, ok: false, absent: absent(program), why: `${String(error)}\n${log}` }));
  } finally {
    object.close();
  }
}
