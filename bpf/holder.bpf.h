/* SPDX-License-Identifier: GPL-2.0-only */
/* Who holds an mmap_lock. */
#ifndef VMALOCKTOP_HOLDER_BPF_H
#define VMALOCKTOP_HOLDER_BPF_H

#include "compat.bpf.h"
#include "events.h"
#include "pids.bpf.h"
#include "typed.bpf.h"

struct holder {
	__u32 tid;
	__u16 prio;
	__u8 kind; /* enum vl_holder */
};

/* On PREEMPT_RT a reader leaves no name; the rtmutex inside belongs to the writer, or for a moment to a reader on its
 * way in, so the owner is taken for the holder only where a writer has the lock. */
static __always_inline void find_rt_holder(struct rw_semaphore___rt *sem, struct holder *holder)
{
	__u32 readers = BPF_CORE_READ(sem, rwbase.readers.counter);
	struct task_struct *task;

	if (readers != RT_WRITER_BIAS) {
		holder->kind = readers & ~RT_READER_BIAS ? VL_HOLDER_READER : VL_HOLDER_NONE;
		return;
	}
	holder->kind = VL_HOLDER_WRITER;
	task = (void *)((__u64)BPF_CORE_READ(sem, rwbase.rtmutex.owner) & ~RT_MUTEX_HAS_WAITERS);
	if (!task)
		return;
	holder->tid = tid_of(task);
	holder->prio = BPF_CORE_READ(task, prio);
}

/* Who holds mmap_lock, by the owner word of its rw_semaphore. Nobody keeps it still for us: the count and the owner
 * must agree, or only the kind is reported; and of readers the word names the one that came last. `counts_us`: one of the
 * readers in the count is the current task, which has not got the lock (rwsem_read_trylock). */
static __always_inline void find_holder(struct mm_struct *of, struct holder *holder, bool counts_us)
{
	struct mm_struct *mm = TYPED(mm_struct, of);
	struct task_struct *task;
	__u64 locked, owner;

	holder->tid = 0;
	holder->prio = 0;
	if (!bpf_core_field_exists(mm->mmap_lock.count)) {
		find_rt_holder((void *)&mm->mmap_lock, holder);
		return;
	}
	locked = mm->mmap_lock.count.counter;
	owner = mm->mmap_lock.owner.counter;
	task = TYPED(task_struct, owner & ~RWSEM_OWNER_FLAGS);
	if (locked & RWSEM_WRITER_LOCKED)
		holder->kind = VL_HOLDER_WRITER;
	else if (RWSEM_READERS(locked) > counts_us)
		holder->kind = VL_HOLDER_READER;
	else
		holder->kind = VL_HOLDER_NONE;
	if (holder->kind == VL_HOLDER_NONE || !task)
		return;
	if (!!(owner & RWSEM_OWNER_READER) != (holder->kind == VL_HOLDER_READER))
		return;
	holder->tid = tid_of(task);
	holder->prio = task->prio;
}

#endif
