// SPDX-License-Identifier: MIT
/** Asks libbpf and the kernel what cannot be read anywhere: whether bpf() takes the program that every scope needs. */
import type { HostFacts } from '../live/host.js';
import type { BpfProbe, ProgramsCheck } from './diagnosis.js';

/** Loads that program and lets it go; attaches nothing; never throws. */
export async function probeBpf(): Promise<BpfProbe> {
  let libbpf: string | null = null;
  try {
    // Loaded here and not above: a machine without koffi's binary or libbpf shall still get a diagnosis.
    const { BpfError, errnoName, libbpfVersion } = await import('ebpf-ts');
    libbpf = String(libbpfVersion());
    const { probeObservation } = await import('../live/kernel.js');
    const refusal = probeObservation();
    if (refusal === null) return { state: 'yes', errno: '', libbpf, detail: '', remedy: '' };
    const errno = refusal.cause instanceof BpfError ? refusal.cause.errno : 0;
    const { message: detail, remedy } = refusal;
    return { state: 'no', errno: errno === 0 ? '' : errnoName(errno), libbpf, detail, remedy };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { state: 'unknown', errno: '', libbpf, detail, remedy: '' };
  }
}

/** Loads every program that a session may load, where one is taken at all; null where that makes no sense. */
export async function probePrograms(facts: HostFacts, bpf: BpfProbe): Promise<ProgramsCheck | null> {
  const { major, minor } = facts.kernel;
  const hopeless = bpf.state !== 'yes' && ['EPERM', ''].includes(bpf.errno);
  if (hopeless || !facts.btf || major < 6 || (major === 6 && minor < 4)) return null;
  const { tryPrograms } = await import('./programs.js');
  return tryPrograms(facts);
}
