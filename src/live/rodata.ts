// SPDX-License-Identifier: MIT
/** The constants of the BPF object (bpf/rodata.bpf.h): what a session wants, written before its programs are loaded. */

import { type BpfObject, type Btf, pageSize } from 'ebpf-ts';
import { MMAP_SLOW_PATH } from '../core/aggregate/mmap-lock.js';
import { retryBits } from '../core/events/fault-bits.js';
import { isHooked, type ReleaseMode } from '../core/events/session.js';
import { layoutOf } from '../core/vocabulary/arch.js';
import { VlScope } from '../schema/events.gen.js';
import type { SymbolRange } from '../symbols/kallsyms.js';
import type { KernelAddresses } from './addresses.js';
import type { AttachPlan } from './attach-plan.js';
import type { HostFacts } from './host.js';
import type { FollowedCgroup } from './names/find-cgroups.js';
import { isFiltered, type LiveOptions } from './options.js';
import { isStandby, LEARN_OWN_PIDS, programName } from './program-names.js';

export interface HostContext {
  readonly facts: HostFacts;
  readonly btf: Btf;
  readonly release: ReleaseMode;
  readonly trackStart: boolean;
  readonly plan: AttachPlan;
  readonly cpus: number;
  readonly addresses: KernelAddresses;
  /** What the session is to follow; empty: everything. */
  readonly cgroups: readonly FollowedCgroup[];
  /** What of the cgroup hierarchy their paths begin at (`CgroupOptions`). */
  readonly mounted: string;
}

/** Scope retry follows one in so many of the ordinary swap faults, a power of two: their VMAs, addresses and steps stay known. */
const SAMPLE_EVERY = 256;
/** And each that took as long as this, in ns. */
const SLOW_NS = 1_000_000;

/** Numbers of include/uapi/linux/bpf.h: libbpf knows no session before 1.5. */
const BPF_PROG_TYPE_KPROBE = 2;
const BPF_TRACE_KPROBE_SESSION = 56;

/** What came with the move of FMODE_BACKING from bit 25 to 24, in 6.14 and in Debian's 6.12.118: one of these in each. */
const SINCE_BACKING_MOVED = [
  'file_set_fsnotify_mode',
  'file_set_fsnotify_mode_from_watchers',
  'fsnotify_open_perm_and_set_mode',
];

/** FMODE_BACKING (include/linux/fs.h), a #define, so no type names it: told by functions, for releases take changes of later ones. */
export function backingBit(kernel: { major: number; minor: number }, hasFunction: (name: string) => boolean): number {
  const moved = kernel.major > 6 || kernel.minor >= 14 || SINCE_BACKING_MOVED.some(hasFunction);
  return moved ? 1 << 24 : 1 << 25;
}

type Setter = (name: string, value: number | bigint) => void;

function hasStandby(plan: AttachPlan): boolean {
  return plan.programs.some(({ program }) => isStandby(program));
}

/** Rows of the `cpus` map: one a CPU, and one more a CPU for the second program. */
export function rowsOf(plan: AttachPlan, cpus: number): number {
  return hasStandby(plan) ? 2 * cpus : cpus;
}

/** Chooses programs and map sizes of an opened object and sets its constants. */
export function configure(object: BpfObject, options: LiveOptions, around: HostContext): void {
  const { plan, release, trackStart, cpus, facts } = around;
  const set: Setter = (name, value) => object.setGlobal('.rodata', name, value);
  const { pid } = facts.namespaces;
  const wanted = new Set(plan.programs.map(({ program }) => program));
  if (pid.initial !== true || around.cgroups.length > 0) wanted.add(LEARN_OWN_PIDS);
  for (const program of object.programs.values()) program.setAutoload(wanted.has(program.name));
  for (const { program, declines } of plan.programs)
    if (declines) object.program(program).setType(BPF_PROG_TYPE_KPROBE, BPF_TRACE_KPROBE_SESSION);
  object.map('events').setMaxEntries(options.ringBytes);
  object.map('cpus').setMaxEntries(rowsOf(plan, cpus));
  if (!trackStart) object.map('starts').setMaxEntries(1);
  if (!options.stacks.kernel && !options.stacks.user) object.map('stacks').setMaxEntries(1);
  set('scope', { swap: VlScope.SWAP, retry: VlScope.RETRY, all: VlScope.ALL }[options.scope]);
  set('own_tgid', process.pid);
  set('in_pid_ns', pid.initial === true ? 0 : 1);
  set('ns_below', pid.initial === false ? pid.below : 0);
  set('standby', hasStandby(plan) ? 1 : 0);
  set('cpu_rows', cpus);
  set('track_start', trackStart ? 1 : 0);
  set('min_ns', BigInt(Math.round(options.minUs * 1000)));
  set('sample_every', options.scope === 'retry' ? SAMPLE_EVERY : 0);
  set('slow_ns', BigInt(options.minUs > 0 ? Math.min(Math.round(options.minUs * 1000), SLOW_NS) : SLOW_NS));
  set('observe_release', release === 'observed' ? 1 : 0);
  set(
    'fmode_backing',
    backingBit(facts.kernel, (name) => around.btf.hasFunc(name)),
  );
  set('flor_takes_vmf', facts.kernel.major > 6 || facts.kernel.minor >= 6 ? 1 : 0);
  set('stack_kernel', options.stacks.kernel ? 1 : 0);
  set('stack_user', options.stacks.user ? 1 : 0);
  set('writer_min_ns', BigInt(Math.round(options.writerMinUs * 1000)));
  set('hold_min_ns', BigInt(Math.round(options.holdMinUs * 1000)));
  set('signal_flags', layoutOf(facts.arch)?.signalFlags(facts.kernel) ?? 0);
  set('page_size', BigInt(pageSize()));
  const faultReasons = around.btf.enumeration('vm_fault_reason') ?? {};
  set('more_retry', retryBits(faultReasons) & ~(faultReasons.VM_FAULT_RETRY ?? 0));
  filters(object, set, options, around.cgroups.length);
  mmapLock(object, set, around);
}

function filters(object: BpfObject, set: Setter, options: LiveOptions, cgroups: number): void {
  const followed = options.follow || options.pids.length > 0;
  if (!followed) object.map('tgids').setMaxEntries(1);
  if (options.tids.length === 0) object.map('tids').setMaxEntries(1);
  set('follow_forks', options.follow ? 1 : 0);
  if (!isFiltered(options)) object.map('followed_mms').setMaxEntries(1);
  set('filtered', isFiltered(options) ? 1 : 0);
  set('filter_cgroup', cgroups);
  set('filter_tgid', followed ? 1 : 0);
  set('filter_tid', options.tids.length > 0 ? 1 : 0);
  if (options.comm === undefined) return;
  const comm = Buffer.alloc(16);
  comm.write(options.comm, 0, 15); // the kernel keeps 15 bytes and a NUL
  set('filter_comm', 1);
  set('comm_lo', comm.readBigUInt64LE(0));
  set('comm_hi', comm.readBigUInt64LE(8));
}

function mmapLock(object: BpfObject, set: Setter, { plan, btf, addresses }: HostContext): void {
  const hooked = (target: string): boolean => isHooked(plan, target);
  const observed = hooked('mmap_lock_acquire_returned') && hooked('mmap_lock_released');
  set('observe_mm', observed ? 1 : 0);
  if (!observed) object.map('lockers').setMaxEntries(1);
  set('mm_queue', hooked(MMAP_SLOW_PATH) && !hooked('mmap_lock_start_locking') ? 1 : 0);
  set(
    'mm_fired',
    plan.programs.some(({ program }) => program === programName('kprobe.multi', 'mmap_lock_acquire_returned')) ? 1 : 0,
  );
  // (mm, path, write, success) until 6.13, (mm, write, success) since.
  set('mm_tp_path', btf.tracepointArguments('mmap_lock_acquire_returned') === 4 ? 1 : 0);
  const range = (found: SymbolRange | null, lo: string, hi: string): void => {
    if (found === null) return;
    set(lo, found.start);
    set(hi, found.end);
  };
  range(addresses.anonPrepare, 'anon_prepare_lo', 'anon_prepare_hi');
  range(addresses.handleMmFault, 'hmf_lo', 'hmf_hi');
  set('filemap_map_pages', addresses.filemapMapPages ?? 0);
}
