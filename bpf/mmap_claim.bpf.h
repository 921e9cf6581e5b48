/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs on tracepoints can be preempted in 7.x, and are then missed. The functions that fire mmap_lock's are hooked
 * too, with preemption off; only what the compiler folded into their callers (lock_mm_and_find_vma lies in the same
 * file) comes by the tracepoint alone. So the first to see an event takes it, and says so to the other.
 */
#ifndef VMALOCKTOP_MMAP_CLAIM_BPF_H
#define VMALOCKTOP_MMAP_CLAIM_BPF_H

#include "compat.bpf.h"
#include "lockers.bpf.h"
#include "rodata.bpf.h"

enum mm_event { MM_START = 1, MM_ACQUIRED = 2, MM_GIVEN_BACK = 3 };

static __always_inline int mm_claim(enum mm_event event)
{
	struct locker *locker = my_locker(bpf_get_current_task_btf());

	if (locker)
		locker->claimed = event;
	return 0;
}

static __always_inline bool mm_claimed(enum mm_event event)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct locker *locker;

	if (!mm_fired)
		return false;
	locker = locker_of(task);
	if (!locker || locker->pid != (__u32)task->pid || locker->claimed != event)
		return false;
	locker->claimed = 0;
	return true;
}

#endif
