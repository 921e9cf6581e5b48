// SPDX-License-Identifier: MIT
/** The kernel functions and tracepoints the probes stand on, each with what it is wanted for: the one table of them. */

import { MMAP_SLOW_PATH, VMA_WRITE_HOOK } from '../core/aggregate/mmap-lock.js';
import { ACCESS_ERROR_HOOK } from '../core/aggregate/outcomes.js';
import type { AttachMethod, ReleaseMode } from '../core/events/session.js';
import { OWN_WAIT_HOOKS } from '../core/vocabulary/waits.js';

export interface Hook {
  /** Kernel function, or tracepoint name. */
  readonly target: string;
  readonly purpose: string;
  /** Without a required hook there is nothing to rebuild; any other degrades alone. */
  readonly required: boolean;
  /** A BTF tracepoint, not a function. */
  readonly tracepoint?: true;
  /** How its entry is hooked: kprobe.multi where the kernel has it, fentry always, or not at all. */
  readonly entry: 'multi' | 'fentry' | 'no';
  /** How its return is hooked: kretprobe.multi where that is exact, fexit always (the path must be cheap), or not. */
  readonly exit: 'multi' | 'fexit' | 'no';
  /** What a session must want for it: see `Wishes` in attach-plan.ts. Absent: always. */
  readonly wanted?: 'start' | 'exact' | 'observed' | 'filter' | 'retry' | 'writers';
  /** The function that does this on other kernels: one of the two is enough. */
  readonly instead?: string;
  /** A tracepoint's: the function that fires it, hooked as well where programs on tracepoints can be preempted. */
  readonly firedBy?: string;
  /** Hooks that together show what this one does, for less: where all of them are attached this one is not. */
  readonly unless?: readonly string[];
  /** Its program finds an mm by the task that is its owner. */
  readonly mmOwner?: true;
  /** Where kernel code is preempted a second program `y_…` takes what the first one misses. */
  readonly standby?: true;
}

/** The ways a hook can be attached, best first. */
export function methodsOf(hook: Hook): readonly AttachMethod[] {
  if (hook.tracepoint) return ['tp_btf'];
  const entry: readonly AttachMethod[] =
    hook.entry === 'multi' ? ['kprobe.multi', 'fentry'] : hook.entry === 'fentry' ? ['fentry'] : [];
  const exit: readonly AttachMethod[] =
    hook.exit === 'multi' ? ['kretprobe.multi', 'fexit'] : hook.exit === 'fexit' ? ['fexit'] : [];
  return [...entry, ...exit];
}

type Options = Partial<Pick<Hook, 'required' | 'wanted' | 'instead' | 'standby' | 'firedBy' | 'unless' | 'mmOwner'>>;

const hook = (
  target: string,
  purpose: string,
  entry: Hook['entry'],
  exit: Hook['exit'],
  options: Options = {},
): Hook => ({ target, purpose, required: false, entry, exit, ...options });

const tracepoint = (target: string, purpose: string, options: Options = {}): Hook => ({
  target,
  purpose,
  required: false,
  tracepoint: true,
  entry: 'no',
  exit: 'no',
  ...options,
});

const required = { required: true } as const;
const retry = { wanted: 'retry' } as const;
const writers = { wanted: 'writers' } as const;
const filter = { wanted: 'filter' } as const;

/** Entered by those who do not get an rw_semaphore at once (kernel/locking/rwsem.c); PREEMPT_RT has others. */
const SLOW_PATHS = [MMAP_SLOW_PATH, 'rwsem_down_write_slowpath'] as const;

/** Show each new task, io_uring's workers the first alone (kernel/fork.c). One of them is enough to follow a command. */
export const NEW_TASK = ['wake_up_new_task', 'sched_process_fork'] as const;

export const HOOKS: readonly Hook[] = [
  hook('handle_mm_fault', 'result of every attempt', 'no', 'fexit', { required: true, standby: true }),
  hook('lock_mm_and_find_vma', 'fallback to mmap_lock, aborts, verdicts', 'multi', 'multi', required),
  hook('do_swap_page', 'swap faults', 'multi', 'multi', required),
  hook('__folio_lock_or_retry', 'waits for a locked folio', 'multi', 'multi', required),
  hook(ACCESS_ERROR_HOOK, 'access errors: faults that the VMA does not permit (x86, 6.10 and later)', 'fentry', 'no'),
  hook('lock_vma_under_rcu', 'time the VMA lock was taken or refused', 'no', 'fexit', { wanted: 'start' }),
  hook('io_schedule', 'sleeps inside folio and file waits, which narrow the time of the release', 'multi', 'no'),
  hook('get_swap_device', 'the swap device, and whether it is synchronous', 'no', 'multi'),
  hook('handle_userfault', 'waits for userfaultfd', 'multi', 'multi'),
  hook('filemap_fault', 'retries and waits of file faults', 'fentry', 'fexit', retry),
  hook('shmem_fault', 'retries and waits of shared-memory faults', 'fentry', 'fexit', retry),
  hook('filemap_read_folio', 'file faults: the folio was not up to date', 'multi', 'no', retry),
  hook('page_cache_async_ra', 'file faults: readahead was started', 'multi', 'no', retry),
  hook('hugetlb_fault', 'retries of huge page faults', 'no', 'fexit', retry),
  hook('do_huge_pmd_device_private', 'retries on device memory, whole PMDs (6.19 and later)', 'no', 'fexit', retry),
  ...OWN_WAIT_HOOKS.map(({ target, purpose, instead }) =>
    hook(target, purpose, 'multi', 'multi', instead === undefined ? {} : { instead }),
  ),
  tracepoint('mm_vmscan_direct_reclaim_begin', 'direct reclaim inside faults'),
  tracepoint('mm_vmscan_direct_reclaim_end', 'end of that reclaim'),
  tracepoint('mm_vmscan_memcg_reclaim_begin', 'reclaim for a memory cgroup inside faults'),
  tracepoint('mm_vmscan_memcg_reclaim_end', 'end of that reclaim'),
  ...SLOW_PATHS.map((target) =>
    hook(target, 'mmap_lock: who queues for it, and who holds it then', 'multi', 'no', { ...writers, mmOwner: true }),
  ),
  tracepoint('mmap_lock_start_locking', 'mmap_lock: who asks for it, and who holds it then', {
    ...writers,
    unless: SLOW_PATHS,
    firedBy: '__mmap_lock_do_trace_start_locking',
  }),
  tracepoint('mmap_lock_acquire_returned', 'mmap_lock: waits, writers, failed trylocks', {
    ...writers,
    firedBy: '__mmap_lock_do_trace_acquire_returned',
  }),
  tracepoint('mmap_lock_released', 'mmap_lock: end of holds and of second passes', {
    ...writers,
    firedBy: '__mmap_lock_do_trace_released',
  }),
  hook(VMA_WRITE_HOOK, 'write-locked VMAs and waits for their readers (6.15 and later)', 'fentry', 'fexit', writers),
  hook('copy_page_range', 'forks: when they have write-locked which VMA (6.4 to 6.14)', 'fentry', 'no', {
    ...writers,
    unless: [VMA_WRITE_HOOK],
  }),
  hook('__vmf_anon_prepare', 'retries because there is no anon_vma', 'no', 'fexit', { wanted: 'exact' }),
  hook('uffd_lock_vma', 'VMA locks taken by userfaultfd', 'fentry', 'no', retry),
  hook('lock_next_vma', 'VMA locks taken by readers of /proc/PID/maps (6.17 and later)', 'fentry', 'no', retry),
  hook('madvise_vma_behavior', 'VMA locks taken by madvise (6.17 and later)', 'fentry', 'no', retry),
  hook('up_read', 'exact release of the VMA lock (6.4 to 6.14)', 'fentry', 'no', { wanted: 'observed' }),
  tracepoint('signal_deliver', 'faults cut short by a signal'),
  tracepoint('sched_process_exit', 'faults cut short by the end of the task'),
  hook(NEW_TASK[0], 'new processes, so that none is taken for an earlier one with its pid', 'multi', 'no', filter),
  tracepoint(NEW_TASK[1], 'the same once more: a child missed would hide a whole process', filter),
  hook('__mmdrop', 'the end of an mm, whose address another process may get next', 'multi', 'no', filter),
];

export interface ReleasePlan {
  readonly mode: ReleaseMode;
  /** Function to attach to; null when the release is derived. */
  readonly target: 'up_read' | null;
  readonly why: string;
}

/**
 * How the release of a VMA lock is known on a kernel. `traceable` is null when the list cannot be read.
 * vma_end_read is `static inline notrace` in stock kernels, and no program stands on it where one lists it. Until 6.14 the
 * lock is an rwsem and its release is a call of up_read(); since 6.15 it is a reference count dropped inline.
 */
export function planRelease(major: number, minor: number, traceable: ReadonlySet<string> | null): ReleasePlan {
  const rwsem = major === 6 && minor >= 4 && minor <= 14;
  if (rwsem && (traceable === null || traceable.has('up_read'))) {
    return {
      mode: 'observed',
      target: 'up_read',
      why: 'the VMA lock is an rwsem here, and up_read() releases it',
    };
  }
  const why = rwsem
    ? 'up_read cannot be traced here'
    : traceable?.has('vma_end_read')
      ? 'vma_end_read could be traced in this kernel, but vmalocktop has no program for it'
      : 'vma_end_read is inline, and the lock is a reference count (6.15 and later)';
  return { mode: 'derived', target: null, why: `${why}: each release is given as an interval` };
}
