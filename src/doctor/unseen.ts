// SPDX-License-Identifier: MIT
/** What this user will not see on a host that can be observed: what hangs on more than CAP_BPF and CAP_PERFMON. Pure. */
import { Capability, type HostFacts } from '../live/host.js';

/** A sentence for each, with what takes it away; empty for root on an ordinary host. */
export function unseen(facts: HostFacts): readonly string[] {
  const { capEff, symbolAddresses, traceable } = facts;
  const has = (bit: bigint): boolean => capEff !== null && ((capEff >> bit) & 1n) === 1n;
  const sentences: string[] = [];
  // BPF_ENABLE_STATS, kernel/bpf/syscall.c
  if (!has(Capability.SysAdmin))
    sentences.push(
      'run times of the probes: the kernel measures them only for CAP_SYS_ADMIN; missed runs are still counted',
    );
  // kallsyms_show_value(), kernel/ksyms_common.c
  if (symbolAddresses === false)
    sentences.push(
      "addresses of kernel functions (kernel.kptr_restrict, no CAP_SYSLOG): kernel stacks and file systems' fault handlers " +
        'stay numbers, and a cause or a wait that only a stack shows (no anon_vma, reclaim in a fault) may be unknown',
    );
  if (traceable.names === null)
    sentences.push(
      `which functions can be traced (available_filter_functions: ${traceable.error}): hooks are chosen from BTF, and ` +
        'an optional hook that the kernel refuses is left out and reported',
    );
  // ptrace_may_access(PTRACE_MODE_READ) of another user's /proc/PID/maps
  if (!has(Capability.SysPtrace) && !has(Capability.SysAdmin))
    sentences.push("names in user stacks of other users' processes: /proc/PID/maps takes CAP_SYS_PTRACE");
  return sentences;
}
