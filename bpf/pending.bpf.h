/* SPDX-License-Identifier: GPL-2.0-only */
/* What is known of a fault before it has a record. */
#ifndef VMALOCKTOP_PENDING_BPF_H
#define VMALOCKTOP_PENDING_BPF_H

#include "compat.bpf.h"
#include "counters.h"
#include "events.h"
#include "maps.bpf.h"
#include "send.bpf.h"
#include "state.bpf.h"

/*
 * What is known of a task's current fault before it is known whether the fault is worth a record. Direct-mapped by
 * pid, so that it costs no task storage; what is overwritten by another task is counted and then unknown.
 */
enum pending_bit {
	PENDING_FILE = 1,    /* in filemap_fault or shmem_fault */
	PENDING_TRYLOCK = 2, /* __vmf_anon_prepare failed to get mmap_lock */
	PENDING_RECLAIM = 4, /* reclaimed memory inside handle_mm_fault; a hint stands for it */
	PENDING_HUGETLB = 8, /* hugetlb_fault returned RETRY */
	PENDING_DEVICE_PRIVATE = 16, /* do_huge_pmd_device_private did */
	PENDING_SWAP = 32,   /* in do_swap_page, without a record so far */
	PENDING_DEVICE = 64, /* and get_swap_device was seen */
};
#define PENDING_SWAP_ALL (PENDING_SWAP | PENDING_DEVICE)
struct pending {
	__u32 pid;
	__u32 have; /* enum pending_bit */
	__u64 vmf, vma, vma_start, vma_end, vm_flags, address; /* of a file fault or a swap fault: it is one of them */
	__u32 seq, mm_seq;
	__u32 flags;
	__u32 file; /* enum vl_file */
	__u64 t_file, t_trylock, t_reclaim, t_reclaimed;
	__u32 reclaim; /* enum vl_wait */
	__u32 mm_seq_known; /* at t_trylock */
	__u64 mm, pte, t_swap; /* of a swap fault */
	__u64 t_read, t_read_end; /* of read_what, inside do_swap_page; 0: not seen */
	__u32 seq_known;    /* seq and mm_seq were read, of a swap fault */
	__u32 device, device_flags;
	__u32 read_what; /* enum vl_wait */
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TASK_SLOTS);
	__type(key, __u32);
	__type(value, struct pending);
} pending_faults SEC(".maps");

static __always_inline struct pending *pending_slot(struct task_struct *task)
{
	__u32 i = (__u32)task->pid & (TASK_SLOTS - 1);

	return bpf_map_lookup_elem(&pending_faults, &i);
}

/* What is pending of this task, if it has `bit`. */
static __always_inline struct pending *pending_with(struct task_struct *task, __u32 bit)
{
	struct pending *pending = pending_slot(task);

	return pending && pending->pid == (__u32)task->pid && pending->have & bit ? pending : NULL;
}

static __always_inline struct pending *make_pending(struct task_struct *task)
{
	struct pending *pending = pending_slot(task);

	if (pending && pending->pid != (__u32)task->pid) {
		if (pending->have)
			count(VL_C_PENDING_LOST);
		if (pending->have & PENDING_SWAP)
			count(VL_C_SWAP_LOST);
		pending->have = 0;
		pending->pid = task->pid;
	}
	return pending;
}

/* A missed return leaves an entry behind; its vm_fault lay on this task's stack, so what lies there now decides. */
static __always_inline bool pending_holds(struct pending *pending)
{
	struct vm_fault *vmf = TYPED(vm_fault, pending->vmf);

	return PAGE_OF(vmf->address) == pending->address && (__u64)vmf->vma == pending->vma && (__u32)vmf->flags == pending->flags;
}

/* What happened in this fault before it had a record, in the order it happened. A fault that has a record already
 * has sent these itself. */
static __noinline int send_pending(struct rec *rec, __u32 have, __u64 ts, __u64 vma)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pending *pending = pending_slot(task);

	if (!rec || !pending)
		return 0;
	if (have & PENDING_RECLAIM) {
		send(rec, VL_WAIT_ENTER, 0, pending->t_reclaim, AB(pending->reclaim, 0));
		send(rec, VL_WAIT_EXIT, 0, pending->t_reclaimed, AB(pending->reclaim, 0));
	}
	if (have & PENDING_TRYLOCK) {
		rec->have |= HAVE_INNER;
		/* The VMA lock was held then: a writer that write-locked the VMA since did so under this sequence or a later one. */
		if (!(rec->have & HAVE_VMA) && pending->mm_seq_known) {
			rec->vma = vma;
			rec->mm_seq = pending->mm_seq;
			rec->have |= HAVE_VMA | HAVE_BOUND;
		}
		send(rec, VL_ANON_PREPARE, 0, pending->t_trylock, 0);
	}
	if (have & (PENDING_HUGETLB | PENDING_DEVICE_PRIVATE)) {
		rec->have |= HAVE_INNER;
		send(rec, VL_INNER_RETRY, 0, ts,
		     AB(have & PENDING_HUGETLB ? VL_INNER_HUGETLB : VL_INNER_DEVICE_PRIVATE, R_RETRY));
	}
	return 0;
}

/* Takes what is pending of a fault that is over; the hint of a reclaim goes with it. */
static __always_inline __u32 take_pending(struct task_struct *task)
{
	struct pending *pending = pending_with(task, ~PENDING_FILE);
	__u32 have;

	if (!pending)
		return 0;
	have = pending->have & ~PENDING_FILE;
	pending->have &= PENDING_FILE;
	/* The return of do_swap_page was missed. */
	if (have & PENDING_SWAP)
		count(VL_C_SWAP_LOST);
	have &= ~PENDING_SWAP_ALL;
	if (have & PENDING_RECLAIM)
		__sync_fetch_and_add(hint_of(task), -1);
	return have;
}

#endif
