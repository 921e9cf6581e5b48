// SPDX-License-Identifier: MIT
/** What this binding throws: what failed, why, what to do; with the errno and the kernel's own words. */
import { constants } from 'node:os';
import { say } from './words.js';

export interface BpfErrorParts {
  /** What failed, e.g. `load program on_read`. */
  readonly what: string;
  readonly why: string;
  /** What to do about it; empty when there is nothing to advise. */
  readonly remedy: string;
  /** Positive errno, 0 when no system call failed. */
  readonly errno?: number;
  /** See `BpfError.code`; the errno's name unless given. */
  readonly code?: string;
  /** Verifier log and libbpf's messages, whole as far as they were kept; empty when there were none. */
  readonly log?: string;
}

/**
 * `code` is the errno's name when the kernel refused (`EPERM`), and otherwise one of
 *   `ERR_BPF_CLOSED` a handle was used after `close()`; `ERR_BPF_STATE` too early or too late (before or after load);
 *   `ERR_BPF_SIZE`, `ERR_BPF_TYPE`, `ERR_BPF_RANGE` an argument is not what the map or program takes;
 *   `ERR_BPF_NAME` the object has nothing of that name; `ERR_BPF_INPUT` bytes are no ELF, no BTF, no BPF object;
 *   `ERR_BPF` anything else.
 */
export class BpfError extends Error {
  readonly what: string;
  readonly why: string;
  readonly remedy: string;
  readonly errno: number;
  readonly code: string;
  readonly log: string;

  constructor(parts: BpfErrorParts, options?: { cause?: unknown }) {
    super(say`${parts.what}: ${parts.why}`, options);
    this.name = 'BpfError';
    this.what = parts.what;
    this.why = parts.why;
    this.remedy = parts.remedy;
    this.errno = parts.errno ?? 0;
    this.code = parts.code ?? (this.errno > 0 ? errnoName(this.errno) : 'ERR_BPF');
    this.log = parts.log ?? '';
  }
}

/** The verifier refused a program. `log` holds its whole log, `lastLines` what it said last. */
export class VerifierError extends BpfError {
  readonly program: string;
  /** The last ten lines, or from 7.3 on the kernel's explanation (40 at most); oldest first, without the statistics at the end. */
  readonly lastLines: readonly string[];

  constructor(parts: BpfErrorParts & { readonly program: string; readonly lastLines: readonly string[] }) {
    super(parts);
    this.program = parts.program;
    this.lastLines = parts.lastLines;
  }
}

/** A call that cannot be right, found before anything was done. */
export function misuse(code: string, what: string, why: string, remedy: string = ''): BpfError {
  return new BpfError({ what, why, remedy, code });
}

/** The C library's second names for EAGAIN and EOPNOTSUPP; the kernel has one for each. */
const SECOND_NAMES: ReadonlySet<string> = new Set(['EWOULDBLOCK', 'ENOTSUP']);
const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(constants.errno)
    .filter(([name]) => !SECOND_NAMES.has(name))
    .map(([name, value]): [number, string] => [value, name]),
);

/** `EPERM` for 1; `errno 524` for a number user space has no name for (kernel-internal ones such as ENOTSUPP). */
export function errnoName(errno: number): string {
  return NAMES.get(errno) ?? (errno === ENOTSUPP ? 'ENOTSUPP' : say`errno ${errno}`);
}

/** include/linux/errno.h: never meant for user space, yet what bpf() answers for attach types it lacks. */
const ENOTSUPP = 524;

/** What an errno of bpf() means to somebody who traces the kernel. */
const MEANINGS: Readonly<Record<number, readonly [why: string, remedy: string]>> = {
  [constants.errno.EPERM]: [
    'the kernel does not permit it (EPERM)',
    'run as root or with CAP_BPF and CAP_PERFMON (networking: CAP_NET_ADMIN); under lockdown or an LSM policy root is refused too, and no program can change that',
  ],
  [constants.errno.EACCES]: [
    'the verifier or a policy refused it (EACCES)',
    'read the verifier log; if it is empty, look for an LSM policy (SELinux, AppArmor) that denies bpf()',
  ],
  [constants.errno.ENOENT]: [
    'no such function, type or map here (ENOENT)',
    'check that this kernel has it: functions are in /sys/kernel/tracing/available_filter_functions, events in /sys/kernel/tracing/events',
  ],
  [constants.errno.ESRCH]: [
    'a function is missing in this kernel (ESRCH)',
    'leave the program out on this kernel (setAutoload(false)): its target is not in /sys/kernel/btf/vmlinux or cannot be traced',
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
    "raise the map's max entries (setMaxEntries before load)",
  ],
  [constants.errno.ENOMEM]: [
    'no memory (ENOMEM)',
    'make maps smaller; on kernels before 5.11 raise RLIMIT_MEMLOCK (`ulimit -l unlimited`)',
  ],
  [constants.errno.EAGAIN]: [
    'interrupted by a signal each time it was tried (EAGAIN)',
    'try again; a profiler or a timer keeps sending signals to this thread',
  ],
  [constants.errno.EBUSY]: [
    'in use already (EBUSY)',
    'something else holds this hook or map: `bpftool link` and `bpftool map` say what',
  ],
  [constants.errno.EEXIST]: ['there already (EEXIST)', 'remove it first, or ask for it to be replaced'],
  [constants.errno.EBADF]: [
    'the descriptor is not, or no longer, of the right kind (EBADF)',
    'do not close descriptors this library gave',
  ],
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
  given: { log?: string; why?: string; remedy?: string } = {},
): BpfError {
  const more = typeof given === 'object' ? (given ?? {}) : {};
  const number = Number.isInteger(errno) ? errno : 0;
  const [why, remedy] = MEANINGS[number] ?? [errnoName(errno), ''];
  const { log = '' } = more;
  return new BpfError({ what, why: more.why ?? why, remedy: more.remedy ?? remedy, errno: number, log });
}

/** Runs calls of node:fs; what they throw becomes a `BpfError` of that errno. */
export function ofFiles<T>(what: string, call: () => T): T {
  try {
    return call();
  } catch (cause) {
    const { errno, path, message } = cause as NodeJS.ErrnoException;
    if (cause instanceof BpfError || typeof errno !== 'number') throw cause;
    const name = errnoName(-errno);
    const why = path === undefined ? message : `${path}: ${name}`;
    throw new BpfError({ what, why, remedy: '', errno: -errno, code: name }, { cause });
  }
}

/** How many of the verifier's last lines an error carries beside the whole log. */
const LAST_LINES = 10;

/** The error for a failed load: the verifier's, when libbpf's log has a verifier log in it. `log` is libbpf's, whole. */
export function loadError(what: string, errno: number, log: string): BpfError {
  const failed = /prog '([^']+)': BPF program load failed/.exec(log);
  const begin = log.indexOf('-- BEGIN PROG LOAD LOG --');
  if (errno === constants.errno.EAGAIN) return errnoError(what, errno, { log }); // given up, not refused
  if (failed === null || begin < 0) return errnoError(what, errno, { log, ...lastMessage(errno, log) });
  const end = log.indexOf('-- END PROG LOAD LOG --', begin);
  const said = log
    .slice(begin, end < 0 ? undefined : end)
    .split('\n')
    .slice(1)
    .filter((line) => line !== '' && !/^(processed |verification time|stack depth|mark_precise|libbpf: )/.test(line));
  const program = failed[1] ?? '';
  // From 7.3 on kernel/bpf/diagnostics.c explains at length: what it begins with is the heading, and nothing before it matters.
  const explained = said.findLastIndex((line) => line.startsWith(EXPLAINED));
  const lastLines = explained < 0 ? said.slice(-LAST_LINES) : said.slice(explained, explained + MOST_LINES);
  const cause =
    explained < 0 ? lastLines.at(-1) : (under(lastLines, 'Reason') ?? lastLines[0]?.slice(EXPLAINED.length).trim());
  const why = `the verifier refused ${program}: ${cause ?? errnoName(errno)}`;
  const remedy =
    verifierRemedy(lastLines) ?? under(lastLines, 'Suggestion') ?? "read the verifier's log, in `log`, from its end";
  return new VerifierError({ what, why, remedy, errno, log, program, lastLines });
}

const EXPLAINED = 'Verification failed:';
const MOST_LINES = 40;

/** What an explanation says under a heading, which stands on a line of its own or before it. */
function under(lines: readonly string[], heading: string): string | undefined {
  const at = lines.findIndex((line) => line.trimStart().startsWith(`${heading}:`));
  const same = lines[at]
    ?.trim()
    .slice(heading.length + 1)
    .trim();
  return at < 0 ? undefined : same || lines[at + 1]?.trim();
}

/** What commonly stands behind words of kernel/bpf/verifier.c. */
const VERIFIER_REMEDIES: readonly (readonly [words: RegExp, remedy: string])[] = [
  [
    /invalid func unknown#195896080|failed to resolve CO-RE relocation/,
    'a CO-RE relocation found nothing in this kernel: guard it with bpf_core_field_exists, and see checkRelocations()',
  ],
  [/unknown func|invalid func/, 'this kernel lacks the helper for this program type: see probeHelpers()'],
  [/cannot call GPL|GPL/, 'give the object the license "GPL": char LICENSE[] SEC("license") = "GPL"'],
  [
    /invalid mem access 'map_value_or_null'|mem_or_null|or_null|nullable/,
    'check the pointer for NULL before it is used',
  ],
  [
    /min value is negative|unbounded|outside of the allowed|invalid access to|out of bounds/,
    'bound the offset or length before the access, so that the verifier sees it',
  ],
  [/too large|too many|complexity|back-edge|infinite loop/, 'make the program simpler, or bound its loops'],
  [/unreleased reference/, 'release what was acquired (or submit the ring record) on every path'],
];

function verifierRemedy(lines: readonly string[]): string | undefined {
  const text = lines.join('\n');
  return VERIFIER_REMEDIES.find(([words]) => words.test(text))?.[1];
}

/** libbpf's last complaint says more than most errnos; of a refusal it only guesses. */
function lastMessage(errno: number, log: string): { why?: string } {
  if (errno === constants.errno.EPERM || errno === constants.errno.ENOMEM) return {};
  const lines = log.split('\n').filter((line) => line.startsWith('libbpf: '));
  const said = lines.filter((line) => !/failed to load (BPF skeleton|object)|failed to load object/.test(line)).at(-1);
  return said === undefined ? {} : { why: said.slice('libbpf: '.length) };
}
