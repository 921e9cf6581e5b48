/* SPDX-License-Identifier: GPL-2.0-only */
/* Ordinary swap faults, counted and not followed: a row for each process, cgroup and swap device, in memory the user side reads. */
#ifndef VMALOCKTOP_COUNTED_BPF_H
#define VMALOCKTOP_COUNTED_BPF_H

#include "compat.bpf.h"
#include "counters.h"
#include "kernel.bpf.h"
#include "maps.bpf.h"
#include "pids.bpf.h"
#include "rodata.bpf.h"
#include "state.bpf.h"
#include "swap.bpf.h"
#include "swap_pending.bpf.h"

/*
 * Open addressing without a helper call a probe would need. Two rows may have one and the same key (two CPUs made it at
 * once): readers add. NULL: no room.
 */
#define COUNTED_PROBES 4
static __always_inline struct vl_counted *counted_row(__u32 tgid, __u32 device, __u64 cgroup)
{
	__u64 key = (__u64)tgid << 32 | (device + 1);
	__u32 hash = (tgid * 0x9e3779b1u) ^ (__u32)cgroup * 0x85ebca6bu ^ device;
	struct vl_counted *row;
	__u32 i;

	hash ^= hash >> 15;
	for (int probe = 0; probe < COUNTED_PROBES; probe++) {
		i = (hash + probe) & (VL_COUNTED_ROWS - 1);
		row = bpf_map_lookup_elem(&counted, &i);
		if (!row)
			return NULL;
		if (row->key == key && row->cgroup == cgroup)
			return row;
		if (!row->key && !__sync_val_compare_and_swap(&row->key, 0, key)) {
			row->cgroup = cgroup;
			bpf_get_current_comm(row->comm, sizeof row->comm);
			return row;
		}
	}
	return NULL;
}

/* False where there is no room for its row. */
static __always_inline bool count_swap_fault(struct task_struct *task, __u32 device, __u32 ret, __u64 ns)
{
	struct vl_counted *row = counted_row(my_tgid(task), device, bpf_get_current_cgroup_id());
	struct vl_cpu *cpu = this_row();
	__u32 bucket = log2_bucket(ns) & 63;

	if (!row || !cpu)
		return false;
	__sync_fetch_and_add(&cpu->counter[VL_C_SWAP_COUNTED], 1);
	__sync_fetch_and_add(&cpu->hist[VL_H_SWAP][bucket], 1);
	__sync_fetch_and_add(&row->ns, ns);
	if (ret & R(MAJOR))
		__sync_fetch_and_add(&row->reads, 1);
	__sync_fetch_and_add(&row->hist[bucket >= VL_COUNTED_BUCKETS ? VL_COUNTED_BUCKETS - 1 : bucket], 1);
	/* Last: by it the reader sees that the row has changed. */
	__sync_fetch_and_add(&row->faults, 1);
	return true;
}

/* `vmf`: TYPED. */
static __always_inline int on_swap_begin(struct vm_fault *vmf)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct vl_cpu *row = this_row();
	struct vm_area_struct *vma;
	struct pending *pending;
	struct mm_struct *mm;
	__u64 calls;

	if (follows_swap())
		return on_swap_enter(vmf);
	if (!should_trace(task) || !row)
		return 0;
	if (task->flags & PF_KTHREAD) {
		count(VL_C_KTHREAD);
		return 0;
	}
	calls = __sync_fetch_and_add(&row->counter[VL_C_SWAP], 1);
	pending = make_pending(task);
	/* The return of the one before was missed. */
	if (pending && pending->have & PENDING_SWAP) {
		__sync_fetch_and_add(&row->counter[VL_C_SWAP_LOST], 1);
		pending->have &= ~PENDING_SWAP_ALL;
	}
	/* A fault that has a record goes on in it: the pass after RETRY. */
	if (*hint_of(task) || !pending)
		return swap_followed(vmf, 0);
	if (sample_every && !(calls & (sample_every - 1)))
		return swap_followed(vmf, VL_F_SAMPLED);
	pending->have = (pending->have & ~PENDING_FILE) | PENDING_SWAP;
	NUMBER(pending->vmf, vmf);
	pending->flags = vmf->flags;
	pending->address = PAGE_OF(vmf->address);
	/* Read now: do_swap_page overwrites it. */
	pending->pte = pending->flags & F(ORIG_PTE_VALID) ? vmf->orig_pte.pte : 0;
	vma = vmf->vma;
	NUMBER(pending->vma, vma);
	mm = vma->vm_mm;
	NUMBER(pending->mm, mm);
	pending->mm = MM_ID(*(volatile __u64 *)&pending->mm);
	pending->vma_start = vma->vm_start;
	pending->vma_end = vma->vm_end;
	pending->vm_flags = vma->vm_flags;
	pending->seq_known = 0;
	if (pending->flags & F(VMA_LOCK))
		pending->seq_known = read_vma_seq(vma, &pending->seq, true) && read_mm_seq(mm, &pending->mm_seq, true);
	pending->t_read = 0;
	pending->t_swap = bpf_ktime_get_ns();
	expire(pending->t_swap);
	return 0;
}

static __always_inline int on_swap_end(__u32 ret)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pending *pending;
	__u32 device;
	__u64 ns;

	if (!in_session())
		return 0;
	pending = pending_swap(task);
	if (!pending)
		return on_swap_exit(ret);
	ns = bpf_ktime_get_ns() - pending->t_swap;
	device = pending->have & PENDING_DEVICE ? pending->device : VL_COUNTED_NO_DEVICE;
	if (ret & (R(RETRY) | R(COMPLETED) | R_ERROR) || ns >= slow_ns || !count_swap_fault(task, device, ret, ns)) {
		rec_from_swap(pending);
		return on_swap_exit(ret);
	}
	pending->have &= ~PENDING_SWAP_ALL;
	return 0;
}

/* `si`: TYPED. */
static __always_inline int on_swap_device_seen(struct swap_info_struct *si)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pending *pending = pending_swap(task);

	if (!pending)
		return on_swap_device(si);
	if (pending->have & PENDING_DEVICE || !in_session())
		return 0;
	pending->have |= PENDING_DEVICE;
	pending->device = swap_device_of(si, &pending->device_flags);
	return 0;
}

#endif
