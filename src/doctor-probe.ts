// SPDX-License-Identifier: MIT
/** Asks libbpf and the kernel what cannot be read anywhere: whether bpf() is permitted. */
import type { BpfProbe } from './doctor.js';

/** Loads libbpf and one two-instruction program, attached to nothing; never throws. */
export async function probeBpf(): Promise<BpfProbe> {
  let libbpf: string | null = null;
  try {
    // Loaded here and not above: a machine without koffi's binary or libbpf shall still get a diagnosis.
    const { errnoName, libbpfVersion, probeTracing } = await import('./ebpf-ts/index.js');
    libbpf = String(libbpfVersion());
    const errno = probeTracing();
    return errno === 0
      ? { state: 'yes', errno: '', libbpf, detail: '' }
      : { state: 'no', errno: errnoName(errno), libbpf, detail: '' };
  } catch (error) {
    return { state: 'unknown', errno: '', libbpf, detail: error instanceof Error ? error.message : String(error) };
  }
}
