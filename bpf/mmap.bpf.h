/* SPDX-License-Identifier: GPL-2.0-only */
/* mmap_lock by its tracepoints: how long everybody waits for it, who writes, and when a fault gives it back. */
#ifndef VMALOCKTOP_MMAP_BPF_H
#define VMALOCKTOP_MMAP_BPF_H

#include "compat.bpf.h"
#include "counters.h"
#include "events.h"
#include "holder.bpf.h"
#include "holds.bpf.h"
#include "kernel.bpf.h"
#include "lockers.bpf.h"
#include "maps.bpf.h"
#include "mmap_wait.bpf.h"
#include "pending.bpf.h"
#include "record.bpf.h"
#include "rodata.bpf.h"
#include "send.bpf.h"
#include "state.bpf.h"
#include "swap_pending.bpf.h"
#include "writers.bpf.h"

static __always_inline int on_mm_start(struct mm_struct *mm, bool write)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct holder holder;
	struct mmap_wait *wait;
	__u64 now;

	if (!should_trace_lock(task, mm))
		return 0;
	now = bpf_ktime_get_ns();
	hold_asked(task, mm, write, now);
	wait = make_mmap_wait(task);
	if (!wait)
		return 0;
	if (write) {
		find_holder(mm, &holder);
		wait->holder = holder.tid;
		wait->holder_prio = holder.prio;
		wait->holder_kind = holder.kind;
	}
	wait->ts = now;
	return 0;
}

static __always_inline __u32 decade_of(__u64 ns)
{
	__u32 d = 0;
	__u64 limit = 1000;

	for (int i = 0; i < VL_DECADES - 1; i++) {
		if (ns >= limit)
			d++;
		limit *= 10;
	}
	return d;
}

/*
 * mmap_lock inside an attempt under the VMA lock. Only __vmf_anon_prepare does that by itself, with a trylock; whether
 * it was that, the stack says. Its failure is the reason of a RETRY to come.
 */
static __always_inline void inside_attempt(void *ctx, struct task_struct *task, struct rec *rec, bool write, bool success)
{
	struct pending *pending;
	bool attempt = rec && !(rec->state & (MM_LOCKED | IN_MM_LOCK | RETRIED | AWAIT_ANY)) && rec->user;

	if (success && !attempt)
		return;
	if (!write && stack_through(ctx, anon_prepare_lo, anon_prepare_hi)) {
		if (success)
			return;
		if (attempt) {
			rec->have |= HAVE_INNER;
			send(rec, VL_ANON_PREPARE, 0, bpf_ktime_get_ns(), 0);
			return;
		}
		pending = make_pending(task);
		if (!pending)
			return;
		pending->have |= PENDING_TRYLOCK;
		pending->t_trylock = bpf_ktime_get_ns();
		pending->mm_seq_known = read_mm_seq(BPF_CORE_READ(task, mm), &pending->mm_seq);
		return;
	}
	/* A handler may take mmap_lock once its own lock is gone: within flor and its like that is no news. */
	if (attempt && rec->state & IN_SWAP && !(rec->state & (IN_FLOR | IN_UFFD | IN_FILE)))
		send(rec, VL_MM_INSIDE, 0, bpf_ktime_get_ns(), AB(write, success));
}

static __always_inline int on_mm_acquired(void *ctx, struct mm_struct *mm, bool write, bool success)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state;
	struct vl_cpu *row = this_row();
	struct rec *rec;
	struct holder holder;
	struct mmap_wait *wait;
	__u64 now, asked = 0, mm_id = BPF_CORE_READ(task, mm) == mm ? 1 : 0;
	bool own = mm_id;

	if (!should_trace_lock(task, mm) || !row)
		return 0;
	bpf_probe_read_kernel(&mm_id, sizeof mm_id, &mm);
	mm_id = MM_ID(mm_id);
	now = bpf_ktime_get_ns();
	hold_had(ctx, task, mm, write, success, now);
	wait = my_mmap_wait(task);
	if (!wait)
		return 0;
	if (wait->pid == (__u32)task->pid) {
		asked = wait->ts;
		wait->ts = 0;
	}
	/* mmap_write_downgrade says "acquired for read" without having asked. */
	if (!asked) {
		if (!write && success && wait->pid == (__u32)task->pid)
			write_released(task, wait, mm_id);
		return 0;
	}
	if (success) {
		__u32 base = write ? VL_C_MM_WRITE_1US : VL_C_MM_READ_1US;

		__sync_fetch_and_add(&row->counter[write ? VL_C_MM_WRITE : VL_C_MM_READ], 1);
		__sync_fetch_and_add(&row->counter[write ? VL_C_MM_WRITE_NS : VL_C_MM_READ_NS], now - asked);
		__sync_fetch_and_add(&row->counter[(base + decade_of(now - asked)) & 63], 1);
		if (write)
			write_locked(ctx, task, wait, mm, mm_id, asked, now);
	} else if (!write) {
		__sync_fetch_and_add(&row->counter[VL_C_MM_TRY_FAILED], 1);
	}
	if (!own)
		return 0;
	rec = success ? current_rec(task, &state) : current_or_pending(task, &state);
	if (!rec || !(rec->state & IN_MM_LOCK)) {
		inside_attempt(ctx, task, rec, write, success);
		return 0;
	}
	if (success) {
		if (write)
			rec->have |= HAVE_GROWN;
		else
			rec->t_mm_had = now;
		return 0;
	}
	find_holder(mm, &holder);
	return send(rec, VL_MM_CONTENDED, 0, now, AB(holder.tid, holder.kind));
}

static __always_inline int on_mm_released(void *ctx, struct mm_struct *mm, bool write)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state;
	struct rec *rec;
	struct mmap_wait *wait;
	__u64 mm_id;

	if (!in_session())
		return 0;
	if (should_trace_lock(task, mm))
		hold_over(ctx, task, mm, write, bpf_ktime_get_ns());
	if (write) {
		wait = my_mmap_wait(task);
		if (!wait || wait->pid != (__u32)task->pid || (!wait->held[0].mm && !wait->held[1].mm))
			return 0;
		bpf_probe_read_kernel(&mm_id, sizeof mm_id, &mm);
		write_released(task, wait, MM_ID(mm_id));
		return 0;
	}
	rec = current_rec(task, &state);
	if (!rec || !(rec->state & (AWAIT_MM | MM_LOCKED)))
		return 0;
	bpf_probe_read_kernel(&mm_id, sizeof mm_id, &mm);
	if (MM_ID(mm_id) != rec->mm)
		return 0;
	send(rec, VL_MM_RELEASED, 0, bpf_ktime_get_ns(), 0);
	if (rec->state & AWAIT_MM)
		close_top(task, state);
	return 0;
}

#endif
