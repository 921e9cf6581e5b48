// SPDX-License-Identifier: MIT
/** Asks libbpf and the kernel what cannot be read anywhere: whether bpf() is permitted. */
import type { BpfProbe } from './doctor.js';
import { BpfError, features } from './ebpf-ts/index.js';

/** Loads libbpf; never throws. */
export async function probeBpf(): Promise<BpfProbe> {
  try {
    const found = await features();
    return {
      state: found.bpf.state === 'supported' ? 'yes' : found.bpf.state === 'unsupported' ? 'no' : 'unknown',
      errno: found.bpf.errno ?? '',
      libbpf: found.libbpf.version ?? null,
      detail: found.bpf.reason,
    };
  } catch (error) {
    const detail = error instanceof BpfError ? error.message : String(error);
    return { state: 'unknown', errno: '', libbpf: null, detail };
  }
}
