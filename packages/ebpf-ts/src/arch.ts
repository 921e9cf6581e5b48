// SPDX-License-Identifier: MIT
/** What differs between the architectures this binding runs on. */

export interface Syscalls {
  readonly bpf: number;
  readonly capset: number;
  readonly perfEventOpen: number;
  readonly pidfdOpen: number;
  readonly membarrier: number;
  readonly mlock2: number;
}

/** arch/x86/entry/syscalls/syscall_64.tbl; include/uapi/asm-generic/unistd.h (arm64). */
const TABLE: Readonly<Record<string, Syscalls>> = {
  x64: { bpf: 321, capset: 126, perfEventOpen: 298, pidfdOpen: 434, membarrier: 324, mlock2: 325 },
  arm64: { bpf: 280, capset: 91, perfEventOpen: 241, pidfdOpen: 434, membarrier: 283, mlock2: 284 },
};

/** -1 where the architecture is not known: the kernel answers ENOSYS. */
export const SYSCALLS: Syscalls = TABLE[process.arch] ?? {
  bpf: -1,
  capset: -1,
  perfEventOpen: -1,
  pidfdOpen: -1,
  membarrier: -1,
  mlock2: -1,
};
