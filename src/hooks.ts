// SPDX-License-Identifier: MIT
/** The kernel functions and tracepoints the probes stand on, each with what it is wanted for: the one table of them. */
import type { AttachMethod, ReleaseMode } from './core/session.js';

export interface Hook {
  /** Kernel function, or tracepoint name for `tp_btf`. */
  readonly target: string;
  readonly purpose: string;
  /** Without a required hook there is nothing to rebuild; any other degrades alone. */
  readonly required: boolean;
  /** Tried in this order. */
  readonly methods: readonly AttachMethod[];
}

const ENTRY_EXIT: readonly AttachMethod[] = ['fentry', 'fexit', 'kprobe.multi'];

export const HOOKS: readonly Hook[] = [
  { target: 'handle_mm_fault', purpose: 'result of every attempt', required: true, methods: ['fexit'] },
  { target: 'lock_mm_and_find_vma', purpose: 'fallback to mmap_lock, aborts', required: true, methods: ENTRY_EXIT },
  { target: 'do_swap_page', purpose: 'swap faults', required: true, methods: ENTRY_EXIT },
  { target: '__folio_lock_or_retry', purpose: 'waits for a locked folio', required: true, methods: ENTRY_EXIT },
  { target: 'lock_vma_under_rcu', purpose: 'time the VMA lock was taken, failed attempts', required: false, methods: ['fexit'] },
  { target: 'io_schedule', purpose: 'sleep inside a folio wait', required: false, methods: ['fentry', 'kprobe.multi'] },
  { target: 'get_swap_device', purpose: 'which swap device, synchronous or not', required: false, methods: ['fexit'] },
  { target: 'handle_userfault', purpose: 'waits for userfaultfd', required: false, methods: ENTRY_EXIT },
  { target: '__vmf_anon_prepare', purpose: 'retries for want of an anon_vma', required: false, methods: ['fexit'] },
  { target: 'signal_deliver', purpose: 'faults cut short by a signal', required: false, methods: ['tp_btf'] },
  { target: 'sched_process_exit', purpose: 'faults cut short by the end of the task', required: false, methods: ['tp_btf'] },
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
  if (traceable?.has('vma_end_read')) return { mode: 'observed', target: 'vma_end_read', why: 'this kernel can trace it' };
  const rwsem = major === 6 && minor >= 4 && minor <= 14;
  if (rwsem && (traceable === null || traceable.has('up_read'))) {
    return { mode: 'observed', target: 'up_read', why: 'the VMA lock is an rwsem here: up_read() of it is the release' };
  }
  const why = rwsem ? 'up_read cannot be traced here' : 'vma_end_read is inline and the lock a reference count (6.15 and later)';
  return { mode: 'derived', target: null, why: `${why}: each release is given as an interval` };
}
