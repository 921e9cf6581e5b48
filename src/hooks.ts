// SPDX-License-Identifier: MIT
/** The kernel functions and tracepoints the probes stand on, each with what it is wanted for: the one table of them. */
import type { AttachMethod, ReleaseMode } from './core/session.js';

export interface Hook {
  /** Kernel function, or tracepoint name. */
  readonly target: string;
  readonly purpose: string;
  /** Without a required hook there is nothing to rebuild; any other degrades alone. */
  readonly required: boolean;
  /** A BTF tracepoint, not a function. */
  readonly tracepoint?: true;
  /** Its entry is hooked. `never-multi`: only its return, and that by fexit always: the ordinary path must be cheap. */
  readonly entry: 'yes' | 'no' | 'never-multi';
  /** Its return is hooked. */
  readonly exit: boolean;
  /** false: the entry is hooked by fentry only. */
  readonly multi?: false;
}

/** The ways a hook can be attached, best first. */
export function methodsOf(hook: Hook): readonly AttachMethod[] {
  if (hook.tracepoint) return ['tp_btf'];
  const entry: AttachMethod[] =
    hook.entry === 'yes' ? (hook.multi === false ? ['fentry'] : ['kprobe.multi', 'fentry']) : [];
  const exit: AttachMethod[] = !hook.exit
    ? []
    : hook.entry === 'never-multi'
      ? ['fexit']
      : ['kretprobe.multi', 'fexit'];
  return [...entry, ...exit];
}

export const HOOKS: readonly Hook[] = [
  { target: 'handle_mm_fault', purpose: 'result of every attempt', required: true, entry: 'never-multi', exit: true },
  {
    target: 'lock_mm_and_find_vma',
    purpose: 'fallback to mmap_lock, aborts',
    required: true,
    entry: 'yes',
    exit: true,
  },
  { target: 'do_swap_page', purpose: 'swap faults', required: true, entry: 'yes', exit: true },
  { target: '__folio_lock_or_retry', purpose: 'waits for a locked folio', required: true, entry: 'yes', exit: true },
  {
    target: 'lock_vma_under_rcu',
    purpose: 'time the VMA lock was taken or refused',
    required: false,
    entry: 'never-multi',
    exit: true,
  },
  {
    target: 'io_schedule',
    purpose: 'sleep inside a folio wait: bounds the release',
    required: false,
    entry: 'yes',
    exit: false,
  },
  {
    target: 'get_swap_device',
    purpose: 'which swap device, synchronous or not',
    required: false,
    entry: 'no',
    exit: true,
  },
  { target: 'handle_userfault', purpose: 'waits for userfaultfd', required: false, entry: 'yes', exit: true },
  {
    target: '__vmf_anon_prepare',
    purpose: 'retries for want of an anon_vma',
    required: false,
    entry: 'never-multi',
    exit: true,
  },
  {
    target: 'up_read',
    purpose: 'exact release of the VMA lock (6.4 to 6.14)',
    required: false,
    entry: 'yes',
    exit: false,
    multi: false,
  },
  {
    target: 'signal_deliver',
    purpose: 'faults cut short by a signal',
    required: false,
    tracepoint: true,
    entry: 'no',
    exit: false,
  },
  {
    target: 'sched_process_exit',
    purpose: 'faults cut short by the end of the task',
    required: false,
    tracepoint: true,
    entry: 'no',
    exit: false,
  },
  {
    target: 'sched_process_fork',
    purpose: 'processes of the command that is followed',
    required: false,
    tracepoint: true,
    entry: 'no',
    exit: false,
  },
];

export interface ReleasePlan {
  readonly mode: ReleaseMode;
  /** Function to attach to; null when the release is derived. */
  readonly target: 'vma_end_read' | 'up_read' | null;
  readonly why: string;
}

/**
 * How the release of a VMA lock is known on a kernel. `traceable` is null when the list cannot be read.
 * vma_end_read is `static inline notrace` in stock kernels, so it is attached only where it is really listed. Until 6.14 the
 * lock is an rwsem and its release is a call of up_read(); since 6.15 it is a reference count dropped inline.
 */
export function planRelease(major: number, minor: number, traceable: ReadonlySet<string> | null): ReleasePlan {
  if (traceable?.has('vma_end_read'))
    return { mode: 'observed', target: 'vma_end_read', why: 'this kernel can trace it' };
  const rwsem = major === 6 && minor >= 4 && minor <= 14;
  if (rwsem && (traceable === null || traceable.has('up_read'))) {
    return {
      mode: 'observed',
      target: 'up_read',
      why: 'the VMA lock is an rwsem here: up_read() of it is the release',
    };
  }
  const why = rwsem
    ? 'up_read cannot be traced here'
    : 'vma_end_read is inline and the lock a reference count (6.15 and later)';
  return { mode: 'derived', target: null, why: `${why}: each release is given as an interval` };
}
