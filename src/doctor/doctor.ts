// SPDX-License-Identifier: MIT
/** Judges facts about a host: can it be observed, and if not, why and what to do. Pure: facts in, words out. */
import { type AttachMethod, pidWords } from '../core/events/session.js';
import { HOOKS, type Hook, methodsOf, planRelease, type ReleasePlan } from '../live/hooks.js';
import { Capability, type HostFacts } from '../live/host.js';
import { unseen } from './unseen.js';

export type State = 'yes' | 'no' | 'unknown';

export interface Check {
  readonly id: string;
  readonly title: string;
  readonly state: State;
  readonly detail: string;
}

export interface HookCheck {
  readonly target: string;
  readonly purpose: string;
  readonly required: boolean;
  readonly methods: readonly AttachMethod[];
  readonly state: State;
  readonly detail: string;
}

/** What asking bpf() came to. */
export interface BpfProbe {
  readonly state: State;
  /** errno name when it was refused, else ''. */
  readonly errno: string;
  /** Version of libbpf; null when there is none to load. */
  readonly libbpf: string | null;
  /** Why `state` is not `yes`, else ''. */
  readonly detail: string;
  /** What the error itself advises; '' when it advises nothing. */
  readonly remedy: string;
}

/** A program that a session would load and the kernel does not take. */
export interface RefusedProgram {
  readonly program: string;
  /** The hook that is lost with it; the program itself where it only stands in for another. */
  readonly hook: string;
  readonly required: boolean;
  readonly why: string;
  readonly remedy: string;
  /** The verifier's last lines, oldest first. */
  readonly lastLines: readonly string[];
  /** What libbpf and the verifier said, whole. */
  readonly log: string;
}

/** What loading every program of a session came to. */
export interface ProgramsCheck {
  readonly loaded: number;
  readonly refused: readonly RefusedProgram[];
}

export interface Diagnosis {
  readonly v: 1;
  readonly canObserve: boolean;
  readonly reason: string;
  /** What to do; '' when there is nothing to do. */
  readonly remedy: string;
  readonly kernel: string;
  readonly arch: string;
  readonly preemption: string;
  readonly checks: readonly Check[];
  readonly hooks: readonly HookCheck[];
  /** null: not tried, since no program can be loaded here, or whether it can is not known. */
  readonly programs: ProgramsCheck | null;
  readonly release: ReleasePlan;
  /** What this user will not see, in sentences. */
  readonly unseen: readonly string[];
}

interface Verdict {
  readonly reason: string;
  readonly remedy: string;
}

const ELSEWHERE = 'use a host that allows tracing, or `make run`, which boots a throw-away guest of its own';

/** Per-VMA locks came with 6.4 (lock_vma_under_rcu); a kernel can still be built without CONFIG_PER_VMA_LOCK. */
function perVmaLocks(facts: HostFacts): Check {
  const { kernel, symbols } = facts;
  const check = (state: State, detail: string): Check => ({
    id: 'per-vma-locks',
    title: 'per-VMA locks',
    state,
    detail,
  });
  if (kernel.major < 6 || (kernel.major === 6 && kernel.minor < 4)) {
    return check('no', `kernel ${kernel.major}.${kernel.minor} has no per-VMA locks (they came with 6.4)`);
  }
  if (symbols.names === null) return check('unknown', `/proc/kallsyms: ${symbols.error}`);
  if (symbols.names.has('lock_vma_under_rcu')) return check('yes', 'lock_vma_under_rcu is there');
  return check('no', 'this kernel was built without CONFIG_PER_VMA_LOCK (no lock_vma_under_rcu)');
}

function capabilities({ capEff }: HostFacts): Check {
  const check = (state: State, detail: string): Check => ({ id: 'capabilities', title: 'capabilities', state, detail });
  if (capEff === null) return check('unknown', '/proc/self/status does not say');
  const has = (bit: bigint): boolean => ((capEff >> bit) & 1n) === 1n;
  if (has(Capability.SysAdmin)) return check('yes', 'CAP_SYS_ADMIN');
  if (has(Capability.Bpf) && has(Capability.Perfmon)) return check('yes', 'CAP_BPF and CAP_PERFMON');
  return check('no', 'neither CAP_SYS_ADMIN nor CAP_BPF with CAP_PERFMON');
}

/**
 * Why bpf() says EPERM to somebody who holds the capabilities. Lockdown in its confidentiality mode forbids BPF to read the
 * kernel (LOCKDOWN_BPF_READ_KERNEL, security/security.c); a container's seccomp filter or an LSM may refuse the call itself.
 */
export function explainRefusal(facts: HostFacts, errno: string): Verdict {
  const call = `bpf() is refused (${errno})`;
  if (capabilities(facts).state === 'no') {
    return { reason: `${call}: no privilege`, remedy: 'run it as root, or with CAP_BPF and CAP_PERFMON' };
  }
  if (facts.initialUserNamespace === false) {
    return {
      reason: `${call}: capabilities inside a user namespace do not count for it`,
      remedy: 'run it outside the container, as root',
    };
  }
  if (facts.lockdown === 'confidentiality') {
    return {
      reason: `${call}: kernel lockdown (confidentiality) forbids BPF to read the kernel`,
      remedy: `lockdown is fixed at boot (lockdown=, Secure Boot); ${ELSEWHERE}`,
    };
  }
  if (facts.seccomp === 2) {
    return {
      reason: `${call}: a seccomp filter is on this process, as containers set it`,
      remedy: 'run it outside the container, or in one that permits bpf() and perf_event_open()',
    };
  }
  const modules = (facts.lsm ?? []).filter((name) =>
    ['selinux', 'apparmor', 'tomoyo', 'smack', 'bpf', 'ipe'].includes(name),
  );
  const seen =
    facts.lsm === null
      ? 'securityfs is not mounted, so lockdown and LSMs are not known'
      : `lockdown is ${facts.lockdown ?? 'not known'}`;
  const suspect =
    modules.length > 0 ? `a security module may refuse it (${modules.join(', ')})` : "it is the machine's policy";
  return { reason: `${call} though the capabilities are there: ${suspect}; ${seen}`, remedy: ELSEWHERE };
}

function hookCheck(hook: Hook, facts: HostFacts, programs: ProgramsCheck | null): HookCheck {
  const { target, purpose, required } = hook;
  const methods = methodsOf(hook);
  const result = (state: State, detail: string): HookCheck => ({ target, purpose, required, methods, state, detail });
  const lost = programs?.refused.find((refused) => refused.hook === target);
  if (lost !== undefined) return result('no', `${lost.program} is refused: ${lost.why}`);
  const symbols = facts.symbols.names;
  if (hook.tracepoint) {
    if (symbols === null) return result('unknown', 'cannot tell: no symbols to look at');
    return symbols.has(`__traceiter_${target}`) ? result('yes', 'tracepoint') : result('no', 'no such tracepoint');
  }
  if (facts.traceable.names?.has(target)) return result('yes', methods.join(', '));
  if (symbols !== null && !symbols.has(target))
    return result('no', 'no such function in this kernel (inlined, or not built in)');
  if (facts.traceable.names !== null) return result('no', 'the function is there and cannot be traced (notrace)');
  return result(
    'unknown',
    symbols === null ? 'cannot tell' : 'the function is there; cannot tell whether it can be traced',
  );
}

function lockdownCheck({ lockdown }: HostFacts): Check {
  const title = 'lockdown';
  if (lockdown === null)
    return { id: title, title, state: 'unknown', detail: 'not known (securityfs not mounted, or kernel without it)' };
  return { id: title, title, state: lockdown === 'confidentiality' ? 'no' : 'yes', detail: lockdown };
}

function pidCheck({ namespaces: { pid } }: HostFacts): Check {
  const check = (state: State, detail: string): Check => ({
    id: 'pid-namespace',
    title: 'PID namespace',
    state,
    detail,
  });
  if (pid.initial === null) return check('unknown', `${pid.error}: whose pids are shown is not known`);
  if (pid.initial) return check('yes', 'the initial one');
  return check('yes', `not the initial one: ${pidWords({ pidNamespace: true })}`);
}

function timeCheck({ namespaces: { monotonicAheadNs } }: HostFacts): Check {
  const seconds = Number(monotonicAheadNs) / 1e9;
  const detail =
    seconds === 0 ? "monotonic clock as the kernel's" : `monotonic clock ${seconds} s ahead of the kernel's: taken off`;
  return { id: 'time-namespace', title: 'time namespace', state: 'yes', detail };
}

/** What `stayResident` will be permitted: with neither, the tool works all the same until memory is short. */
function residencyCheck({ capEff, memlock }: HostFacts): Check {
  const check = (state: State, detail: string): Check => ({
    id: 'stays-in-memory',
    title: 'stays in memory',
    state,
    detail,
  });
  if (capEff === null || memlock === null) return check('unknown', '/proc/self does not say');
  const has = (bit: bigint): boolean => ((capEff >> bit) & 1n) === 1n;
  const locks = has(Capability.IpcLock) || memlock === Number.POSITIVE_INFINITY;
  const wanting = [
    ...(locks ? [] : ['its program may be paged out (CAP_IPC_LOCK, or RLIMIT_MEMLOCK unlimited)']),
    ...(has(Capability.SysResource) ? [] : ['the OOM killer takes it like any other (CAP_SYS_RESOURCE)']),
  ];
  if (wanting.length > 0) return check('no', wanting.join('; '));
  return check('yes', 'its program is locked, and the OOM killer takes others first');
}

function hostChecks(facts: HostFacts, bpf: BpfProbe): readonly Check[] {
  const { traceable } = facts;
  return [
    { id: 'kernel', title: 'kernel', state: 'yes', detail: `${facts.kernel.release} ${facts.arch}` },
    perVmaLocks(facts),
    {
      id: 'btf',
      title: 'BTF',
      state: facts.btf ? 'yes' : 'no',
      detail: facts.btf ? '/sys/kernel/btf/vmlinux' : 'no /sys/kernel/btf/vmlinux (CONFIG_DEBUG_INFO_BTF)',
    },
    { id: 'libbpf', title: 'libbpf', state: bpf.libbpf === null ? 'no' : 'yes', detail: bpf.libbpf ?? bpf.detail },
    capabilities(facts),
    pidCheck(facts),
    timeCheck(facts),
    lockdownCheck(facts),
    residencyCheck(facts),
    {
      id: 'lsm',
      title: 'security modules',
      state: facts.lsm === null ? 'unknown' : 'yes',
      detail: facts.lsm?.join(', ') ?? 'not known (securityfs not mounted)',
    },
    {
      id: 'bpf',
      title: 'bpf()',
      state: bpf.state,
      detail:
        bpf.state === 'yes' ? 'permitted' : bpf.state === 'no' ? `refused: ${bpf.errno || bpf.detail}` : bpf.detail,
    },
    {
      id: 'traceable',
      title: 'traceable list',
      state: traceable.names === null ? 'unknown' : 'yes',
      detail:
        traceable.names === null
          ? `available_filter_functions: ${traceable.error}`
          : `${traceable.names.size} functions`,
    },
    {
      id: 'preemption',
      title: 'preemption',
      state: facts.preemption === 'unknown' ? 'unknown' : 'yes',
      detail: facts.preemption,
    },
  ];
}

function programsCheck(programs: ProgramsCheck | null): Check {
  const check = (state: State, detail: string): Check => ({ id: 'programs', title: 'programs', state, detail });
  if (programs === null) return check('unknown', 'not tried');
  const { loaded, refused } = programs;
  if (refused.length === 0) return check('yes', `all ${loaded} that a session may load are taken`);
  return check(
    'no',
    `${loaded} are taken, ${refused.length} refused: ${refused.map(({ program }) => program).join(', ')}`,
  );
}

/** The first thing in the way, in the order in which one would have to remove them; null when nothing is. */
function obstacle(
  facts: HostFacts,
  bpf: BpfProbe,
  hooks: readonly HookCheck[],
  programs: ProgramsCheck | null,
): Verdict | null {
  const locks = perVmaLocks(facts);
  if (locks.state === 'no')
    return { reason: locks.detail, remedy: 'boot a kernel of 6.4 or later with CONFIG_PER_VMA_LOCK=y' };
  if (!facts.btf)
    return { reason: 'the kernel has no BTF', remedy: 'boot a kernel built with CONFIG_DEBUG_INFO_BTF=y' };
  if (facts.namespaces.pid.initial === null)
    return { reason: pidCheck(facts).detail, remedy: 'mount the /proc of this PID namespace, or run it on the host' };
  if (bpf.libbpf === null) return { reason: bpf.detail, remedy: 'install libbpf 1.x (Debian: apt install libbpf1)' };
  if (bpf.state === 'no' && !['EPERM', 'EACCES'].includes(bpf.errno)) return { reason: bpf.detail, remedy: bpf.remedy };
  if (bpf.state === 'no') return explainRefusal(facts, bpf.errno);
  if (bpf.state === 'unknown')
    return { reason: `whether bpf() is permitted is not known: ${bpf.detail}`, remedy: 'run it as root' };
  const refused = programs?.refused.find((program) => program.required);
  if (refused !== undefined)
    return {
      reason: `this kernel refuses ${refused.program}, which every session needs: ${refused.why}`,
      remedy: 'report it with the output of `vmalocktop doctor --verbose`',
    };
  const missing = hooks.filter((hook) => hook.required && hook.state === 'no').map((hook) => hook.target);
  if (missing.length > 0)
    return {
      reason: `this kernel has nothing to attach to for ${missing.join(', ')}`,
      remedy: 'use a stock kernel with function tracing (CONFIG_FUNCTION_TRACER)',
    };
  return null;
}

export function explain(facts: HostFacts, bpf: BpfProbe, programs: ProgramsCheck | null = null): Diagnosis {
  const hooks = HOOKS.map((hook) => hookCheck(hook, facts, programs));
  const release = planRelease(facts.kernel.major, facts.kernel.minor, facts.traceable.names);
  const absent = hooks.filter((hook) => hook.state === 'no').map((hook) => hook.target);
  const verdict = obstacle(facts, bpf, hooks, programs);
  return {
    v: 1,
    canObserve: verdict === null,
    reason:
      verdict?.reason ?? `kernel ${facts.kernel.release}${absent.length > 0 ? `, without ${absent.join(', ')}` : ''}`,
    remedy: verdict?.remedy ?? '',
    kernel: facts.kernel.release,
    arch: facts.arch,
    preemption: facts.preemption,
    checks: [...hostChecks(facts, bpf), programsCheck(programs)],
    hooks,
    programs,
    release,
    unseen: verdict === null ? unseen(facts) : [],
  };
}
