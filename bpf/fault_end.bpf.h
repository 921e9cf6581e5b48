/* SPDX-License-Identifier: GPL-2.0-only */
/* What ends a fault beside its return: a signal, the end of the task, an access the VMA does not permit. */
#ifndef VMALOCKTOP_FAULT_END_BPF_H
#define VMALOCKTOP_FAULT_END_BPF_H

#include "compat.bpf.h"
#include "counters.h"
#include "events.h"
#include "fallback.bpf.h"
#include "fault.bpf.h"
#include "record.bpf.h"
#include "send.bpf.h"
#include "state.bpf.h"

/* A record still open when a signal is delivered or the task ends: RETRY with a signal pending takes no fallback. */
static __always_inline int on_cut_short(enum vl_kind kind, __u32 a)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state;

	if (current_rec(task, &state) && in_session())
		end_all(kind, a);
	return 0;
}

/*
 * access_error(): the VMA does not permit it, and the fault ends in SIGSEGV without a handle_mm_fault. Under the VMA lock
 * (`mm` is NULL: 6.10 and later) the kernel counts a success; under mmap_lock it ends a fault that fell back.
 */
static __always_inline int on_access_error(__u64 address, __u64 mm, struct vm_area_struct *vma)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state;
	struct rec *rec;
	__u64 ts, acquired;
	__u32 failed;

	if (!should_trace(task)) {
		if (!mm && in_session() && is_ourself(task))
			count(VL_C_SELF_OK);
		return 0;
	}
	rec = current_rec(task, &state);
	ts = bpf_ktime_get_ns();
	if (mm) {
		if (!rec || rec->state & AWAIT_ANY || rec->address != PAGE_OF(address))
			return 0;
		found_later(rec, (__u64)vma);
		if (!(rec->state & MM_LOCKED))
			return 0;
		send(rec, VL_ACCESS_ERROR, 0, ts, AB(0, 0));
		close_top(task, state);
		return 0;
	}
	count(VL_C_ACCESS_ERROR);
	acquired = take_start(task, &failed);
	if (!in_scope(VL_SCOPE_ALL))
		return 0;
	if (rec)
		abandon_all(VL_ACCESS_ERROR);
	state = make_state(task);
	if (!state)
		return 0;
	rec = open_rec(task, state, true, false);
	if (!rec)
		return 0;
	rec->acquired = acquired;
	rec->mm = MM_ID(NUMBER_OF(rec->mm, task->mm));
	rec->address = PAGE_OF(address);
	fill_from_vma(rec, vma);
	send(rec, VL_ACCESS_ERROR, 0, ts, AB(1, 0));
	close_top(task, state);
	return 0;
}

#endif
