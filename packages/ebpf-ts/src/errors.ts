// SPDX-License-Identifier: MIT
/** The one error this binding throws: what failed, why, what to do; with the errno and the kernel's own words. */
import { constants } from 'node:os';

export interface BpfErrorParts {
  /** What failed, e.g. `load program on_fault`. */
  readonly what: string;
  readonly why: string;
  /** What to do about it; empty when there is nothing to advise. */
  readonly remedy: string;
  /** Positive errno, 0 when no system call failed. */
  readonly errno?: number;
  /** Verifier log and libbpf's messages, whole as far as they were kept; empty when there were none. */
  readonly log?: string;
}

export class BpfError extends Error {
  readonly what: string;
  readonly why: string;
  readonly remedy: string;
  readonly errno: number;
  readonly log: string;

  constructor(parts: BpfErrorParts, options?: { cause?: unknown }) {
    super(`${parts.what}: ${parts.why}`, options);
    this.name = 'BpfError';
    this.what = parts.what;
    this.why = parts.why;
    this.remedy = parts.remedy;
    this.errno = parts.errno ?? 0;
    this.log = parts.log ?? '';
  }
}

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(constants.errno).map(([name, value]): [number, string] => [value, name]),
);

/** `EPERM` for 1; `errno 524` for a number user space has no name for (kernel-internal ones such as ENOTSUPP). */
export function errnoName(errno: number): string {
  return NAMES.get(errno) ?? (errno === ENOTSUPP ? 'ENOTSUPP' : `errno ${errno}`);
}

/** include/linux/errno.h: never meant for user space, yet what bpf() answers for attach types it lacks. */
const ENOTSUPP = 524;

/** What an errno of bpf() means to somebody who traces the kernel. */
const MEANINGS: Readonly<Record<number, readonly [why: string, remedy: string]>> = {
  [constants.errno.EPERM]: [
    'the kernel does not permit it (EPERM)',
    'run as root or with CAP_BPF and CAP_PERFMON; under lockdown or an LSM policy root is refused too: use a host that allows tracing',
  ],
  [constants.errno.EACCES]: [
    'the verifier or a policy refused it (EACCES)',
    'read the verifier log; if it is empty, look for an LSM policy (SELinux, AppArmor) that denies bpf()',
  ],
  [constants.errno.ENOENT]: [
    'no such function, type or map here (ENOENT)',
    'check that this kernel has the symbol: /sys/kernel/tracing/available_filter_functions',
  ],
  [constants.errno.ESRCH]: [
    'a function is missing in this kernel (ESRCH)',
    'leave the program out on this kernel: its target is not in /sys/kernel/btf/vmlinux or cannot be traced',
  ],
  [constants.errno.EINVAL]: [
    'the kernel does not know this request (EINVAL)',
    'the kernel may be too old for this program or attach type; the verifier log says more if the program itself is at fault',
  ],
  [constants.errno.E2BIG]: [
    'too large for this kernel (E2BIG)',
    'make the program or the map smaller, or use a newer kernel',
  ],
  [constants.errno.ENOSPC]: [
    'no room (ENOSPC): a full map, or a log buffer that is too small',
    "raise the map's max entries",
  ],
  [constants.errno.ENOMEM]: [
    'no memory (ENOMEM)',
    'make maps smaller; on kernels before 5.11 raise RLIMIT_MEMLOCK (`ulimit -l unlimited`)',
  ],
  [constants.errno.EBUSY]: ['in use by somebody else (EBUSY)', 'another tracer holds this hook: end it and try again'],
  [constants.errno.ENOSYS]: ['this kernel has no bpf() (ENOSYS)', 'use a kernel built with CONFIG_BPF_SYSCALL'],
  [ENOTSUPP]: ['this kernel cannot do it (ENOTSUPP)', 'the kernel lacks this attach type on this architecture'],
  [constants.errno.EOPNOTSUPP]: [
    'this kernel cannot do it (EOPNOTSUPP)',
    'the kernel was built without this feature (CONFIG_FPROBE, CONFIG_BPF_EVENTS …)',
  ],
};

/** A `BpfError` for a failed call; `why` and `remedy` come from the errno unless given. */
export function errnoError(
  what: string,
  errno: number,
  more: { log?: string; why?: string; remedy?: string } = {},
): BpfError {
  const [why, remedy] = MEANINGS[errno] ?? [errnoName(errno), ''];
  return new BpfError({ what, why: more.why ?? why, remedy: more.remedy ?? remedy, errno, log: more.log ?? '' });
}
