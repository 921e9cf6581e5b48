// SPDX-License-Identifier: MIT
/** What the kernel's own counters say of mmap_lock and of VMA locks that no fault took, as far as hooks fed them. */
import { VlCounter } from '../../schema/events.gen.js';
import { isHooked, type SessionInfo } from '../events/session.js';
import type { Snapshot } from './snapshot.js';
import type { MmapLockSide } from './snapshot-rows.js';

/** Upper bounds of the decades but the last, as people write them. */
export const DECADE_TITLES: readonly string[] = ['<1us', '<10us', '<100us', '<1ms', '<10ms', '<100ms', '<1s', 'longer'];

/** Why a hook's figures are not known: its note, or that this session (an older recording) has no such hook. */
export function whyNotHooked(session: SessionInfo, target: string): string {
  const hook = session.hooks.find((h) => h.target === target);
  if (hook === undefined) return `${target} was not asked for in this session`;
  return hook.attached ? '' : `${target} is not hooked${hook.note === '' ? '' : `: ${hook.note}`}`;
}

function side(kernel: Float64Array, acquired: number, waitNs: number, first: number): MmapLockSide {
  return {
    acquired: kernel[acquired] ?? 0,
    waitNs: kernel[waitNs] ?? 0,
    decades: [...kernel.subarray(first, first + DECADE_TITLES.length)],
  };
}

/** Acquisitions are counted where they are timed: in the tracepoint that reports them. */
export const MMAP_LOCK_HOOK = 'mmap_lock_acquire_returned';

/** Who write-locks a VMA, and waits for those who hold its lock for read. From 6.15 on; before, vma_start_write is inline. */
export const VMA_WRITE_HOOK = '__vma_start_write';

/** The slow path of rw_semaphore for readers, such as faults: entered by those who queue. */
export const MMAP_SLOW_PATH = 'rwsem_down_read_slowpath';

/** Of these one shows that somebody queues for mmap_lock. */
export const MMAP_QUEUE_HOOKS: readonly string[] = [MMAP_SLOW_PATH, 'mmap_lock_start_locking'];

/** Whether the time a fallback queued for mmap_lock is known apart from the rest. */
export function seesQueue(session: SessionInfo): boolean {
  return MMAP_QUEUE_HOOKS.some((target) => isHooked(session, target));
}

/** Why it is not known who held mmap_lock; '' when it is. */
export function whyNoBlockers(session: SessionInfo): string {
  const why = whyNotHooked(session, MMAP_LOCK_HOOK);
  if (why !== '') return why;
  return session.holdMinUs === undefined ? 'this session was recorded by a version that did not look' : '';
}

/** Why it is not known which writers waited for those who hold a VMA's lock for read; '' when its hook is attached. */
export function whyNoVmaWaits(session: SessionInfo): string {
  const why = whyNotHooked(session, VMA_WRITE_HOOK);
  return why === '' ? 'this session was recorded by a version that did not look who held the VMA' : why;
}

export function mmapLockOf(session: SessionInfo, kernel: Float64Array): Snapshot['mmapLock'] {
  return {
    read: side(kernel, VlCounter.MM_READ, VlCounter.MM_READ_NS, VlCounter.MM_READ_1US),
    write: side(kernel, VlCounter.MM_WRITE, VlCounter.MM_WRITE_NS, VlCounter.MM_WRITE_1US),
    tryFailed: kernel[VlCounter.MM_TRY_FAILED] ?? 0,
    known: isHooked(session, MMAP_LOCK_HOOK),
  };
}

/**
 * Which hook shows which user: userfaultfd ioctls lock by uffd_lock_vma, readers of /proc/PID/maps by lock_next_vma
 * (7.x), madvise by madvise_vma_behavior with MADVISE_VMA_READ_LOCK (6.17 and later). The rest calls
 * lock_vma_under_rcu as faults do: where that is hooked, a lock that no fault followed is someone else's, and a kernel
 * thread's is DAMON's.
 */
export const OTHER_USERS: readonly (readonly [
  user: keyof Snapshot['otherUsers'],
  counter: number,
  hook: string | null,
  title: string,
])[] = [
  ['userfaultfd', VlCounter.USER_UFFD, 'uffd_lock_vma', 'userfaultfd ioctls'],
  ['procfs', VlCounter.USER_PROCFS, 'lock_next_vma', 'readers of /proc/PID/maps'],
  ['madvise', VlCounter.USER_MADVISE, 'madvise_vma_behavior', 'madvise'],
  ['damon', VlCounter.USER_DAMON, 'lock_vma_under_rcu', 'DAMON'],
  ['other', VlCounter.USER_OTHER, 'lock_vma_under_rcu', 'other system calls'],
];

/** Why a user's count is null; '' when it is not. */
export function whyNoUser(session: SessionInfo, user: keyof Snapshot['otherUsers']): string {
  const hook = OTHER_USERS.find(([name]) => name === user)?.[2] ?? null;
  return hook === null ? 'no hook distinguishes it from a fault' : whyNotHooked(session, hook);
}

export function otherUsersOf(session: SessionInfo, kernel: Float64Array): Snapshot['otherUsers'] {
  // userfaultfd and madvise (one call each) come by lock_vma_under_rcu, and are named already.
  const named = (kernel[VlCounter.USER_UFFD] ?? 0) + (kernel[VlCounter.USER_MADVISE] ?? 0);
  return Object.fromEntries(
    OTHER_USERS.map(([user, counter, hook]) => {
      if (hook === null || !isHooked(session, hook)) return [user, null];
      const count = kernel[counter] ?? 0;
      return [user, user === 'other' ? Math.max(0, count - named) : count];
    }),
  ) as Record<keyof Snapshot['otherUsers'], number | null>;
}
