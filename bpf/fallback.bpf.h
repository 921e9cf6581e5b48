/* SPDX-License-Identifier: GPL-2.0-only */
/* The fallback: lock_mm_and_find_vma, and what it finds against what the attempt under the VMA lock had. */
#ifndef VMALOCKTOP_FALLBACK_BPF_H
#define VMALOCKTOP_FALLBACK_BPF_H

#include "arch.bpf.h"
#include "compat.bpf.h"
#include "counters.h"
#include "events.h"
#include "holder.bpf.h"
#include "kernel.bpf.h"
#include "maps.bpf.h"
#include "record.bpf.h"
#include "rodata.bpf.h"
#include "send.bpf.h"
#include "state.bpf.h"
#include "vma_name.bpf.h"

static __always_inline int on_mm_lock_enter(__u64 address, struct pt_regs *regs)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state;
	struct holder holder;
	struct rec *rec;
	bool user;
	__u32 failed = 0;
	__u64 ts, refused;

	if (!should_trace(task)) {
		if (observing != AFTER && !retried_before(task, address) && in_session() && is_ourself(task) && regs_user_mode(regs))
			count(VL_C_SELF_ABORT);
		return 0;
	}
	user = regs_user_mode(regs);
	rec = current_rec(task, &state);
	ts = bpf_ktime_get_ns();
	/* The same fault again: after its RETRY, or with that return of handle_mm_fault missed, which is no ABORT. */
	if (rec && !(rec->state & AWAIT_ANY) && rec->user == user && rec->address == PAGE_OF(address)) {
		if (user)
			count(VL_C_FALLBACK);
		/* The return was missed, so nobody has counted it. */
		if (!(rec->state & RETRIED)) {
			if (user)
				count(rec->state & MM_LOCKED ? VL_C_MMAP_RETRY : VL_C_VMA_RETRY);
			if (!(rec->state & MM_LOCKED))
				rec->have |= HAVE_RETRIED;
		}
	} else {
		if (!user)
			return 0; /* a kernel-mode fault: its record, if any, opens in do_swap_page */
		if (retried_before(task, address))
			return 0;
		count(VL_C_ABORT);
		if (rec)
			abandon_all(VL_MM_LOCK_ENTER);
		if (!in_scope(VL_SCOPE_RETRY))
			return 0;
		state = make_state(task);
		if (!state)
			return 0;
		rec = open_rec(task, state, true, false);
		if (!rec)
			return 0;
		rec->mm = MM_ID(NUMBER_OF(rec->mm, task->mm));
		rec->address = PAGE_OF(address);
		refused = take_start(task, &failed);
		if (failed)
			send(rec, VL_VMA_LOCK, 0, refused, AB(0, 0));
	}
	rec->t[VL_H_MMAP_LOCK] = ts;
	rec->state = IN_MM_LOCK;
	find_holder(task->mm, &holder, false);
	return send(rec, VL_MM_LOCK_ENTER, 0, ts, AB(user, holder.kind));
}

/* The writer that ran under lock sequence `seq`; failing that the latest one of the mm. */
__noinline int send_writer(struct rec *rec, __u32 seq, __u32 by_seq, __u64 ts)
{
	struct mm_writers *known;
	struct mm_writer writer = {};
	__u32 flags = 0;
	__u64 mm;

	if (!rec)
		return 0;
	mm = rec->mm;
	known = writers_of(mm);
	if (!known || known->mm != mm || !known->n)
		return 0;
	writer = known->latest[(known->n - 1) & (LATEST - 1)];
	if (by_seq)
		for (int i = 0; i < LATEST; i++)
			if (known->latest[i].tid && known->latest[i].seq == seq) {
				writer = known->latest[i];
				flags = VL_F_EXACT;
			}
	if (!writer.tid || writer.mark != writer_mark(mm))
		return 0;
	return send(rec, VL_MM_WRITER, flags, ts, AB(writer.tid, writer.syscall));
}

/*
 * Under mmap_lock, which lock_mm_and_find_vma has just taken for read: nothing found here can change meanwhile.
 * vm_lock_seq is what a writer left on a VMA when it write-locked it, mm_lock_seq how often mmap_lock was write-locked.
 * What is found is put together in memory, where the verifier does not follow each combination of it.
 */
__noinline int compare_vma(struct rec *rec, __u64 ts)
{
	struct vm_area_struct *vma;
	const struct vm_operations_struct *ops;
	struct mm_struct *mm;
	__u32 seq = 0, now = 0, writers_since = 0;
	volatile __u32 *bits;
	__u64 map_pages;
	bool known, had, locked_since = false;

	if (!rec || !rec->found)
		return 0;
	bits = &rec->bits;
	vma = TYPED(vm_area_struct, rec->found);
	mm = vma->vm_mm;
	*bits = VL_FOUND;
	had = rec->have & HAVE_VMA && rec->have & HAVE_RETRIED;
	known = read_vma_seq(vma, &seq, true) && read_mm_seq(mm, &now, true);
	name_vma(rec, rec->found);
	if (rec->have & HAVE_RETRIED && rec->vma && rec->vma == rec->found)
		*bits |= VL_FOUND_SAME;
	if (vma->vm_start <= rec->address && rec->address < vma->vm_end)
		*bits |= VL_FOUND_COVERS;
	if (known && seq == now - 1)
		*bits |= VL_FOUND_LATEST;
	if (known && had) {
		*bits |= VL_FOUND_SEQ_KNOWN | VL_FOUND_MM_KNOWN;
		locked_since = rec->have & HAVE_BOUND ? (__s32)(seq - rec->mm_seq) >= 0 : seq != rec->seq;
		if (!locked_since)
			*bits |= VL_FOUND_SEQ_SAME;
		/* Odd while locked: a writer that was there already when the attempt ran counts as well. */
		if (bpf_core_field_exists(((struct mm_struct___seqcount *)0)->mm_lock_seq.sequence))
			writers_since = (now - (rec->mm_seq & ~1u)) / 2;
		else
			writers_since = now - rec->mm_seq;
	}
	if (rec->have & HAVE_GROWN)
		*bits |= VL_FOUND_GREW;
	ops = vma->vm_ops;
	map_pages = ops ? NUMBER_OF(rec->number, ops->map_pages) : 0;
	if (!ops)
		*bits |= VL_FOUND_ANON;
	else if (!map_pages)
		*bits |= VL_FOUND_NO_MAP_PAGES;
	if (!vma->anon_vma)
		*bits |= VL_FOUND_NO_ANON_VMA;
	if (vma->vm_flags & VM_HUGETLB)
		*bits |= VL_FOUND_HUGETLB;
	if (!rec->vma_end) {
		rec->vma_start = vma->vm_start;
		rec->vma_end = vma->vm_end;
		rec->vm_flags = vma->vm_flags;
	}
	/* Page-cache files map by filemap_map_pages and end in filemap_fault: then its return was missed, and that is all. */
	if (rec->have & HAVE_RETRIED && !(rec->have & HAVE_INNER) && map_pages && filemap_map_pages && map_pages != filemap_map_pages &&
	    !(*bits & VL_FOUND_HUGETLB)) {
		__u64 handler = NUMBER_OF(rec->number, ops->fault);

		send(rec, VL_VMA_OPS, 0, ts, handler);
	}
	if (rec->have & HAVE_RETRIED ? known && had && now != rec->mm_seq : *bits & VL_FOUND_LATEST)
		send_writer(rec, seq, rec->have & HAVE_RETRIED ? locked_since : 1, ts);
	return send(rec, VL_MM_LOCK_EXIT, 0, ts, AB(*bits, writers_since));
}

/* mmap_lock is held for the second pass; `found` is the VMA, 0 when it is gone. */
static __always_inline void mm_locked(struct rec *rec, __u64 found, __u64 ts)
{
	rec->state = MM_LOCKED;
	NUMBER(rec->found, found);
	compare_vma(rec, ts);
	rec->have &= ~(HAVE_VMA | HAVE_BOUND | HAVE_INNER | HAVE_GROWN | HAVE_RETRIED);
	rec->vma = 0;
	close_window(rec);
}

/* The return of lock_mm_and_find_vma was missed, and the second pass runs: mmap_lock is held still, so what is found
 * now is what was found then. Without a VMA (the pass dropped the lock) there is no verdict. */
static __always_inline void found_later(struct rec *rec, __u64 found)
{
	if (rec->state & IN_MM_LOCK)
		mm_locked(rec, found, rec->t_mm_had > rec->t[VL_H_MMAP_LOCK] ? rec->t_mm_had : bpf_ktime_get_ns());
}

static __always_inline int on_mm_lock_exit(void *vma)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state;
	struct rec *rec = current_rec(task, &state);
	__u64 ts;

	if (!rec || !(rec->state & IN_MM_LOCK) || !in_session())
		return 0;
	ts = bpf_ktime_get_ns();
	measure(VL_H_MMAP_LOCK, ts - rec->t[VL_H_MMAP_LOCK]);
	if (!vma) {
		if (rec->have & HAVE_RETRIED)
			send_writer(rec, 0, 0, ts);
		send(rec, VL_MM_LOCK_EXIT, 0, ts, 0);
	}
	mm_locked(rec, (__u64)vma, ts);
	if (!vma)
		close_top(task, state);
	return 0;
}

#endif
