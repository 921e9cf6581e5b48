/* SPDX-License-Identifier: GPL-2.0-only */
/* What a task asks of mmap_lock, and which of two programs takes an event of it. */
#ifndef VMALOCKTOP_MMAP_WAIT_BPF_H
#define VMALOCKTOP_MMAP_WAIT_BPF_H

#include "compat.bpf.h"
#include "events.h"
#include "maps.bpf.h"
#include "rodata.bpf.h"

/* What a task asks of mmap_lock and of VMAs as a writer. Direct-mapped by pid. */
struct held {
	__u64 mm;
	__u64 ts;
};
struct mmap_wait {
	__u32 pid;
	__u32 holder;      /* tid */
	__u64 ts;          /* asked for mmap_lock; 0: not waiting */
	__u64 t_vma;       /* entered __vma_start_write */
	struct held held[2]; /* write locks that were sent: fork holds two */
	__u16 holder_prio;
	__u8 holder_kind;  /* enum vl_holder */
	__u8 claimed;       /* enum mm_event: taken already, by the program on the function that fires the tracepoint */
	__u8 vma_flags;     /* of the VL_W_VMA to come: VL_F_EXACT, VL_F_HOLDER_READER */
	__u8 pad[3];
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TASK_SLOTS);
	__type(key, __u32);
	__type(value, struct mmap_wait);
} mmap_waits SEC(".maps");

static __always_inline struct mmap_wait *my_mmap_wait(struct task_struct *task)
{
	__u32 i = (__u32)task->pid & (TASK_SLOTS - 1);

	return bpf_map_lookup_elem(&mmap_waits, &i);
}

static __always_inline struct mmap_wait *make_mmap_wait(struct task_struct *task)
{
	struct mmap_wait *wait = my_mmap_wait(task);

	if (wait && wait->pid != (__u32)task->pid) {
		__builtin_memset(wait, 0, sizeof *wait);
		wait->pid = task->pid;
	}
	return wait;
}

/*
 * Programs on tracepoints can be preempted in 7.x, and are then missed. The functions that fire mmap_lock's are hooked
 * too, with preemption off; only what the compiler folded into their callers (lock_mm_and_find_vma lies in the same
 * file) comes by the tracepoint alone. So the first to see an event takes it, and says so to the other.
 */
enum mm_event { MM_START = 1, MM_ACQUIRED = 2, MM_GIVEN_BACK = 3 };

static __always_inline int mm_claim(enum mm_event event)
{
	struct mmap_wait *wait = make_mmap_wait(bpf_get_current_task_btf());

	if (wait)
		wait->claimed = event;
	return 0;
}

static __always_inline bool mm_claimed(enum mm_event event)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct mmap_wait *wait;

	if (!mm_fired)
		return false;
	wait = my_mmap_wait(task);
	if (!wait || wait->pid != (__u32)task->pid || wait->claimed != event)
		return false;
	wait->claimed = 0;
	return true;
}

#endif
