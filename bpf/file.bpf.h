/* SPDX-License-Identifier: GPL-2.0-only */
/* File faults: filemap_fault and shmem_fault. They have no record until they sleep or return RETRY. */
#ifndef VMALOCKTOP_FILE_BPF_H
#define VMALOCKTOP_FILE_BPF_H

#include "compat.bpf.h"
#include "counters.h"
#include "events.h"
#include "fallback.bpf.h"
#include "kernel.bpf.h"
#include "pending.bpf.h"
#include "record.bpf.h"
#include "send.bpf.h"
#include "state.bpf.h"
#include "swap_pending.bpf.h"
#include "vfs.bpf.h"

/* Makes the record of a file fault that turned out worth it: it sleeps, or it returned RETRY. */
static __noinline struct rec *rec_from_pending(struct pending *pending, __u32 kind)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state;
	struct rec *rec;
	__u32 failed;

	if (!pending)
		return NULL;
	state = make_state(task);
	if (!state)
		return NULL;
	if (state->n)
		abandon_all(kind);
	rec = open_rec(task, state, true, !in_scope(VL_SCOPE_RETRY));
	if (!rec)
		return NULL;
	rec->mm = MM_ID(NUMBER_OF(rec->mm, task->mm));
	rec->address = pending->address;
	rec->vma_start = pending->vma_start;
	rec->vma_end = pending->vma_end;
	rec->vm_flags = pending->vm_flags;
	rec->vma = pending->vma;
	rec->seq = pending->seq;
	rec->mm_seq = pending->mm_seq;
	rec->have = HAVE_VMA;
	rec->vmf = pending->vmf;
	rec->file = pending->file;
	rec->state = IN_FILE;
	rec->acquired = take_start(task, &failed);
	pending->have &= ~PENDING_FILE;
	send(rec, VL_FILE_ENTER, 0, pending->t_file, AB(pending->flags, pending->file));
	open_window(rec);
	return rec;
}

/* The record of the pass that comes here: the second one, or one that do_swap_page opened (a pte marker of a file). */
static __always_inline bool is_of_pass(struct rec *rec, struct vm_fault *vmf)
{
	if (rec->state & (IN_FILE | RETRIED | IN_MM_LOCK | AWAIT_ANY))
		return false;
	return rec->vmf == (__u64)vmf ||
	       (rec->state & MM_LOCKED && rec->address == PAGE_OF(BPF_CORE_READ(vmf, address)));
}

static __always_inline int on_file_enter(struct vm_fault *vmf, __u32 which)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct vm_area_struct *vma;
	struct task_state *state;
	struct pending *pending;
	struct rec *rec;
	__u32 flags;

	if (!should_trace(task) || task->flags & PF_KTHREAD)
		return 0;
	count(which == VL_FILE_SHMEM ? VL_C_SHMEM : VL_C_FILE);
	flags = BPF_CORE_READ(vmf, flags);
	/* Inside do_swap_page: a PTE marker of a file. */
	rec = current_or_pending(task, &state);
	if (rec && rec->address == PAGE_OF(BPF_CORE_READ(vmf, address)))
		found_later(rec, (__u64)BPF_CORE_READ(vmf, vma));
	if (rec)
		try_again(rec, flags, PAGE_OF(BPF_CORE_READ(vmf, address)), (__u64)vmf);
	if (rec && is_of_pass(rec, vmf)) {
		rec->vmf = (__u64)vmf;
		rec->file = which;
		rec->state = (rec->state & ~SLEPT) | IN_FILE;
		return send(rec, VL_FILE_ENTER, 0, bpf_ktime_get_ns(), AB(flags, which));
	}
	if (!(flags & F(VMA_LOCK)))
		return 0;
	pending = make_pending(task);
	if (!pending)
		return 0;
	vma = BPF_CORE_READ(vmf, vma);
	pending->have |= PENDING_FILE;
	pending->t_file = bpf_ktime_get_ns();
	pending->vmf = (__u64)vmf;
	pending->flags = flags;
	pending->address = PAGE_OF(BPF_CORE_READ(vmf, address));
	pending->vma = (__u64)vma;
	pending->vma_start = BPF_CORE_READ(vma, vm_start);
	pending->vma_end = BPF_CORE_READ(vma, vm_end);
	pending->vm_flags = BPF_CORE_READ(vma, vm_flags);
	pending->file = which;
	read_vma_seq(vma, &pending->seq, false);
	read_mm_seq(BPF_CORE_READ(vma, vm_mm), &pending->mm_seq, false);
	if (which == VL_FILE_SHMEM && BPF_CORE_READ(vma, vm_file, f_inode, i_private))
		pending->file |= VL_FILE_PUNCH;
	return 0;
}

static __always_inline int on_file_exit(__u32 which, __u32 ret)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state;
	struct pending *pending;
	struct rec *rec;

	if (!should_trace(task) || task->flags & PF_KTHREAD)
		return 0;
	if (ret & R_RETRY)
		count(which == VL_FILE_SHMEM ? VL_C_SHMEM_RETRY : VL_C_FILE_RETRY);
	rec = current_rec(task, &state);
	if (!rec || !(rec->state & IN_FILE)) {
		pending = pending_with(task, PENDING_FILE);
		if (!pending)
			return 0;
		if (!(ret & R_RETRY)) {
			pending->have &= ~PENDING_FILE;
			return 0;
		}
		rec = rec_from_pending(pending, VL_FILE_EXIT);
		if (!rec)
			return 0;
	}
	if (ret & R_RETRY)
		rec->have |= HAVE_INNER;
	rec->state &= ~IN_FILE;
	return send(rec, VL_FILE_EXIT, 0, bpf_ktime_get_ns(), AB(rec->file, ret));
}

/* The first sleep of a fault in filemap_fault or shmem_fault: from here on it is worth looking at. */
static __always_inline int on_file_sleep(void *ctx, struct task_struct *task, struct rec *rec)
{
	struct pending *pending;
	__u64 ts;

	if (!rec || !(rec->state & IN_FILE)) {
		pending = pending_with(task, PENDING_FILE);
		if (!pending)
			return 0;
		if (!pending_holds(pending)) {
			pending->have &= ~PENDING_FILE;
			return 0;
		}
		rec = rec_from_pending(pending, VL_FILE_SLEEP);
		if (!rec)
			return 0;
	}
	if (rec->state & SLEPT)
		return 0;
	rec->state |= SLEPT;
	ts = bpf_ktime_get_ns();
	send(rec, VL_FILE_SLEEP, 0, ts, 0);
	send_stack(ctx, rec, ts);
	return 0;
}

/* Evidence from inside filemap_fault. These functions serve read(2) as well: with nothing pending there is nothing to do. */
static __always_inline int on_file_evidence(__u32 what)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state;
	struct pending *pending;
	struct rec *rec = current_rec(task, &state);

	if (rec && rec->state & IN_FILE) {
		rec->file |= what;
		return 0;
	}
	pending = pending_with(task, PENDING_FILE);
	if (pending && pending_holds(pending))
		pending->file |= what;
	return 0;
}

#endif
