// SPDX-License-Identifier: MIT
/** Judges facts about a host: can it be observed, and if not, why and what to do. Pure: facts in, words out. */
import { HOOKS, type Hook, methodsOf, planRelease } from '../live/hooks.js';
import type { HostFacts } from '../live/host.js';
import type { BpfProbe, Check, Diagnosis, HookCheck, ProgramsCheck, State } from './diagnosis.js';
import { capabilities, hostChecks, perVmaLocks, pidCheck } from './host-checks.js';
import { unseen } from './unseen.js';

interface Verdict {
  readonly reason: string;
  readonly remedy: string;
}

const ELSEWHERE = 'use a host that allows tracing, or `make run`, which boots a throw-away guest of its own';

/**
 * Why bpf() says EPERM to somebody who holds the capabilities. Lockdown in its confidentiality mode forbids BPF to read the
 * kernel (LOCKDOWN_BPF_READ_KERNEL, security/security.c); a container's seccomp filter or an LSM may refuse the call itself.
 */
function explainRefusal(facts: HostFacts, errno: string): Verdict {
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
      reason: `${call}: a seccomp filter restricts this process, as is usual in containers`,
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
  return { reason: `${call} although the capabilities are there: ${suspect}; ${seen}`, remedy: ELSEWHERE };
}

function hookCheck(hook: Hook, facts: HostFacts, programs: ProgramsCheck | null): HookCheck {
  const { target, purpose, required } = hook;
  const methods = methodsOf(hook);
  const result = (state: State, detail: string): HookCheck => ({ target, purpose, required, methods, state, detail });
  const lost = programs?.refused.find((refused) => refused.hook === target);
  if (lost !== undefined) return result('no', `${lost.program} is refused: ${lost.why}`);
  const symbols = facts.symbols.names;
  if (hook.tracepoint) {
    if (symbols === null) return result('unknown', 'not known: kernel symbols cannot be read');
    return symbols.has(`__traceiter_${target}`) ? result('yes', 'tracepoint') : result('no', 'no such tracepoint');
  }
  if (facts.traceable.names?.has(target)) return result('yes', methods.join(', '));
  if (symbols !== null && !symbols.has(target))
    return result('no', 'no such function in this kernel (inlined, or not built in)');
  if (facts.traceable.names !== null) return result('no', 'the function exists but cannot be traced (notrace)');
  return result(
    'unknown',
    symbols === null ? 'not known' : 'the function exists; whether it can be traced is not known',
  );
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
