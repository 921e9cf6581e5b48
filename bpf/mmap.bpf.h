/* SPDX-License-Identifier: GPL-2.0-only */
/* mmap_lock by its tracepoints: who has it and since when, how long everybody waited for it, and when a fault gives it back. */
#ifndef VMALOCKTOP_MMAP_BPF_H
#define VMALOCKTOP_MMAP_BPF_H

#include "compat.bpf.h"
#include "counters.h"
#include "events.h"
#include "holder.bpf.h"
#include "holds.bpf.h"
#include "kernel.bpf.h"
#include "lock_scope.bpf.h"
#include "lockers.bpf.h"
#include "maps.bpf.h"
#include "pending.bpf.h"
#include "record.bpf.h"
#include "rodata.bpf.h"
#include "send.bpf.h"
#include "state.bpf.h"
#include "swap_pending.bpf.h"
#include "writers.bpf.h"

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
static __always_inline void inside_attempt(void *ctx, __u64 caller, struct task_struct *task, struct rec *rec, bool write, bool success)
{
	struct pending *pending;
	bool attempt = rec && !(rec->state & (MM_LOCKED | IN_MM_LOCK | RETRIED | AWAIT_ANY)) && rec->user;

	if (success && !attempt)
		return;
	if (!write && stack_through(ctx, caller, anon_prepare_lo, anon_prepare_hi)) {
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
		pending->mm_seq_known = read_mm_seq(BPF_CORE_READ(task, mm), &pending->mm_seq, false);
		return;
	}
	/* A handler may take mmap_lock once its own lock is gone: within flor and the like that is expected. */
	if (attempt && rec->state & IN_SWAP && !(rec->state & (IN_FLOR | IN_UFFD | IN_FILE)))
		send(rec, VL_MM_INSIDE, 0, bpf_ktime_get_ns(), AB(write, success));
}

/* What a fault of this task sees of it: its own mm's lock, in lock_mm_and_find_vma or elsewhere. */
static __always_inline int fault_acquired(void *ctx, __u64 caller, struct task_struct *task, struct mm_struct *mm, bool write,
					  bool success, bool queued, __u64 now)
{
	struct task_state *state;
	struct rec *rec = success ? current_rec(task, &state) : current_or_pending(task, &state);
	struct holder holder;

	if (!rec || !(rec->state & IN_MM_LOCK)) {
		inside_attempt(ctx, caller, task, rec, write, success);
		return 0;
	}
	if (success) {
		if (write)
			rec->have |= HAVE_GROWN;
		else
			rec->t_mm_had = now;
		return 0;
	}
	if (queued && mm_queue)
		return 0; /* not its trylock: a signal ended the wait behind it */
	find_holder(mm, &holder, false);
	return send(rec, VL_MM_CONTENDED, 0, now, AB(holder.tid, holder.kind));
}

/* mmap_lock was acquired or not: a trylock fails, and a signal cuts a wait short. `caller`: REGS_CALLER, 0 in a tracepoint. */
static __always_inline int on_mm_acquired(void *ctx, __u64 caller, struct mm_struct *mm, bool write, bool success)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct vl_cpu *row = this_row();
	struct locker *locker;
	__u64 now, asked, id, waited;
	bool own = task->mm == mm, queued;
	__u32 which, syscall, decade;

	if (!should_trace_lock(task, mm) || !row)
		return 0;
	locker = my_locker(task);
	if (!locker)
		return 0;
	id = lock_id(locker, mm);
	now = bpf_ktime_get_ns();
	asked = locker->mm == id ? locker->asked : 0;
	queued = asked && locker->queue;
	locker->asked = 0;
	leave_queue(locker);
	if (success) {
		/* mmap_write_downgrade says "acquired for read" without having asked, while the lock is held for write still. */
		which = write || asked ? 2 : hold_of(locker, id);
		if (which < 2 && locker->held[which & 1].flags & VL_L_WRITE) {
			write_over(ctx, task, locker, which, mm);
			hold_begins(locker, task, mm, id, false, current_syscall(task), now);
			return 0;
		}
		waited = asked ? now - asked : 0;
		__sync_fetch_and_add(&row->counter[write ? VL_C_MM_WRITE : VL_C_MM_READ], 1);
		decade = write ? VL_C_MM_WRITE_1US : VL_C_MM_READ_1US;
		if (waited) {
			decade += decade_of(waited);
			__sync_fetch_and_add(&row->counter[write ? VL_C_MM_WRITE_NS : VL_C_MM_READ_NS], waited);
		}
		__sync_fetch_and_add(&row->counter[decade & 63], 1);
		if (queued)
			wait_over(ctx, locker, id, asked, now);
		syscall = current_syscall(task);
		hold_begins(locker, task, mm, id, write, syscall, now);
		if (write)
			write_locked(ctx, task, locker, mm, id, queued, asked ? asked : now, now, syscall);
	} else if (!write && !(queued && mm_queue)) {
		__sync_fetch_and_add(&row->counter[VL_C_MM_TRY_FAILED], 1);
	}
	return own ? fault_acquired(ctx, caller, task, mm, write, success, queued, now) : 0;
}

static __always_inline int on_mm_released(void *ctx, struct mm_struct *mm, bool write)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state;
	struct locker *locker;
	struct rec *rec;
	bool awaited;
	__u32 which;
	__u64 id;

	if (!in_session())
		return 0;
	locker = my_locker(task);
	if (!locker)
		return 0;
	id = lock_id(locker, mm);
	awaited = queues[queue_of(id)] != 0;
	which = hold_of(locker, id);
	if (which < 2) {
		hold_over(ctx, locker, which, mm, awaited);
		if (write && locker->sent[which & 1])
			write_released(task, locker, which, id);
	} else if (awaited) {
		unknown_hold_over(ctx, task, mm, id, write);
	}
	if (write)
		return 0;
	rec = current_rec(task, &state);
	if (!rec || !(rec->state & (AWAIT_MM | MM_LOCKED)) || rec->mm != id)
		return 0;
	send(rec, VL_MM_RELEASED, 0, bpf_ktime_get_ns(), 0);
	if (rec->state & AWAIT_MM)
		close_top(task, state);
	return 0;
}

#endif
