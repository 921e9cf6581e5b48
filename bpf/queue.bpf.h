/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who queues for an mmap_lock. Only a task that does not get the lock at once enters the slow paths of rw_semaphore
 * (kernel/locking/rwsem.c), so a writer that finds the lock free pays for none of this. Where the slow paths cannot be
 * hooked (PREEMPT_RT has others), the tracepoint mmap_lock_start_locking is used, which every acquisition passes.
 */
#ifndef VMALOCKTOP_QUEUE_BPF_H
#define VMALOCKTOP_QUEUE_BPF_H

#include "compat.bpf.h"
#include "events.h"
#include "holder.bpf.h"
#include "kernel.bpf.h"
#include "lock_scope.bpf.h"
#include "lockers.bpf.h"
#include "rodata.bpf.h"

/* `slow`: a reader in the slow path, which is counted among the readers already. */
static __always_inline void join_queue(struct locker *locker, struct task_struct *task, struct mm_struct *mm, bool write, bool slow)
{
	struct holder holder;

	find_holder(mm, &holder, slow && !write);
	locker->holder = holder.tid;
	locker->holder_prio = holder.prio;
	locker->holder_kind = holder.kind;
	locker->flags = lock_flags(task, mm, write) | (holder.kind == VL_HOLDER_READER   ? VL_L_FOUND_READER
						       : holder.kind == VL_HOLDER_WRITER ? VL_L_FOUND_WRITER
											 : 0);
	locker->syscall = current_syscall(task);
	locker->queue = queue_of(locker->mm) + 1;
	__sync_fetch_and_add(&queues[queue_of(locker->mm)], 1);
	locker->file = locker->flags & VL_L_KTHREAD ? 0 : file_read(task, locker->syscall);
}

static __always_inline struct locker *asks(struct task_struct *task, struct mm_struct *mm)
{
	struct locker *locker = my_locker(task);

	if (!locker)
		return NULL;
	leave_queue(locker); /* an end that was missed */
	locker->asked = bpf_ktime_get_ns();
	locker->mm = lock_id(locker, mm);
	return locker;
}

/*
 * The mm of this mmap_lock; NULL: it is some other rw_semaphore. It is taken for an mm if the task that its `owner` names
 * has it as its own mm.
 */
static __always_inline struct mm_struct *mm_of_lock(struct task_struct *task, void *sem)
{
	struct locker *locker = locker_of(task);
	struct task_struct *owner;
	__u64 at;

	if (!locker)
		return NULL;
	NUMBER(locker->number, sem);
	at = *(volatile __u64 *)&locker->number - bpf_core_field_offset(struct mm_struct, mmap_lock);
	NUMBER(locker->number, task->mm);
	if (*(volatile __u64 *)&locker->number == at)
		return (void *)at;
	owner = owner_task((void *)at);
	return owner && (__u64)BPF_CORE_READ(owner, mm) == at ? (void *)at : NULL;
}

/* rwsem_down_read_slowpath, rwsem_down_write_slowpath: an rw_semaphore was not free. */
static __always_inline int on_queue(void *sem, bool write)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct locker *locker;
	struct mm_struct *mm;

	if (!in_session())
		return 0;
	mm = mm_of_lock(task, sem);
	if (!mm || !should_trace_lock(task, mm))
		return 0;
	locker = asks(task, mm);
	if (locker)
		join_queue(locker, task, mm, write, true);
	return 0;
}

/* Whether an acquisition would not succeed at once. */
static __always_inline bool is_taken(struct mm_struct *mm, bool write)
{
	struct rw_semaphore___rt *rt = (void *)&mm->mmap_lock;
	__u64 locked;

	if (!bpf_core_field_exists(mm->mmap_lock.count)) {
		__u32 readers = BPF_CORE_READ(rt, rwbase.readers.counter);

		return write ? readers != RT_READER_BIAS : !(readers & RT_READER_BIAS);
	}
	locked = BPF_CORE_READ(mm, mmap_lock.count.counter);
	return write ? locked != 0 : (locked & RWSEM_READ_FAILED) != 0;
}

/* A task asks for mmap_lock. A trylock comes here as well, and is over at once. */
static __always_inline int on_mm_start(struct mm_struct *mm, bool write)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct locker *locker;

	if (!should_trace_lock(task, mm))
		return 0;
	locker = asks(task, mm);
	if (locker && is_taken(mm, write))
		join_queue(locker, task, mm, write, false);
	return 0;
}

#endif
