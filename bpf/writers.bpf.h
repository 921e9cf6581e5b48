/* SPDX-License-Identifier: GPL-2.0-only */
/* Writers: who write-locks mmap_lock and VMAs, sent as records of their own, and other users of the VMA lock. */
#ifndef VMALOCKTOP_WRITERS_BPF_H
#define VMALOCKTOP_WRITERS_BPF_H

#include "arch.bpf.h"
#include "compat.bpf.h"
#include "counters.h"
#include "events.h"
#include "holds.bpf.h"
#include "kernel.bpf.h"
#include "lock_scope.bpf.h"
#include "lockers.bpf.h"
#include "maps.bpf.h"
#include "pids.bpf.h"
#include "record.bpf.h"
#include "rodata.bpf.h"
#include "send.bpf.h"
#include "state.bpf.h"
#include "vma_hold.bpf.h"

static __always_inline void remember_writer(struct task_struct *task, __u64 mm_id, __u32 seq, __u32 syscall)
{
	struct mm_writers *known = writers_of(mm_id);
	struct mm_writer writer = { .seq = seq, .tid = my_tid(task), .syscall = syscall, .mark = writer_mark(mm_id) };

	if (!known)
		return;
	/* mmap_lock is held for write: no other writer of this mm is here. */
	if (known->mm != mm_id) {
		__builtin_memset(known, 0, sizeof *known);
		known->mm = mm_id;
	}
	known->latest[known->n & (LATEST - 1)] = writer;
	known->n++;
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

/*
 * The part of its own mm that a writer's system call names: it write-locks VMAs that overlap it, and those beside it that it merges
 * with. mremap is left out: where it moves to is not known yet.
 */
static __always_inline void name_range(struct task_struct *task, struct mm_struct *mm, __u32 syscall, struct vl_writer *w)
{
	struct pt_regs *regs;
	__u64 start, end;

	if (task->mm != mm || !SYSCALL_NAMES_RANGE(syscall))
		return;
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	if (!SYSCALL_IS_64(regs))
		return;
	start = SYSCALL_ARG1(regs) & PAGE_MASK;
	end = (SYSCALL_ARG1(regs) + SYSCALL_ARG2(regs) + ~PAGE_MASK) & PAGE_MASK;
	/* An address with a tag in its top byte (arm64; LAM of x86) is not where the VMA is. */
	if (end <= start || start >> 56)
		return;
	w->vma_start = start;
	w->vma_end = end;
}

static __always_inline void write_locked(void *ctx, struct task_struct *task, struct locker *locker, struct mm_struct *mm,
					 __u64 id, bool queued, __u64 asked, __u64 now, __u32 syscall)
{
	__u32 which = hold_of(locker, id) & 1, flags = 0, seq;
	struct vl_writer *w;
	__u64 stack_ids;

	if (read_locked_seq(task, mm, &seq)) {
		locker->seq[which] = seq;
		remember_writer(task, id, seq, syscall);
	}
	if (now - asked < writer_min_ns && !retry_windows[window_of(id)])
		return;
	if (queued && locker->holder_kind == VL_HOLDER_READER)
		flags = VL_F_HOLDER_READER;
	else if (queued && locker->holder_kind == VL_HOLDER_WRITER)
		flags = VL_F_HOLDER_WRITER;
	if (queued && locker->holder && locker->holder_prio > (__u32)task->prio)
		flags |= VL_F_INVERTED;
	stack_ids = lock_stacks(ctx);
	locker->sent[which] = 1;
	w = begin_write(id, VL_W_ACQUIRED, flags, asked, AB(syscall, queued ? locker->holder : 0));
	if (!w)
		return;
	name_range(task, mm, syscall, w);
	w->prio = task->prio;
	w->holder_prio = queued ? locker->holder_prio : 0;
	w->kernel_stack = KERNEL_STACK(stack_ids);
	w->user_stack = USER_STACK(stack_ids);
	bpf_ringbuf_submit(w, BPF_RB_NO_WAKEUP);
}

static __always_inline void write_released(struct task_struct *task, struct locker *locker, __u32 which, __u64 id)
{
	struct vl_writer *w;

	locker->sent[which & 1] = 0;
	w = begin_write(id, VL_W_RELEASED, 0, locker->held[which & 1].since, AB(current_syscall(task), 0));
	if (w)
		bpf_ringbuf_submit(w, BPF_RB_NO_WAKEUP);
}

/*
 * mmap_lock is downgraded: the hold for write is over, and one for read begins. The sequence is what it was when the hold
 * began. If it is not, the end of that hold was missed: then this is a reader that got the lock at once, and nothing
 * is known of the hold before it except that there was one.
 */
static __always_inline void write_over(void *ctx, struct task_struct *task, struct locker *locker, __u32 which, struct mm_struct *mm)
{
	__u64 id = locker->held[which & 1].mm;
	__u32 seq;

	if (!read_locked_seq(task, mm, &seq) || seq != locker->seq[which & 1]) {
		locker->held[which & 1].mm = 0;
		count_lost_hold();
		return;
	}
	hold_over(ctx, locker, which, mm, queues[queue_of(id)] != 0);
	if (locker->sent[which & 1])
		write_released(task, locker, which, id);
}

/* 6.15 and later: a writer write-locks a VMA, which waits for its readers. */
static __always_inline int on_vma_write_enter(struct vm_area_struct *vma)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct vm_area_struct___refcnt *counted = (void *)vma;
	struct locker *locker;

	if (!should_trace_lock(task, vma->vm_mm))
		return 0;
	count(VL_C_W_VMA);
	locker = locker_of(task);
	if (!locker || locker->pid != (__u32)task->pid)
		return 0;
	locker->t_vma = bpf_ktime_get_ns();
	locker->sleeps = (__u8)task->nvcsw;
	locker->vma_flags = 0;
	if (bpf_core_field_exists(counted->vm_refcnt))
		locker->vma_flags = vma_readers(counted->vm_refcnt.refs.counter) ? VL_F_EXACT | VL_F_HOLDER_READER : VL_F_EXACT;
	return 0;
}

static __always_inline int submit_vma(struct vl_writer *w, struct vm_area_struct *vma)
{
	if (!w)
		return 0;
	w->vma_start = vma->vm_start;
	w->vma_end = vma->vm_end;
	bpf_ringbuf_submit(w, BPF_RB_NO_WAKEUP);
	return 0;
}

/*
 * Nearly all find no reader. One that does sleeps (rcuwait_wait_event), which its count of voluntary switches shows; time
 * that went by without that is no wait.
 */
static __always_inline int on_vma_write_exit(struct vm_area_struct *vma)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct locker *locker = locker_of(task);
	struct vl_writer *w;
	__u64 began, waited, mm;
	bool slept;

	if (!locker || locker->pid != (__u32)task->pid || !locker->t_vma || !in_session())
		return 0;
	began = locker->t_vma;
	locker->t_vma = 0;
	mm = lock_id(locker, vma->vm_mm);
	slept = locker->sleeps != (__u8)task->nvcsw;
	if (!slept && !(locker->vma_flags & VL_F_HOLDER_READER) && !retry_windows[window_of(mm)]) {
		hold_locked_vma(locker, mm, 0);
		return 0;
	}
	waited = bpf_ktime_get_ns() - began;
	hold_locked_vma(locker, mm, waited);
	w = begin_write(mm, VL_W_VMA, locker->vma_flags | (task->flags & PF_KTHREAD ? VL_L_KTHREAD : 0), began,
			AB(current_syscall(task), waited > 0xffffffffull ? 0xffffffffu : (__u32)waited));
	return submit_vma(w, vma);
}

/*
 * Up to 6.14 vma_start_write is inline. dup_mmap has write-locked a VMA when it copies its page tables, and the lock lasts until
 * all are copied. It does so for every VMA but those with VM_DONTCOPY or VM_WIPEONFORK.
 */
static __always_inline int on_vma_copied(struct vm_area_struct *vma)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct locker *locker;
	struct vl_writer *w;
	__u64 mm;

	if (!should_trace_lock(task, vma->vm_mm))
		return 0;
	locker = locker_of(task);
	if (!locker || locker->pid != (__u32)task->pid)
		return 0;
	mm = lock_id(locker, vma->vm_mm);
	if (!retry_windows[window_of(mm)])
		return 0;
	w = begin_write(mm, VL_L_COPIED, 0, 0, AB(current_syscall(task), 0));
	return submit_vma(w, vma);
}

/* VMA locks taken by others than faults. */
static __always_inline int on_other_user(enum vl_counter counter, struct mm_struct *mm)
{
	if (should_trace_lock(bpf_get_current_task_btf(), mm))
		count(counter);
	return 0;
}

#endif
