// SPDX-License-Identifier: MIT
/** Which program stands on which hook, by what each attach method is known to do to the truth (docs/attach.md). */
import type { AttachMethod, HookInfo } from '../core/events/session.js';
import { HOOKS, type Hook, NEW_TASK } from './hooks.js';
import { hookOf, isStandby, programName, standbyName } from './program-names.js';

export interface PlannedProgram {
  /** Name in the BPF object. */
  readonly program: string;
  readonly target: string;
  readonly method: AttachMethod;
  /** Of a kprobe.multi entry: attached as a session of entry and return that declines each return (`inOneTracer`). */
  readonly declines?: true;
}

export interface AttachPlan {
  /** In the order of attaching: what ends a step before what begins one, so that no step is seen to begin alone. */
  readonly programs: readonly PlannedProgram[];
  readonly hooks: readonly HookInfo[];
  /** Required hooks that cannot be attached. */
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
  /** CONFIG_MEMCG: an mm names a task that has it. */
  readonly mmOwner: boolean;
  /** Whether BTF describes the tracepoint. */
  tracepoint(target: string): boolean;
}

export interface Wishes {
  /** Hook lock_vma_under_rcu: exact start times, at the price of a second program on every fault. */
  readonly start: boolean;
  /** What costs on the path of every ordinary fault may be hooked. */
  readonly exact: boolean;
  /** What needs no hook of its own where /proc/kallsyms shows addresses: it hides them. */
  readonly anonPrepare: boolean;
  readonly observed: boolean;
  /** Some processes or threads only (`isFiltered`). */
  readonly filter: boolean;
  /** More than swap faults: retries and aborts of every kind. */
  readonly retry: boolean;
  /** The mmap_lock tracepoints: every taker of it in the system pays for a program or two. */
  readonly writers: boolean;
  /** Kernel code is not preempted: trampolines miss nothing, and entry and return of a function are hooked by one. */
  readonly lean: boolean;
  /** Second programs for what first ones miss: where kernel code is preempted, and ordinary faults may pay for it. */
  readonly standby: boolean;
  /** Hooks to leave out by name. */
  readonly without: ReadonlySet<string>;
  /** What the kernel refused when it was tried (`loses`), and why. */
  readonly refused?: ReadonlyMap<string, string>;
}

/** What is lost with a program: its hook, or the program alone where it only stands in for another (`…_standby`, `firedBy`). */
export function loses(program: string): string {
  const target = hookOf(program);
  const standsIn =
    isStandby(program) ||
    (program === programName('kprobe.multi', target) &&
      HOOKS.some((hook) => hook.target === target && hook.tracepoint));
  return standsIn ? program : target;
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
    const { target } = hook;
    const unwanted = whyUnwanted(hook, wishes) || whyReplaced(hook, hooks);
    if (unwanted) {
      hooks.push({ target, attached: false, note: unwanted });
      if (hook.required) missing.push(`${target} (${unwanted})`);
      continue;
    }
    const why = wishes.refused?.get(target) ?? whyNot(kernel, hook, exactReturns);
    if (why) {
      if (hook.required) missing.push(`${target} (${why})`);
      hooks.push({ target, attached: false, note: why });
      continue;
    }
    hooks.push({ target, attached: true, note: '' });
    if (hook.tracepoint) {
      const fired =
        wishes.standby && hook.firedBy !== undefined && preemptibleTracepoints(kernel) ? hook.firedBy : null;
      const first = programName('kprobe.multi', target);
      if (fired !== null && kernel.fprobe && kernel.traceable(fired) && !wishes.refused?.has(first))
        returns.push({ program: first, target: fired, method: 'kprobe.multi' });
      returns.push({ program: programName('tp_btf', target), target, method: 'tp_btf' });
      continue;
    }
    // An entry by kprobe.multi beside a trampoline would make each call pass a loop over all users of ftrace.
    const cheap = wishes.lean && hook.exit !== 'no' && kernel.described(target);
    if (hook.exit !== 'no') {
      const multi = exactReturns && !cheap && hook.exit === 'multi';
      const method = multi ? 'kretprobe.multi' : 'fexit';
      returns.push({ program: programName(method, target), target, method });
      // After the first one: the kernel calls the program attached last before the others.
      if (hook.standby && wishes.standby && !wishes.refused?.has(standbyName(target)))
        returns.push({ program: standbyName(target), target, method: 'fexit' });
    }
    if (hook.entry !== 'no') {
      const multi = kernel.fprobe && !cheap && hook.entry === 'multi';
      const method = multi ? 'kprobe.multi' : 'fentry';
      const declines = multi && hook.exit === 'multi' && inOneTracer(kernel);
      entries.push({ program: programName(method, target), target, method, ...(declines ? { declines } : {}) });
    }
  }
  return { programs: [...returns, ...entries], hooks, missing };
}

/** Why a plan shows none of the children of a process; null where one of the two hooks shows them. */
export function newTasksUnseen({ hooks }: AttachPlan): string | null {
  const witnesses = hooks.filter(({ target }) => NEW_TASK.some((one) => one === target));
  if (witnesses.some(({ attached }) => attached)) return null;
  return witnesses.map(({ target, note }) => `${target} ${note}`).join(', ');
}

/** Programs on tracepoints ran with preemption off until 6.18; which release changed it (7.3 has) was not read. */
function preemptibleTracepoints({ major, minor }: KernelAbility): boolean {
  return major >= 7 || (major === 6 && minor >= 19);
}

/**
 * Where the return of a function is hooked by the function-graph tracer and its entry by another user of ftrace, each call
 * passes a loop over all users of ftrace, some 270 instructions. In 7.x an entry alone is such another user; a session is
 * not, though its program refuses every return, which is left to the program that stands on returns.
 */
function inOneTracer({ major }: KernelAbility): boolean {
  return major >= 7;
}

const UNWANTED: Readonly<Record<NonNullable<Hook['wanted']>, string>> = {
  start: 'left out in this scope: start times are intervals (scope all or --min-us attaches it)',
  // Stands on the path of every anonymous first touch: the callers ask it whether there is an anon_vma already.
  exact:
    'left out: every anonymous fault calls it, and its failed trylock is seen anyway (--release observed attaches it)',
  observed: 'left out: releases are derived',
  filter: 'left out: every process is followed',
  retry: 'left out in scope swap',
  writers: 'left out: --no-writers',
};

function whyUnwanted(hook: Hook, wishes: Wishes): string {
  if (wishes.without.has(hook.target)) return 'left out: --without';
  const wanted = hook.wanted === undefined || wishes[hook.wanted] || (hook.wanted === 'exact' && wishes.anonPrepare);
  return wanted ? '' : UNWANTED[hook.wanted];
}

function whyReplaced({ unless }: Hook, hooks: readonly HookInfo[]): string {
  if (unless?.every((other) => hooks.some(({ target, attached }) => attached && target === other)) !== true) return '';
  return `left out: ${unless.join(' and ')} ${unless.length === 1 ? 'shows' : 'show'} it for less`;
}

function whyNot(kernel: KernelAbility, hook: Hook, exactReturns: boolean): string {
  const { target } = hook;
  if (hook.mmOwner && !kernel.mmOwner) return 'no struct mm_struct names its owner here (CONFIG_MEMCG)';
  if (hook.tracepoint) return kernel.tracepoint(target) ? '' : 'this kernel has no such tracepoint';
  if (kernel.traceable(target) === false)
    return hook.instead !== undefined && kernel.traceable(hook.instead)
      ? `not in this kernel: ${hook.instead} does it`
      : 'not traceable in this kernel';
  // Where that list cannot be read, what BTF does not describe is hardly there.
  if (kernel.traceable(target) === null && !kernel.described(target))
    return hook.instead !== undefined && kernel.described(hook.instead)
      ? `not in this kernel: ${hook.instead} does it`
      : 'not in this kernel, by its BTF';
  const byBtf =
    hook.entry === 'fentry' ||
    hook.exit === 'fexit' ||
    (hook.exit === 'multi' && !exactReturns) ||
    (hook.entry === 'multi' && !kernel.fprobe);
  if (byBtf && !kernel.described(target)) return "not described by this kernel's BTF";
  return '';
}
