// SPDX-License-Identifier: MIT
/** What of this host decides which programs a session has: the kernel's abilities, and what follows from options. */
import type { Btf } from 'ebpf-ts';
import type { ReleaseMode } from '../core/events/session.js';
import type { KernelAddresses } from './addresses.js';
import type { KernelAbility, Wishes } from './attach-plan.js';
import type { HostFacts } from './host.js';
import { isFiltered, type LiveOptions } from './options.js';

export function abilityOf(facts: HostFacts, btf: Btf): KernelAbility {
  return {
    major: facts.kernel.major,
    minor: facts.kernel.minor,
    fprobe: btf.hasFunc('register_fprobe_ips') || btf.hasFunc('register_fprobe'),
    traceable: (target) => facts.traceable.names?.has(target) ?? null,
    described: (target) => btf.hasFunc(target),
    mmOwner: btf.hasMember('mm_struct', 'owner'),
    tracepoint: (target) => btf.tracepointArguments(target) !== null,
  };
}

/** Whether the start of every fault is noted. */
export function tracksStart(options: LiveOptions): boolean {
  return options.scope === 'all' || options.minUs > 0;
}

export function wishesOf(
  options: LiveOptions,
  facts: HostFacts,
  release: ReleaseMode,
  addresses: KernelAddresses,
): Wishes {
  const preempted = facts.preemption !== 'none' && facts.preemption !== 'voluntary';
  return {
    start: tracksStart(options),
    exact: options.release === 'observed' || options.release === 'best',
    anonPrepare: addresses.anonPrepare === null,
    observed: release === 'observed',
    filter: isFiltered(options),
    retry: options.scope !== 'swap',
    writers: options.writers,
    // Where its program was preempted a trampoline runs none for the task that comes next: 4 % to 6 % of a storm's swap faults.
    lean: !preempted,
    // In scope swap what an ordinary fault pays counts for more than what is missed: it is witnessed otherwise.
    standby: options.scope !== 'swap' && preempted,
    without: new Set(options.without),
  };
}
