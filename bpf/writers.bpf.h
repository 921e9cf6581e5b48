/* SPDX-License-Identifier: GPL-2.0-only */
/* Writers: who write-locks mmap_lock and VMAs, sent as records of their own, and other users of the VMA lock. */
#ifndef VMALOCKTOP_WRITERS_BPF_H
#define VMALOCKTOP_WRITERS_BPF_H

#include "compat.bpf.h"
#include "counters.h"
#include "events.h"
#include "holds.bpf.h"
#include "kernel.bpf.h"
#include "lockers.bpf.h"
#include "maps.bpf.h"
#include "mmap_wait.bpf.h"
#include "pids.bpf.h"
#include "record.bpf.h"
#include "rodata.bpf.h"
#include "send.bpf.h"
#include "state.bpf.h"
#include "vma_hold.bpf.h"

static __always_inline void remember_writer(struct task_struct *task, __u64 mm_id, void *mm, __u32 syscall)
{
	struct mm_writers *known = bpf_map_lookup_elem(&writers, &mm_id);
	struct mm_writer writer = { .tid = my_tid(task), .syscall = syscall };

	if (!read_mm_seq(mm, &writer.seq))
		return;
	if (known) {
		/* mmap_lock is held for write: no other writer of this mm is here. */
		known->latest[known->n & (LATEST - 1)] = writer;
		known->n++;
	} else {
		struct mm_writers first = { .n = 1 };

		first.latest[0] = writer;
		bpf_map_update_elem(&writers, &mm_id, &first, BPF_ANY);
	}
}

/* What a writer did; the caller adds what its kind has, and submits. NULL: there was no room. */
static __always_inline struct vl_writer *begin_write(__u64 mm, __u32 kind, __u8 flags, __u64 acquired, __u64 ab)
{
	struct vl_writer *w = begin_writer(bpf_get_current_task_btf(), kind, flags);

	if (!w)
		return NULL;
	w->step.ts = bpf_ktime_get_ns();
	w->step.a = ab >> 32;
	w->step.b = (__u32)ab;
	w->acquired = acquired;
	w->mm = mm;
	return w;
}

static __always_inline void write_locked(void *ctx, struct task_struct *task, struct mmap_wait *wait, struct mm_struct *mm,
					 __u64 mm_id, __u64 asked, __u64 now)
{
	__u32 syscall = current_syscall(task), flags = 0, i;
	struct vl_writer *w;
	__u64 stack_ids;

	remember_writer(task, mm_id, mm, syscall);
	if (now - asked < writer_min_ns && !retry_windows[window_of(mm_id)])
		return;
	if (wait->holder_kind == VL_HOLDER_READER)
		flags = VL_F_HOLDER_READER;
	else if (wait->holder_kind == VL_HOLDER_WRITER)
		flags = VL_F_HOLDER_WRITER;
	if (wait->holder && wait->holder_prio > (__u32)task->prio)
		flags |= VL_F_INVERTED;
	stack_ids = lock_stacks(ctx);
	i = wait->held[0].mm != 0;
	wait->held[i & 1].mm = mm_id;
	wait->held[i & 1].ts = now;
	w = begin_write(mm_id, VL_W_ACQUIRED, flags, asked, AB(syscall, wait->holder));
	if (!w)
		return;
	w->prio = task->prio;
	w->holder_prio = wait->holder_prio;
	w->kernel_stack = KERNEL_STACK(stack_ids);
	w->user_stack = USER_STACK(stack_ids);
	bpf_ringbuf_submit(w, BPF_RB_NO_WAKEUP);
}

static __always_inline void write_released(struct task_struct *task, struct mmap_wait *wait, __u64 mm_id)
{
	struct vl_writer *w;

	for (int i = 0; i < 2; i++) {
		if (wait->held[i].mm != mm_id)
			continue;
		wait->held[i].mm = 0;
		w = begin_write(mm_id, VL_W_RELEASED, 0, wait->held[i].ts, AB(current_syscall(task), 0));
		if (w)
			bpf_ringbuf_submit(w, BPF_RB_NO_WAKEUP);
		return;
	}
}

/* 6.15 and later: a writer write-locks a VMA, which waits for its readers. */
static __always_inline int on_vma_write_enter(struct vm_area_struct *vma)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct vm_area_struct___refcnt *counted = (void *)vma;
	struct mmap_wait *wait;

	if (!should_trace_lock(task, BPF_CORE_READ(vma, vm_mm)))
		return 0;
	count(VL_C_W_VMA);
	wait = my_mmap_wait(task);
	if (!wait || wait->pid != (__u32)task->pid)
		return 0;
	wait->t_vma = bpf_ktime_get_ns();
	wait->vma_flags = 0;
	if (bpf_core_field_exists(counted->vm_refcnt))
		wait->vma_flags = vma_readers(counted->vm_refcnt.refs.counter) ? VL_F_EXACT | VL_F_HOLDER_READER : VL_F_EXACT;
	return 0;
}

static __always_inline int on_vma_write_exit(struct vm_area_struct *vma)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct vl_writer *w;
	struct mmap_wait *wait;
	__u64 began, waited, mm;

	if (!in_session())
		return 0;
	wait = my_mmap_wait(task);
	if (!wait || wait->pid != (__u32)task->pid || !wait->t_vma)
		return 0;
	began = wait->t_vma;
	wait->t_vma = 0;
	waited = bpf_ktime_get_ns() - began;
	mm = MM_ID(BPF_CORE_READ(vma, vm_mm));
	hold_locked_vma(task, mm, waited);
	if (waited < writer_min_ns && !(wait->vma_flags & VL_F_HOLDER_READER) && !retry_windows[window_of(mm)])
		return 0;
	w = begin_write(mm, VL_W_VMA, wait->vma_flags | (task->flags & PF_KTHREAD ? VL_L_KTHREAD : 0), began,
			AB(current_syscall(task), waited > 0xffffffffull ? 0xffffffffu : (__u32)waited));
	if (!w)
		return 0;
	w->vma_start = BPF_CORE_READ(vma, vm_start);
	w->vma_end = BPF_CORE_READ(vma, vm_end);
	bpf_ringbuf_submit(w, BPF_RB_NO_WAKEUP);
	return 0;
}

/* VMA locks taken by others than faults. */
static __always_inline int on_other_user(enum vl_counter counter, struct mm_struct *mm)
{
	if (should_trace_lock(bpf_get_current_task_btf(), mm))
		count(counter);
	return 0;
}

#endif
