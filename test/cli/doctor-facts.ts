// SPDX-License-Identifier: MIT
/** What doctor finds on a host where all is well, and what of it may be wanting. */
import type { BpfProbe, Diagnosis } from '../../src/doctor/diagnosis.js';
import { HOOKS } from '../../src/live/hooks.js';
import { type HostFacts, parseKernelRelease } from '../../src/live/host.js';

export const names: Set<string> = new Set(HOOKS.flatMap(({ target }) => [target, `__traceiter_${target}`]));
export const ROOT: HostFacts = {
  kernel: parseKernelRelease('6.12.95+deb12-amd64'),
  arch: 'x64',
  btf: true,
  capEff: 0x1ffffffffffn,
  initialUserNamespace: true,
  namespaces: { pid: { initial: true }, monotonicAheadNs: 0n },
  seccomp: 0,
  lockdown: 'none',
  lsm: ['lockdown', 'capability'],
  memlock: 8 * 2 ** 20,
  unprivilegedBpfDisabled: 2,
  preemption: 'voluntary',
  traceable: { names: new Set([...names, 'up_read']), error: null },
  symbols: { names: new Set([...names, 'up_read']), error: null },
  symbolAddresses: true,
};
export const PERMITTED: BpfProbe = { state: 'yes', errno: '', libbpf: '1.1', detail: '', remedy: '' };
export const REFUSED: BpfProbe = { ...PERMITTED, state: 'no', errno: 'EPERM' };
export const NOT_LISTED: HostFacts['traceable'] = { names: null, error: 'ENOENT' };

export function without(...gone: readonly string[]): Partial<HostFacts> {
  const left = new Set([...names].filter((name) => !gone.includes(name)));
  return { traceable: { names: left, error: null }, symbols: { names: left, error: null } };
}

export function hook(diagnosis: Diagnosis, target: string): string {
  return diagnosis.hooks.find((row) => row.target === target)?.state ?? 'not in the table';
}
