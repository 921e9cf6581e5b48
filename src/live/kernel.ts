// SPDX-License-Identifier: MIT
/** What this kernel is asked before anything is attached: its BTF, its enums, whether it takes our programs at all. */
import { readFileSync } from 'node:fs';
import { BpfObject, Btf } from 'ebpf-ts';
import type { KernelEnums, ReleaseMode } from '../core/events/session.js';
import { archName, layoutOf } from '../core/vocabulary/arch.js';
import { asUserError, ExitCode, UserError } from '../errors.js';
import { resource } from '../resources.js';
import { planRelease } from './hooks.js';
import type { HostFacts } from './host.js';
import type { ReleaseWish } from './options.js';
import { programName } from './program-names.js';

/** The compiled programs, for the registers of this architecture. */
export const OBJECT: string = resource(
  archName(process.arch) === 'aarch64' ? 'dist/bpf/vmalocktop.arm64.bpf.o' : 'dist/bpf/vmalocktop.bpf.o',
);

/** The reason why tracing programs are refused here, or null: loads (never attaches) the program every scope needs. */
export function probeObservation(): UserError | null {
  try {
    const object = BpfObject.open(OBJECT);
    try {
      for (const program of object.programs.values())
        program.setAutoload(program.name === programName('fexit', 'handle_mm_fault'));
      object.load();
    } finally {
      object.close();
    }
    return null;
  } catch (error) {
    const refusal = asUserError(error);
    if (refusal === null) throw error;
    return refusal;
  }
}

export function cannot(what: string, why: string, remedy: string, cause?: unknown): UserError {
  return new UserError(what, why, remedy, ExitCode.CannotObserve, { cause });
}

export function kernelBtf(facts: HostFacts): Btf {
  if (layoutOf(facts.arch) === null)
    throw cannot('observe page faults', `${facts.arch} is not supported yet`, 'use an x86-64 or arm64 host');
  const { major, minor, release } = facts.kernel;
  if (archName(facts.arch) === 'aarch64' && (major < 6 || (major === 6 && minor < 12)))
    throw cannot(
      'observe page faults',
      `on arm64 kernel ${release} is too old: its PTEs have another layout`,
      'use 6.12 or later',
    );
  if (!facts.btf)
    throw cannot(
      'read /sys/kernel/btf/vmlinux',
      'this kernel has no BTF',
      'use a kernel built with CONFIG_DEBUG_INFO_BTF',
    );
  return Btf.vmlinux();
}

export function kernelEnums(btf: Btf, facts: HostFacts): KernelEnums {
  const faultFlags = btf.enumeration('fault_flag') ?? {};
  const faultReasons = btf.enumeration('vm_fault_reason') ?? {};
  if (!('FAULT_FLAG_VMA_LOCK' in faultFlags))
    throw cannot(
      `observe kernel ${facts.kernel.release}`,
      'it has no per-VMA locks (they came with 6.4)',
      'use a kernel from 6.4 on; 6.12, 7.2 and 7.3 are tested',
    );
  return { faultFlags, faultReasons };
}

export function chooseRelease(wished: ReleaseWish, facts: HostFacts): ReleaseMode {
  if (wished === 'auto' || wished === 'derived') return 'derived';
  const plan = planRelease(facts.kernel.major, facts.kernel.minor, facts.traceable.names);
  if (wished === 'best' && plan.target !== 'up_read') return 'derived';
  if (plan.target !== 'up_read')
    throw cannot(
      'observe releases of VMA locks',
      plan.why,
      'leave --release out: releases are derived, with intervals',
    );
  return 'observed';
}

export function possibleCpus(): number {
  const text = readFileSync('/sys/devices/system/cpu/possible', 'utf8').trim();
  return Number(text.split(/[-,]/).at(-1)) + 1;
}
