/* SPDX-License-Identifier: GPL-2.0-only */
/* What may take long inside an attempt, with the fault lock held or not: reads, migration, reclaim; and other inner ends. */
#ifndef VMALOCKTOP_WAIT_BPF_H
#define VMALOCKTOP_WAIT_BPF_H

#include "compat.bpf.h"
#include "events.h"
#include "kernel.bpf.h"
#include "pending.bpf.h"
#include "rodata.bpf.h"
#include "send.bpf.h"
#include "state.bpf.h"
#include "swap_pending.bpf.h"

/* Inside an attempt, as far as its record knows. */
static __always_inline bool in_attempt(struct rec *rec)
{
	return !(rec->state & (RETRIED | IN_MM_LOCK | AWAIT_ANY)) && rec->state & (IN_SWAP | IN_FILE | IN_UFFD | MM_LOCKED);
}

static __always_inline int on_wait(__u32 kind, __u32 what)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state;
	struct rec *rec;

	if (!in_session())
		return 0;
	if (what == VL_WAIT_MIGRATION && kind == VL_WAIT_ENTER)
		rec = current_or_pending(task, &state);
	else
		rec = current_rec(task, &state);
	if (!rec && what == VL_WAIT_SYNC_READ)
		return on_read_pending(task, kind == VL_WAIT_ENTER, what);
	if (!rec || !in_attempt(rec))
		return 0;
	return send(rec, kind, 0, bpf_ktime_get_ns(), AB(what, 0));
}

static __always_inline int on_swapin(bool enter)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state;
	struct rec *rec = current_rec(task, &state);
	__u64 ts;

	if (!in_session())
		return 0;
	if (!rec)
		return on_read_pending(task, enter, VL_WAIT_SWAPIN);
	if (!(rec->state & IN_SWAP))
		return 0;
	ts = bpf_ktime_get_ns();
	if (enter) {
		rec->t_swapin = ts;
	} else if (rec->t_swapin && ts - rec->t_swapin >= SWAPIN_MIN_NS) {
		send(rec, VL_WAIT_ENTER, 0, rec->t_swapin, AB(VL_WAIT_SWAPIN, 0));
		send(rec, VL_WAIT_EXIT, 0, ts, AB(VL_WAIT_SWAPIN, 0));
		rec->t_swapin = 0;
	}
	return 0;
}

/* Where addresses are hidden: a task in no system call is in an exception, as good as always a page fault. */
static __always_inline bool in_fault(void *ctx, struct task_struct *task)
{
	return hmf_lo ? stack_through(ctx, 0, hmf_lo, hmf_hi) : current_syscall(task) == ~0u;
}

/*
 * Direct reclaim. In a fault that has a record it is a wait of it. Any other is kept as pending if its stack shows a page fault,
 * and a hint makes the fault's return come by for it.
 */
static __always_inline int on_reclaim(void *ctx, bool begin, __u32 what)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state;
	struct pending *pending;
	struct rec *rec;

	if (task->flags & PF_KTHREAD || !should_trace(task))
		return 0;
	rec = begin ? current_or_pending(task, &state) : current_rec(task, &state);
	if (rec && in_attempt(rec))
		return send(rec, begin ? VL_WAIT_ENTER : VL_WAIT_EXIT, 0, bpf_ktime_get_ns(), AB(what, 0));
	if (!in_scope(VL_SCOPE_RETRY))
		return 0;
	if (!begin) {
		pending = pending_with(task, PENDING_RECLAIM);
		if (pending)
			pending->t_reclaimed = bpf_ktime_get_ns();
		return 0;
	}
	if (pending_with(task, PENDING_RECLAIM) || !in_fault(ctx, task))
		return 0;
	pending = make_pending(task);
	if (!pending)
		return 0;
	pending->have |= PENDING_RECLAIM;
	pending->reclaim = what;
	pending->t_reclaim = pending->t_reclaimed = bpf_ktime_get_ns();
	__sync_fetch_and_add(hint_of(task), 1);
	return 0;
}

/* A function returned RETRY whose entry costs too much to hook, or shows nothing. */
static __always_inline int on_inner_exit(__u32 which, __u32 ret)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pending *pending;

	if (!(ret & R_RETRY) || !should_trace(task))
		return 0;
	pending = make_pending(task);
	if (!pending)
		return 0;
	pending->have |= which == VL_INNER_HUGETLB ? PENDING_HUGETLB : PENDING_DEVICE_PRIVATE;
	return 0;
}

#endif
