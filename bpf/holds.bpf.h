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
#include "holder.bpf.h"
#include "kernel.bpf.h"
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

/* mmap_lock is asked for. A trylock comes here as well, and is over at once. */
static __always_inline void hold_asked(struct task_struct *task, struct mm_struct *mm, bool write, __u64 now)
{
	struct locker *locker = my_locker(task);
	struct holder holder;

	if (!locker)
		return;
	leave_queue(locker); /* an end that was missed */
	locker->asked = now;
	locker->mm = mm_id_of(mm);
	if (!is_taken(mm, write))
		return;
	find_holder(mm, &holder);
	locker->holder = holder.tid;
	locker->flags = lock_flags(task, mm, write) | (holder.kind == VL_HOLDER_READER   ? VL_L_FOUND_READER
						       : holder.kind == VL_HOLDER_WRITER ? VL_L_FOUND_WRITER
											 : 0);
	locker->syscall = current_syscall(task);
	locker->queue = queue_of(locker->mm) + 1;
	__sync_fetch_and_add(&queues[queue_of(locker->mm)], 1);
	locker->file = locker->flags & VL_L_KTHREAD ? 0 : file_read(task, locker->syscall);
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

/* mmap_lock is about to be given back; `write`: it was held for write. */
static __always_inline void hold_over(void *ctx, struct task_struct *task, struct mm_struct *mm, bool write, __u64 now)
{
	struct locker *locker = my_locker(task);
	__u64 id = mm_id_of(mm);
	bool awaited = queues[queue_of(id)] != 0;
	__u32 i;

	if (!locker)
		return;
	i = locker->held[0].mm == id ? 0 : 1;
	if (locker->held[i].mm == id) {
		struct lock_hold *hold = &locker->held[i];

		if (awaited || hold->flags & VL_L_FORK || (hold_min_ns && now - hold->since >= hold_min_ns))
			send_hold(locker, i, mm, now, lock_stacks(ctx));
		hold->mm = 0;
	} else if (awaited) {
		struct lock_event e = { .kind = VL_L_HELD, .mm = id, .flags = lock_flags(task, mm, write),
					.syscall = current_syscall(task), .b = owner_of(mm), .stack_ids = lock_stacks(ctx) };

		if (!(e.flags & VL_L_KTHREAD))
			e.file = file_read(task, e.syscall);
		send_lock(&e, now);
	}
}

static __always_inline void hold_begins(struct locker *locker, struct task_struct *task, struct mm_struct *mm, __u64 id,
					bool write, __u64 now)
{
	__u32 i = locker->held[0].mm && locker->held[0].mm != id;
	struct lock_hold *hold = &locker->held[i & 1];

	hold->mm = id;
	hold->since = now;
	hold->flags = lock_flags(task, mm, write);
	hold->syscall = current_syscall(task);
	hold->file = hold->flags & VL_L_FOREIGN ? file_read(task, hold->syscall) : 0;
	if (!write)
		return;
	locker->vmas = 0;
	locker->vma_ns = 0;
	/* Its second lock, of an mm that is not its own: dup_mmap's child, while the first is the parent's. */
	if (i && hold->flags & VL_L_FOREIGN && locker->held[0].flags & VL_L_WRITE)
		locker->held[0].flags |= VL_L_FORK;
}

/* mmap_lock was acquired or not: a trylock fails, and a signal cuts a wait short. */
static __always_inline void hold_had(void *ctx, struct task_struct *task, struct mm_struct *mm, bool write, bool success,
				     __u64 now)
{
	struct locker *locker = my_locker(task);
	__u64 id = mm_id_of(mm), asked;
	bool queued;

	if (!locker)
		return;
	asked = locker->mm == id ? locker->asked : 0;
	queued = locker->queue != 0;
	locker->asked = 0;
	leave_queue(locker);
	if (!success)
		return;
	/* mmap_write_downgrade reports an acquisition for read without a start. */
	if (!asked && !write && (locker->held[0].mm == id || locker->held[1].mm == id))
		hold_over(ctx, task, mm, true, now);
	if (asked && queued) {
		struct lock_event e = { .kind = VL_L_WAITED, .mm = id, .since = asked, .flags = locker->flags,
					.syscall = locker->syscall, .b = locker->holder, .file = locker->file,
					.stack_ids = lock_stacks(ctx) };

		send_lock(&e, now);
	}
	hold_begins(locker, task, mm, id, write, now);
}

/* A VMA of `mm` was write-locked: part of the hold under which that is done. A fork's VMAs are the parent's. */
static __always_inline void hold_locked_vma(struct task_struct *task, __u64 mm, __u64 ns)
{
	struct locker *locker = locker_of(task);

	if (!locker || locker->pid != (__u32)task->pid || locker->held[0].mm != mm)
		return;
	locker->vmas++;
	locker->vma_ns += ns;
}

#endif
