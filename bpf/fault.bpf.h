/* SPDX-License-Identifier: GPL-2.0-only */
/* The frame of a fault: VMA lookup and handle_mm_fault. */
#ifndef VMALOCKTOP_FAULT_BPF_H
#define VMALOCKTOP_FAULT_BPF_H

#include "compat.bpf.h"
#include "counters.h"
#include "events.h"
#include "fallback.bpf.h"
#include "kernel.bpf.h"
#include "maps.bpf.h"
#include "pending.bpf.h"
#include "record.bpf.h"
#include "rodata.bpf.h"
#include "send.bpf.h"
#include "state.bpf.h"
#include "vma_hold.bpf.h"
#include "vma_name.bpf.h"

/* Leaves the time of the VMA lock (or of its refusal) for the record or the counter that follows. */
static __always_inline int on_vma_lock(struct vm_area_struct *vma)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 i = (__u32)task->pid & (HINTS - 1);
	struct start *start;

	if (!should_trace(task))
		return 0;
	start = bpf_map_lookup_elem(&starts, &i);
	if (!start)
		return 0;
	/* No fault came for the lock this task took before: something else did. */
	if (start->pid == (__u32)task->pid)
		count(task->flags & PF_KTHREAD ? VL_C_USER_DAMON : VL_C_USER_OTHER);
	start->ts = bpf_ktime_get_ns();
	start->pid = vma ? (__u32)task->pid : (__u32)task->pid | START_FAILED;
	return 0;
}

static __always_inline __u32 hmf_counter(__u32 flags, __u32 ret, bool regs)
{
	__u32 base;

	if (!regs)
		return VL_C_GUP;
	if (!(flags & F(USER)))
		return ret & R_RETRY ? VL_C_KERNEL_RETRY : VL_C_KERNEL;
	base = flags & F(VMA_LOCK) ? VL_C_VMA_OK : VL_C_MMAP_OK;
	if (ret & R_RETRY)
		return base + 1;
	if (ret & R(COMPLETED))
		return base + 2;
	return ret & R_ERROR ? base + 3 : base;
}

/* The VMA's fields may be read only while a lock is held: not after RETRY or COMPLETED. */
static __always_inline void fill_from_vma(struct rec *rec, struct vm_area_struct *vma)
{
	rec->vma_start = vma->vm_start;
	rec->vma_end = vma->vm_end;
	rec->vm_flags = vma->vm_flags;
}

/* handle_mm_fault returned and the fault is, or becomes, worth a record. */
static __noinline int hmf_slow(void *ctx, struct vm_area_struct *vma, __u64 address, __u64 flags_ret, __u32 regs)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 flags = flags_ret >> 32, ret = (__u32)flags_ret, failed;
	bool user = regs && flags & F(USER), held = !(ret & (R_RETRY | R(COMPLETED)));
	__u64 ts = bpf_ktime_get_ns(), page = PAGE_OF(address);
	struct task_state *state;
	struct rec *rec = current_rec(task, &state);
	__u32 step_flags = regs ? VL_F_REGS : 0;
	__u32 had_pending = take_pending(task);

	if (rec && (rec->address != page || rec->user != user || rec->state & AWAIT_ANY)) {
		if (!user)
			return 0; /* an ordinary fault inside another's handler, or a user-mode record that is stale */
		abandon_all(VL_HMF_EXIT);
		rec = NULL;
	}
	if (!rec) {
		__u64 acquired = flags & F(VMA_LOCK) ? take_start(task, &failed) : 0;
		bool slow = (min_ns && acquired && ts - acquired >= min_ns) || had_pending & PENDING_RECLAIM;
		bool quiet = !in_scope(VL_SCOPE_ALL) && !slow && !(in_scope(VL_SCOPE_RETRY) && ret & R_RETRY);

		if (!user || (quiet && !(ret & R_RETRY)))
			return 0;
		state = make_state(task);
		if (!state)
			return 0;
		rec = open_rec(task, state, user, quiet);
		if (!rec)
			return 0;
		rec->acquired = acquired;
		rec->mm = MM_ID(NUMBER_OF(rec->mm, task->mm));
		rec->address = page;
		if (held)
			fill_from_vma(rec, vma);
	}
	if (had_pending)
		send_pending(rec, had_pending, ts, (__u64)vma);
	found_later(rec, held ? (__u64)vma : 0);
	if (ret & R_RETRY) {
		struct task_struct___ti *with_ti = (void *)task;
		unsigned long work = with_ti->thread_info.flags;

		if (work & signal_flags)
			step_flags |= VL_F_SIGPENDING;
	}
	send(rec, VL_HMF_EXIT, step_flags, ts, AB(flags, ret));
	if (held) {
		name_vma(rec, NUMBER_OF(rec->number, vma));
	}
	if (ret & R_RETRY) {
		rec->state = RETRIED;
		rec->vmf = 0;
		rec->vm_lock = 0;
		if (flags & F(VMA_LOCK)) {
			rec->have |= HAVE_RETRIED;
			open_window(rec);
		}
		if (user)
			send_stack(ctx, rec, ts);
		rec->have &= ~HAVE_STACK;
		return 0;
	}
	if (observe_release && held && flags & F(VMA_LOCK)) {
		struct vm_area_struct___rwsem *with_lock = (void *)vma;

		if (bpf_core_field_exists(with_lock->vm_lock)) {
			rec->vm_lock = (__u64)with_lock->vm_lock;
			rec->state = AWAIT_RELEASE;
			return 0;
		}
	}
	if (observe_mm && regs && held && !(flags & F(VMA_LOCK))) {
		rec->state = AWAIT_MM;
		return 0;
	}
	close_top(task, state);
	return 0;
}

/* An ordinary fault in scope all, or one slower than min_ns: one record, and no per-task state. */
static __always_inline int hmf_whole(struct task_struct *task, struct vl_cpu *row, __u32 slot, __u32 cpu, struct vm_area_struct *vma,
				     __u64 address, __u32 flags, __u32 ret)
{
	__u64 ts, acquired = 0;
	__u32 failed;

	ts = bpf_ktime_get_ns();
	if (flags & F(VMA_LOCK))
		acquired = take_start(task, &failed);
	if (!in_scope(VL_SCOPE_ALL) && (!acquired || ts - acquired < min_ns))
		return 0;
	send_whole(task, row, slot, cpu, ret & R(COMPLETED) ? NULL : vma, acquired, PAGE_OF(address), VL_F_REGS, ts, flags, ret);
	return 0;
}

/* Every fault passes here, so an ordinary one pays for a counter and one load, and no more: nothing is read but
 * its flags and its result. The row's counter needs no atomic: this program cannot interrupt
 * itself on a CPU, and no other one writes these counters. VMA_LOCK implies USER and regs (only the architecture's
 * fault handler sets it). */
static __always_inline int on_hmf_exit(__u64 *ctx, bool second)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 flags = (__u32)ctx[2], ret = (__u32)ctx[4], cpu, slot;
	struct vl_cpu *row;

	if (!should_trace(task)) {
		/* Read again: the session may have begun meanwhile. What others leave then does no harm. */
		if (observing != AFTER && ret & R_RETRY && flags & F(VMA_LOCK))
			*trace_of(task) = trace(task, ctx[1]);
		else if (observing != AFTER && !(flags & F(VMA_LOCK)))
			retried_before(task, ctx[1]);
		if (!second && flags & F(VMA_LOCK) && in_session() && is_ourself(task))
			count(ret & R_RETRY ? VL_C_SELF_RETRY : VL_C_SELF_OK);
		return 0;
	}
	if (flags & F(VMA_LOCK) && !(ret & (R_RETRY | R(COMPLETED))))
		vma_hold_ends((struct vm_area_struct *)ctx[0]);
	cpu = bpf_get_smp_processor_id();
	slot = second ? cpu + cpu_rows : cpu;
	if (!second && scope != VL_SCOPE_ALL && !min_ns && flags & F(VMA_LOCK) && (!ret || ret == R(MAJOR)) && cpu < FAST_CPUS) {
		fast_counters[cpu].vma_ok++;
		if (!*hint_of(task))
			return 0;
	} else {
		row = row_of(slot);
		if (!row)
			return 0;
		if (flags & F(VMA_LOCK) && !ret)
			row->counter[VL_C_VMA_OK]++;
		else
			__sync_fetch_and_add(&row->counter[hmf_counter(flags, ret, ctx[3] != 0) & 63], 1);
		if (!(ret & R_RETRY) && !*hint_of(task)) {
			if (!in_scope(VL_SCOPE_ALL) && !min_ns)
				return 0;
			if (!observe_release && ctx[3] && flags & F(USER))
				return hmf_whole(task, row, slot, cpu, (struct vm_area_struct *)ctx[0], ctx[1], flags, ret);
		}
	}
	return hmf_slow(ctx, (struct vm_area_struct *)ctx[0], ctx[1], AB(flags, ret), ctx[3] != 0);
}

#endif
