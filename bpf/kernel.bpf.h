/* SPDX-License-Identifier: GPL-2.0-only */
/* Read from the kernel: lock sequences, the system call, the stack. */
#ifndef VMALOCKTOP_KERNEL_BPF_H
#define VMALOCKTOP_KERNEL_BPF_H

#include "arch.bpf.h"
#include "compat.bpf.h"
#include "events.h"
#include "maps.bpf.h"
#include "rodata.bpf.h"
#include "send.bpf.h"
#include "state.bpf.h"
#include "typed.bpf.h"

/* mm_lock_seq as it stands; false where the kernel has none. Racy unless mmap_lock is held: then it cannot move. */
static __always_inline bool read_mm_seq(void *mm, __u32 *seq, bool direct)
{
	struct mm_struct___seqcount *counted = mm;
	struct mm_struct___int *plain = mm;

	if (bpf_core_field_exists(counted->mm_lock_seq.sequence))
		*seq = FIELD(counted, mm_lock_seq.sequence, direct);
	else if (bpf_core_field_exists(plain->mm_lock_seq))
		*seq = (__u32)FIELD(plain, mm_lock_seq, direct);
	else
		return false;
	return true;
}

/* The same of an mm that may be the task's own, whose pointer has a type. */
static __always_inline bool read_locked_seq(struct task_struct *task, struct mm_struct *mm, __u32 *seq)
{
	return task->mm == mm ? read_mm_seq(task->mm, seq, true) : read_mm_seq(mm, seq, false);
}

static __always_inline bool read_vma_seq(void *vma, __u32 *seq, bool direct)
{
	struct vm_area_struct___seq *with_seq = vma;

	if (!bpf_core_field_exists(with_seq->vm_lock_seq))
		return false;
	*seq = FIELD(with_seq, vm_lock_seq, direct);
	return true;
}

/* The system call the task is in; ~0 in none and for kernel threads. */
static __always_inline __u32 current_syscall(struct task_struct *task)
{
	struct pt_regs *regs;

	if (task->flags & PF_KTHREAD)
		return ~0u;
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	return (__u32)SYSCALL_NR(regs);
}

/* Whether the kernel stack that led here passes through a function, by its addresses; false where they are not known. */
#define STACK_DEPTH 16
/* Not inlined: what it takes of the stack would add to that of everything its callers call. */
static __noinline bool stack_through(void *ctx, __u64 caller, __u64 lo, __u64 hi)
{
	/* Not initialised: kernels of 6.17's kind take this helper for one that reads, so that zeros written here would still be zeros to their verifier. */
	__u64 ips[STACK_DEPTH];
	long size;

	if (caller >= lo && caller < hi)
		return true;
	if (!lo || (size = bpf_get_stack(ctx, ips, sizeof ips, 0)) < 0)
		return false;
	for (int i = 0; i < STACK_DEPTH && i * (long)sizeof ips[0] < size; i++)
		if (ips[i] >= lo && ips[i] < hi)
			return true;
	return false;
}

/* Ids of the stacks that led here, as the session wants them: the user's in the high half, the kernel's in the low one; ~0 none. */
#define KERNEL_STACK(stack_ids) ((__u32)(stack_ids))
#define USER_STACK(stack_ids) ((__u32)((stack_ids) >> 32))
static __always_inline __u64 lock_stacks(void *ctx)
{
	long kernel = -1, user = -1;

	if (stack_kernel && ctx)
		kernel = bpf_get_stackid(ctx, &stacks, 0);
	if (stack_user && ctx)
		user = bpf_get_stackid(ctx, &stacks, BPF_F_USER_STACK);
	return AB(user < 0 ? ~0u : (__u32)user, kernel < 0 ? ~0u : (__u32)kernel);
}

/* Where the step just sent came from, once an attempt. */
static __always_inline void send_stack(void *ctx, struct rec *rec, __u64 ts)
{
	long kernel = -1, user = -1;

	if ((!stack_kernel && !stack_user) || rec->quiet || rec->have & HAVE_STACK)
		return;
	rec->have |= HAVE_STACK;
	if (stack_kernel)
		kernel = bpf_get_stackid(ctx, &stacks, 0);
	if (stack_user)
		user = bpf_get_stackid(ctx, &stacks, BPF_F_USER_STACK);
	send(rec, VL_STACK, 0, ts, AB(kernel < 0 ? ~0u : (__u32)kernel, user < 0 ? ~0u : (__u32)user));
}

#endif
