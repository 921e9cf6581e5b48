// SPDX-License-Identifier: MIT
/** What a host has and lacks that observing needs, one check a fact. Pure: facts in, words out. */
import { pidWords } from '../core/events/session.js';
import { Capability, type HostFacts } from '../live/host.js';
import type { BpfProbe, Check, State } from './diagnosis.js';

/** Per-VMA locks came with 6.4 (lock_vma_under_rcu); a kernel can still be built without CONFIG_PER_VMA_LOCK. */
export function perVmaLocks(facts: HostFacts): Check {
  const { kernel, symbols } = facts;
  const check = (state: State, detail: string): Check => ({
    id: 'per-vma-locks',
    title: 'per-VMA locks',
    state,
    detail,
  });
  if (kernel.major < 6 || (kernel.major === 6 && kernel.minor < 4)) {
    return check('no', `kernel ${kernel.major}.${kernel.minor} has no per-VMA locks (they came with 6.4)`);
  }
  if (symbols.names === null) return check('unknown', `/proc/kallsyms: ${symbols.error}`);
  if (symbols.names.has('lock_vma_under_rcu')) return check('yes', 'this kernel has lock_vma_under_rcu');
  return check('no', 'this kernel was built without CONFIG_PER_VMA_LOCK (no lock_vma_under_rcu)');
}

export function capabilities({ capEff }: HostFacts): Check {
  const check = (state: State, detail: string): Check => ({ id: 'capabilities', title: 'capabilities', state, detail });
  if (capEff === null) return check('unknown', '/proc/self/status does not say');
  const has = (bit: bigint): boolean => ((capEff >> bit) & 1n) === 1n;
  if (has(Capability.SysAdmin)) return check('yes', 'CAP_SYS_ADMIN');
  if (has(Capability.Bpf) && has(Capability.Perfmon)) return check('yes', 'CAP_BPF and CAP_PERFMON');
  return check('no', 'neither CAP_SYS_ADMIN nor CAP_BPF with CAP_PERFMON');
}

function lockdownCheck({ lockdown }: HostFacts): Check {
  const title = 'lockdown';
  if (lockdown === null)
    return { id: title, title, state: 'unknown', detail: 'not known (securityfs not mounted, or kernel without it)' };
  return { id: title, title, state: lockdown === 'confidentiality' ? 'no' : 'yes', detail: lockdown };
}

export function pidCheck({ namespaces: { pid } }: HostFacts): Check {
  const check = (state: State, detail: string): Check => ({
    id: 'pid-namespace',
    title: 'PID namespace',
    state,
    detail,
  });
  if (pid.initial === null) return check('unknown', `${pid.error}: whose pids are shown is not known`);
  if (pid.initial) return check('yes', 'the initial one');
  return check('yes', `not the initial one: ${pidWords({ pidNamespace: true })}`);
}

function timeCheck({ namespaces: { monotonicAheadNs } }: HostFacts): Check {
  const seconds = Number(monotonicAheadNs) / 1e9;
  const detail =
    seconds === 0
      ? "its monotonic clock is the kernel's"
      : `its monotonic clock is ${seconds} s ahead of the kernel's; times are corrected`;
  return { id: 'time-namespace', title: 'time namespace', state: 'yes', detail };
}

/** What `stayResident` will be permitted: with neither, the tool works all the same until memory is short. */
function residencyCheck({ capEff, memlock }: HostFacts): Check {
  const check = (state: State, detail: string): Check => ({
    id: 'stays-in-memory',
    title: 'stays in memory',
    state,
    detail,
  });
  if (capEff === null || memlock === null) return check('unknown', '/proc/self does not say');
  const has = (bit: bigint): boolean => ((capEff >> bit) & 1n) === 1n;
  const locks = has(Capability.IpcLock) || memlock === Number.POSITIVE_INFINITY;
  const wanting = [
    ...(locks ? [] : ['vmalocktop may be paged out (without CAP_IPC_LOCK, or an unlimited RLIMIT_MEMLOCK)']),
    ...(has(Capability.SysResource)
      ? []
      : ['the OOM killer treats it like any other process (without CAP_SYS_RESOURCE)']),
  ];
  if (wanting.length > 0) return check('no', wanting.join('; '));
  return check('yes', 'vmalocktop is locked in memory, and the OOM killer chooses others first');
}

export function hostChecks(facts: HostFacts, bpf: BpfProbe): readonly Check[] {
  const { traceable } = facts;
  return [
    { id: 'kernel', title: 'kernel', state: 'yes', detail: `${facts.kernel.release} ${facts.arch}` },
    perVmaLocks(facts),
    {
      id: 'btf',
      title: 'BTF',
      state: facts.btf ? 'yes' : 'no',
      detail: facts.btf ? '/sys/kernel/btf/vmlinux' : 'no /sys/kernel/btf/vmlinux (CONFIG_DEBUG_INFO_BTF)',
    },
    { id: 'libbpf', title: 'libbpf', state: bpf.libbpf === null ? 'no' : 'yes', detail: bpf.libbpf ?? bpf.detail },
    capabilities(facts),
    pidCheck(facts),
    timeCheck(facts),
    lockdownCheck(facts),
    residencyCheck(facts),
    {
      id: 'lsm',
      title: 'security modules',
      state: facts.lsm === null ? 'unknown' : 'yes',
      detail: facts.lsm?.join(', ') ?? 'not known (securityfs not mounted)',
    },
    {
      id: 'bpf',
      title: 'bpf()',
      state: bpf.state,
      detail:
        bpf.state === 'yes' ? 'permitted' : bpf.state === 'no' ? `refused: ${bpf.errno || bpf.detail}` : bpf.detail,
    },
    {
      id: 'traceable',
      title: 'traceable list',
      state: traceable.names === null ? 'unknown' : 'yes',
      detail:
        traceable.names === null
          ? `available_filter_functions: ${traceable.error}`
          : `${traceable.names.size} functions`,
    },
    {
      id: 'preemption',
      title: 'preemption',
      state: facts.preemption === 'unknown' ? 'unknown' : 'yes',
      detail: facts.preemption,
    },
  ];
}
