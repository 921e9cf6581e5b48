/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A fault that holds its VMA's lock while a writer waits for it. From 6.15 on the lock is vm_refcnt, where a writer that
 * waits for readers sets a bit; before, it is an rw_semaphore whose down_write() is inline, and nobody sees such a wait.
 * The bit is looked for where the lock is about to be given back: the writer waits still, so the record of the hold is in
 * the ring before that of the wait (VL_W_VMA).
 */
#ifndef VMALOCKTOP_VMA_HOLD_BPF_H
#define VMALOCKTOP_VMA_HOLD_BPF_H

#include "compat.bpf.h"
#include "events.h"
#include "maps.bpf.h"
#include "rodata.bpf.h"
#include "send.bpf.h"
#include "state.bpf.h"

#define VMA_WRITER_WAITS 0x40000000u /* VMA_LOCK_OFFSET, VM_REFCNT_EXCLUDE_READERS_FLAG: include/linux/mm_types.h */

/* Readers of an attached VMA; one reference is its own. */
static __always_inline __u32 vma_readers(__u32 refcnt)
{
	refcnt &= ~VMA_WRITER_WAITS;
	return refcnt > 1 ? refcnt - 1 : 0;
}

static __noinline int send_vma_hold(struct vm_area_struct *vma)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct vl_writer *w = begin_writer(task, VL_L_VMA, 0);
	__u32 i = (__u32)task->pid & (HINTS - 1);
	struct start *start;

	if (!w)
		return 0;
	w->step.ts = bpf_ktime_get_ns();
	w->step.a = ~0u;
	w->mm = MM_ID(BPF_CORE_READ(vma, vm_mm));
	w->vma_start = BPF_CORE_READ(vma, vm_start);
	w->vma_end = BPF_CORE_READ(vma, vm_end);
	if (track_start) {
		start = bpf_map_lookup_elem(&starts, &i);
		if (start && start->pid == (__u32)task->pid)
			w->acquired = start->ts;
	}
	bpf_ringbuf_submit(w, BPF_RB_NO_WAKEUP);
	return 0;
}

/* `vma`: locked, and its pointer one that the verifier knows. */
static __always_inline void vma_hold_ends(struct vm_area_struct *vma)
{
	struct vm_area_struct___refcnt *counted = (void *)vma;

	if (bpf_core_field_exists(counted->vm_refcnt) && counted->vm_refcnt.refs.counter & VMA_WRITER_WAITS)
		send_vma_hold(vma);
}

/* The same of a struct vm_fault (TYPED), whose attempt is about to drop the lock. */
static __always_inline void vmf_hold_ends(struct vm_fault *vmf, __u32 flags)
{
	if (flags & F(VMA_LOCK))
		vma_hold_ends(vmf->vma);
}

#endif
