// SPDX-License-Identifier: MIT
/** Which program stands on which hook, by what each attach method is known to do to the truth (docs/attach.md). */
import type { AttachMethod, HookInfo, ReleaseMode } from '../core/session.js';
import { HOOKS, type Hook } from '../hooks.js';

export interface PlannedProgram {
  /** Name in the BPF object. */
  readonly program: string;
  readonly target: string;
  readonly method: AttachMethod;
}

export interface AttachPlan {
  /** In the order of attaching: what ends a step before what begins one, so that no step is seen to begin alone. */
  readonly programs: readonly PlannedProgram[];
  readonly hooks: readonly HookInfo[];
  /** Required hooks that cannot be had. */
  readonly missing: readonly string[];
}

export interface KernelAbility {
  readonly major: number;
  readonly minor: number;
  /** CONFIG_FPROBE: kprobe.multi can be attached. */
  readonly fprobe: boolean;
  /** Whether a function can be traced: listed in available_filter_functions, or null where that cannot be read. */
  traceable(target: string): boolean | null;
  /** Whether BTF describes the function: fentry and fexit need it. */
  described(target: string): boolean;
}

export interface Wishes {
  /** Hook lock_vma_under_rcu: exact start times, at the price of a second program on every fault. */
  readonly trackStart: boolean;
  /** What costs on the path of every ordinary fault may be hooked. */
  readonly exact: boolean;
  readonly release: ReleaseMode;
  readonly follow: boolean;
}

/**
 * kprobe.multi entries are exact everywhere: ftrace runs them with preemption off. Returns by kretprobe.multi run out
 * of instances while the waiters sleep before 6.14 and are exact since (they stand on the function-graph tracer);
 * fexit before that is exact but for runs the kernel reports as missed. Plain kretprobe loses sleepers silently: never.
 */
export function planAttach(kernel: KernelAbility, wishes: Wishes): AttachPlan {
  const exactReturns = kernel.fprobe && (kernel.major > 6 || (kernel.major === 6 && kernel.minor >= 14));
  const returns: PlannedProgram[] = [];
  const entries: PlannedProgram[] = [];
  const hooks: HookInfo[] = [];
  const missing: string[] = [];

  for (const hook of HOOKS) {
    const target = hook.target;
    const unwanted = whyUnwanted(hook, wishes);
    if (unwanted) {
      hooks.push({ target, attached: false, note: unwanted });
      continue;
    }
    if (hook.tracepoint) {
      returns.push({ program: `t_${target}`, target, method: 'tp_btf' });
      hooks.push({ target, attached: true, note: '' });
      continue;
    }
    const why = whyNot(kernel, target, hook, exactReturns);
    if (why) {
      if (hook.required) missing.push(`${target} (${why})`);
      hooks.push({ target, attached: false, note: why });
      continue;
    }
    if (hook.exit) {
      const multi = exactReturns && hook.entry !== 'never-multi';
      returns.push({ program: `${multi ? 'r' : 'x'}_${target}`, target, method: multi ? 'kretprobe.multi' : 'fexit' });
    }
    if (hook.entry === 'yes') {
      const multi = kernel.fprobe && hook.multi !== false;
      entries.push({ program: `${multi ? 'm' : 'e'}_${target}`, target, method: multi ? 'kprobe.multi' : 'fentry' });
    }
    hooks.push({ target, attached: true, note: '' });
  }
  return { programs: [...returns, ...entries], hooks, missing };
}

function whyUnwanted(hook: Hook, wishes: Wishes): string {
  if (hook.target === 'lock_vma_under_rcu' && !wishes.trackStart)
    return 'left out in this scope: start times are intervals (scope all or --min-us attaches it)';
  // Stands on the path of every anonymous first touch: the callers ask it whether there is an anon_vma already.
  if (hook.target === '__vmf_anon_prepare' && !wishes.exact)
    return 'left out: every anonymous fault calls it (--release observed attaches it)';
  if (hook.target === 'up_read' && wishes.release !== 'observed') return 'left out: releases are derived';
  if (hook.target === 'sched_process_fork' && !wishes.follow) return 'left out: no command to follow';
  return '';
}

function whyNot(kernel: KernelAbility, target: string, hook: Hook, exactReturns: boolean): string {
  if (kernel.traceable(target) === false) return 'not traceable in this kernel';
  const byBtf = hook.entry === 'never-multi' || (hook.exit && !exactReturns) || !kernel.fprobe || hook.multi === false;
  if (byBtf && !kernel.described(target)) return "not described by this kernel's BTF";
  return '';
}
