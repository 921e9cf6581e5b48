/* SPDX-License-Identifier: GPL-2.0-only */
/* How records are opened, closed and given up, and the window between attempt and fallback. */
#ifndef VMALOCKTOP_RECORD_BPF_H
#define VMALOCKTOP_RECORD_BPF_H

#include "compat.bpf.h"
#include "counters.h"
#include "events.h"
#include "maps.bpf.h"
#include "rodata.bpf.h"
#include "send.bpf.h"
#include "state.bpf.h"

static __always_inline __u32 window_of(__u64 mm)
{
	return (__u32)(mm >> 6 ^ mm >> 18) & (RETRY_WINDOWS - 1);
}

/* From the release of the VMA lock to the fallback: what writers of this mm do meanwhile is sent. */
static __always_inline void open_window(struct rec *rec)
{
	__u32 i = window_of(rec->mm);

	if (rec->window || !observe_mm)
		return;
	rec->window = i + 1;
	__sync_fetch_and_add(&retry_windows[i], 1);
}

static __always_inline void close_window(struct rec *rec)
{
	__u32 i = rec->window;

	if (!i)
		return;
	rec->window = 0;
	i = (i - 1) & (RETRY_WINDOWS - 1);
	asm volatile("" : "+r"(i));
	__sync_fetch_and_add(&retry_windows[i & (RETRY_WINDOWS - 1)], -1);
}

/*
 * A kernel that tries once more under the VMA lock after its RETRY says so in the flags: that attempt belongs to the same
 * fault. FAULT_FLAG_TRIED with FAULT_FLAG_VMA_LOCK occurs nowhere else.
 */
static __always_inline void try_again(struct rec *rec, __u32 flags, __u64 address, __u64 vmf)
{
	if (!(rec->state & RETRIED) || !(flags & F(VMA_LOCK)) || !(flags & F(TRIED)) || rec->address != address)
		return;
	rec->state &= ~RETRIED;
	rec->have &= ~HAVE_INNER;
	rec->vmf = vmf;
}

/* Closes the innermost record. */
static __always_inline void close_top(struct task_struct *task, struct task_state *state)
{
	struct rec *rec = top_of(state);

	if (rec)
		close_window(rec);
	if (!state->n)
		return;
	state->n--;
	__sync_fetch_and_add(hint_of(task), -1);
}

/* Ends the innermost record of this task by a step of `kind`; whether there was one. */
__noinline int end_top(__u32 kind, __u32 a, __u64 ts)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state = bpf_task_storage_get(&tasks, task, 0, 0);
	struct rec *rec;

	if (!state || !state->n)
		return 0;
	rec = top_of(state);
	if (rec)
		send(rec, kind, 0, ts, AB(a, 0));
	close_top(task, state);
	return 1;
}

static __always_inline void end_all(__u32 kind, __u32 a)
{
	__u64 ts = bpf_ktime_get_ns();

	for (int i = 0; i < MAX_DEPTH; i++)
		if (!end_top(kind, a, ts))
			return;
}

/* Gives up every open record of the task: a user-mode fault interrupts nothing, so what is still open is stale
 * (its end was missed, or a signal cut it short after RETRY). */
static __always_inline void abandon_all(__u32 by)
{
	end_all(VL_ABANDONED, by);
}

/* Opens a record on top of the task's stack. The caller fills mm, address and what it knows of the VMA. */
static __always_inline struct rec *open_rec(struct task_struct *task, struct task_state *state, bool user, bool quiet)
{
	struct vl_cpu *row = this_row();
	struct rec *rec;
	__u32 i = state->n;

	if (!row)
		return NULL;
	if (i >= MAX_DEPTH) {
		__sync_fetch_and_add(&row->counter[VL_C_NESTED_LOST], 1);
		return NULL;
	}
	rec = slot(state, i);
	__builtin_memset(rec, 0, sizeof *rec);
	rec->fault_cpu = bpf_get_smp_processor_id();
	rec->fault = __sync_fetch_and_add(&row->next_fault, 1);
	rec->cgroup = bpf_get_current_cgroup_id();
	rec->user = user;
	rec->quiet = quiet;
	rec->depth = i;
	__sync_fetch_and_add(&row->counter[quiet ? VL_C_QUIET : VL_C_OPENED], 1);
	__sync_fetch_and_add(hint_of(task), 1);
	state->n = i + 1;
	return rec;
}

/* Task state, made on first use. May fail where the allocator or the storage's own lock is busy: counted. */
static __always_inline struct task_state *make_state(struct task_struct *task)
{
	struct task_state *state = bpf_task_storage_get(&tasks, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!state)
		count(VL_C_STATE_LOST);
	return state;
}

/* When this fault took the VMA lock, if lock_vma_under_rcu is hooked; 0: not known. Taken once. */
static __always_inline __u64 take_start(struct task_struct *task, __u32 *failed)
{
	struct start *start;
	__u32 i = (__u32)task->pid & (HINTS - 1);

	*failed = 0;
	if (!track_start)
		return 0;
	start = bpf_map_lookup_elem(&starts, &i);
	if (!start || (start->pid & ~START_FAILED) != (__u32)task->pid)
		return 0;
	*failed = start->pid & START_FAILED;
	start->pid = 0;
	return start->ts;
}

#endif
