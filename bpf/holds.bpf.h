/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who holds mmap_lock and who waits for it: a record of each hold that others queued behind, and of each wait that queued.
 * The tracepoint of the release fires before the lock is given back, so a task that waited for this hold still waits then,
 * and the record of a hold is in the ring before those of the waits behind it.
 */
#ifndef VMALOCKTOP_HOLDS_BPF_H
#define VMALOCKTOP_HOLDS_BPF_H

#include "compat.bpf.h"
#include "events.h"
#include "kernel.bpf.h"
#include "lock_scope.bpf.h"
#include "lockers.bpf.h"
#include "maps.bpf.h"
#include "rodata.bpf.h"
#include "send.bpf.h"
#include "state.bpf.h"

struct lock_event {
	__u64 mm, since, file, fork_wait, stack_ids;
	__u32 kind, flags, syscall, b, fork_threads, fork_vmas, fork_locked;
};

static __noinline int send_lock(struct lock_event *e, __u64 now)
{
	struct vl_writer *w;

	if (!e)
		return 0;
	w = begin_writer(bpf_get_current_task_btf(), e->kind, e->flags);
	if (!w)
		return 0;
	w->step.ts = now;
	w->step.a = e->syscall;
	w->step.b = e->b;
	w->acquired = e->since;
	w->mm = e->mm;
	w->fork_threads = e->fork_threads;
	w->fork_vmas = e->fork_vmas;
	w->fork_locked = e->fork_locked;
	w->fork_wait = e->fork_wait;
	__builtin_memcpy(w->file, &e->file, sizeof w->file);
	w->kernel_stack = KERNEL_STACK(e->stack_ids);
	w->user_stack = USER_STACK(e->stack_ids);
	bpf_ringbuf_submit(w, BPF_RB_NO_WAKEUP);
	return 0;
}

static __noinline int send_hold(struct locker *locker, __u64 which, struct mm_struct *mm, __u64 now, __u64 stack_ids)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct lock_event e = { .kind = VL_L_HELD, .stack_ids = stack_ids };
	struct lock_hold *hold;

	if (!locker)
		return 0;
	hold = &locker->held[which & 1];
	e.mm = hold->mm;
	e.since = hold->since;
	e.file = hold->file;
	e.flags = hold->flags;
	e.syscall = hold->syscall;
	e.b = owner_of(mm);
	if (!e.file && !(e.flags & VL_L_KTHREAD))
		e.file = file_read(task, e.syscall);
	if (e.flags & VL_L_FORK) {
		e.fork_threads = BPF_CORE_READ(task, signal, nr_threads);
		e.fork_vmas = BPF_CORE_READ(mm, map_count);
		e.fork_locked = locker->vmas;
		e.fork_wait = locker->vma_ns;
	}
	return send_lock(&e, now);
}

/* The hold `which` of `locker` is over, or is about to be. */
static __always_inline void hold_over(void *ctx, struct locker *locker, __u32 which, struct mm_struct *mm, bool awaited)
{
	struct lock_hold *hold = &locker->held[which & 1];

	if (awaited || hold->flags & VL_L_FORK || hold_min_ns) {
		__u64 now = bpf_ktime_get_ns();

		if (awaited || hold->flags & VL_L_FORK || now - hold->since >= hold_min_ns)
			send_hold(locker, which, mm, now, lock_stacks(ctx));
	}
	hold->mm = 0;
}

/* mmap_lock is about to be given back by a task that had it before the session, or whose acquisition was missed. */
static __always_inline void unknown_hold_over(void *ctx, struct task_struct *task, struct mm_struct *mm, __u64 id, bool write)
{
	struct lock_event e = { .kind = VL_L_HELD, .mm = id };

	if (!should_trace_lock(task, mm))
		return;
	e.flags = lock_flags(task, mm, write);
	e.syscall = current_syscall(task);
	e.b = owner_of(mm);
	e.stack_ids = lock_stacks(ctx);
	if (!(e.flags & VL_L_KTHREAD))
		e.file = file_read(task, e.syscall);
	send_lock(&e, bpf_ktime_get_ns());
}

static __always_inline void hold_begins(struct locker *locker, struct task_struct *task, struct mm_struct *mm, __u64 id,
					bool write, __u32 syscall, __u64 now)
{
	__u32 i = locker->held[0].mm && locker->held[0].mm != id;
	struct lock_hold *hold = &locker->held[i & 1];

	hold->mm = id;
	hold->since = now;
	hold->flags = lock_flags(task, mm, write);
	hold->syscall = syscall;
	hold->file = hold->flags & VL_L_FOREIGN ? file_read(task, syscall) : 0;
	locker->sent[i & 1] = 0;
	if (!write)
		return;
	locker->vmas = 0;
	locker->vma_ns = 0;
	/* Its second lock, of an mm that is not its own: dup_mmap's child, while the first is the parent's. */
	if (i && hold->flags & VL_L_FOREIGN && locker->held[0].flags & VL_L_WRITE)
		locker->held[0].flags |= VL_L_FORK;
}

/* Which hold of `locker` is of this mm; 2: none. */
static __always_inline __u32 hold_of(struct locker *locker, __u64 id)
{
	return locker->held[0].mm == id ? 0 : locker->held[1].mm == id ? 1 : 2;
}

/* The task has queued for it since `asked`, and has it. */
static __always_inline void wait_over(void *ctx, struct locker *locker, __u64 id, __u64 asked, __u64 now)
{
	struct lock_event e = { .kind = VL_L_WAITED, .mm = id, .since = asked, .flags = locker->flags,
				.syscall = locker->syscall, .b = locker->holder, .file = locker->file,
				.stack_ids = lock_stacks(ctx) };

	send_lock(&e, now);
}

/* A VMA of `mm` was write-locked: part of the hold under which that is done. A fork's VMAs are the parent's. */
static __always_inline void hold_locked_vma(struct locker *locker, __u64 mm, __u64 ns)
{
	if (locker->held[0].mm != mm)
		return;
	locker->vmas++;
	locker->vma_ns += ns;
}

#endif
