/* SPDX-License-Identifier: GPL-2.0-only */
/* What the functions inside an attempt have in common: the record they belong to, and their return. */
#ifndef VMALOCKTOP_ATTEMPT_BPF_H
#define VMALOCKTOP_ATTEMPT_BPF_H

#include "compat.bpf.h"
#include "counters.h"
#include "events.h"
#include "fallback.bpf.h"
#include "kernel.bpf.h"
#include "record.bpf.h"
#include "rodata.bpf.h"
#include "send.bpf.h"
#include "state.bpf.h"

/* Who and where, from the attempt's own struct vm_fault (TYPED): the VMA is locked (or mmap_lock is held) while it runs. */
static __always_inline void fill_from_vmf(struct rec *rec, struct vm_fault *vmf, __u32 flags)
{
	struct vm_area_struct *vma = vmf->vma;
	struct mm_struct *mm = vma->vm_mm;

	rec->mm = MM_ID(NUMBER_OF(rec->mm, mm));
	rec->address = PAGE_OF(vmf->address);
	rec->vma_start = vma->vm_start;
	rec->vma_end = vma->vm_end;
	rec->vm_flags = vma->vm_flags;
	if (flags & F(VMA_LOCK)) {
		NUMBER(rec->vma, vma);
		if (read_vma_seq(vma, &rec->seq, true) && read_mm_seq(mm, &rec->mm_seq, true))
			rec->have |= HAVE_VMA;
	}
	if (flags & F(ORIG_PTE_VALID))
		rec->pte = vmf->orig_pte.pte;
}

static __always_inline void watch_lock(struct rec *rec, struct vm_area_struct *vma, __u32 flags)
{
	struct vm_area_struct___rwsem *with_lock = (void *)vma;

	if (!observe_release || !(flags & F(VMA_LOCK)))
		return;
	if (bpf_core_field_exists(with_lock->vm_lock))
		NUMBER(rec->vm_lock, with_lock->vm_lock);
}

/*
 * The record that an inner function (do_swap_page, handle_userfault) belongs to, opened if need be.
 * A fault from user mode interrupts no other fault, so an open record of another fault is stale. A kernel-mode or
 * get_user_pages fault may run inside one: it is inside when its vm_fault lies deeper on the same stack.
 */
static __noinline struct rec *rec_for(struct vm_fault *of, __u32 flags, __u32 kind, __u32 quiet)
{
	struct vm_fault *vmf = TYPED(vm_fault, of);
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state = make_state(task);
	bool user = flags & F(USER);
	__u64 address = PAGE_OF(vmf->address);
	/* do_swap_page begins once in an attempt; the others may begin inside it. */
	__u32 over = kind == VL_SWAP_ENTER ? IN_SWAP | RETRIED | AWAIT_ANY : RETRIED | AWAIT_ANY;
	struct rec *rec;
	__u32 failed;

	if (!state)
		return NULL;
	rec = top_of(state);
	if (rec) {
		bool same = rec->address == address && rec->user == user;

		try_again(rec, flags, address, (__u64)vmf);
		if (same)
			found_later(rec, (__u64)vmf->vma);
		if (same && (rec->vmf == (__u64)vmf || rec->state & MM_LOCKED) && !(rec->state & over))
			goto found;
		/* get_user_pages takes mmap_lock again by itself: the second pass comes without lock_mm_and_find_vma. */
		if (same && !user && rec->state & RETRIED && flags & F(TRIED))
			goto found;
		if (user) {
			abandon_all(kind);
		} else if (!rec->vmf || (__u64)vmf >= rec->vmf) {
			if (!rec->user)
				abandon_all(kind);
		}
	}
	rec = open_rec(task, state, user, quiet);
	if (!rec)
		return NULL;
	fill_from_vmf(rec, vmf, flags);
	if (flags & F(VMA_LOCK))
		rec->acquired = take_start(task, &failed);
found:
	rec->vmf = (__u64)vmf;
	if (!quiet)
		rec->quiet = 0;
	watch_lock(rec, vmf->vma, flags);
	return rec;
}

/* The return of a function whose entry put `in` into the state of this task's record. The caller has asked in_session. */
static __always_inline int on_return(__u32 in, enum vl_hist hist, __u32 kind, __u32 ret)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state;
	struct rec *rec = current_rec(task, &state);
	__u64 ts;

	if (!rec || !(rec->state & in))
		return 0;
	ts = bpf_ktime_get_ns();
	measure(hist, ts - rec->t[hist]);
	rec->state &= ~in;
	if (ret & R_RETRY)
		rec->have |= HAVE_INNER;
	return send(rec, kind, 0, ts, AB(0, ret));
}

#endif
