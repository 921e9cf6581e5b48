/* SPDX-License-Identifier: GPL-2.0-only */
/* The way out to the ring, of steps and of whole lifecycles. */
#ifndef VMALOCKTOP_SEND_BPF_H
#define VMALOCKTOP_SEND_BPF_H

#include "compat.bpf.h"
#include "counters.h"
#include "events.h"
#include "maps.bpf.h"
#include "pids.bpf.h"
#include "state.bpf.h"

#define AB(a, b) ((__u64)(__u32)(a) << 32 | (__u32)(b))

/* Whole words at a time. Little-endian, as the ring's reader. */
static __always_inline void fill_step(struct vl_step *s, struct task_struct *task, __u64 name, __u32 kind, __u32 flags,
				      __u32 cpu, __u64 ts, __u64 ab)
{
	__u64 *word = (__u64 *)s;

	word[0] = kind | flags << 8 | cpu << 16 | (__u64)my_tid(task) << 32;
	word[1] = name;
	word[2] = ts;
	word[3] = ab >> 32 | ab << 32;
}

/* The name of the task, as two words. */
static __always_inline void fill_comm(char *comm, struct task_struct *task)
{
	const __u64 *from = (const __u64 *)&task->comm;

	((__u64 *)comm)[0] = from[0];
	((__u64 *)comm)[1] = from[1];
}

/*
 * Sends one step. The first one of a record takes who and where along. Counted before it is tried, so that
 * emitted = decoded + dropped can be checked from outside. It is global, like every function called from many places: the
 * verifier checks a global function once, for all possible arguments, and a static one again for every call on every path.
 */
__noinline int send(struct rec *rec, __u32 kind, __u32 flags, __u64 ts, __u64 ab)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 k = kind & 63, cpu = bpf_get_smp_processor_id();
	struct vl_cpu *row = row_of(cpu);

	expire(ts);
	if (!rec || !row || rec->quiet)
		return 0;
	__sync_fetch_and_add(&row->emitted[k], 1);
	if (rec->step == 0) {
		struct vl_open *o = bpf_ringbuf_reserve(&events, sizeof *o, 0);

		if (!o) {
			__sync_fetch_and_add(&row->dropped[k], 1);
		} else {
			fill_step(&o->step, task, rec->name, k, flags | VL_F_INFO, cpu, ts, ab);
			__builtin_memcpy(&o->acquired, &rec->acquired, 8 * sizeof(__u64));
			o->tgid = my_tgid(task);
			o->depth = rec->depth;
			__builtin_memset(o->pad, 0, sizeof o->pad);
			fill_comm(o->comm, task);
			bpf_ringbuf_submit(o, BPF_RB_NO_WAKEUP);
		}
	} else {
		struct vl_step *s = bpf_ringbuf_reserve(&events, sizeof *s, 0);

		if (!s) {
			__sync_fetch_and_add(&row->dropped[k], 1);
		} else {
			fill_step(s, task, rec->name, k, flags, cpu, ts, ab);
			bpf_ringbuf_submit(s, BPF_RB_NO_WAKEUP);
		}
	}
	rec->step++;
	return 0;
}

/* A lifecycle of one step, sent without a record: an ordinary fault in scope all. `vma` is locked or NULL; `slot` is
 * the row's place, which is what its running number counts in. */
static __always_inline void send_whole(struct task_struct *task, struct vl_cpu *row, __u32 slot, __u32 cpu,
				       struct vm_area_struct *vma, __u64 acquired, __u64 page, __u32 step_flags, __u64 ts, __u32 flags, __u32 ret)
{
	struct vl_open *o;
	__u32 fault = __sync_fetch_and_add(&row->next_fault, 1);

	expire(ts);
	/* No other program writes these of this row, and this one cannot interrupt itself on a CPU. */
	row->counter[VL_C_WHOLE]++;
	row->emitted[VL_HMF_EXIT]++;
	o = bpf_ringbuf_reserve(&events, sizeof *o, 0);
	if (!o) {
		row->dropped[VL_HMF_EXIT]++;
		return;
	}
	fill_step(&o->step, task, fault | (__u64)slot << 32, VL_HMF_EXIT, step_flags | VL_F_INFO, cpu, ts, AB(flags, ret));
	o->acquired = acquired;
	o->mm = MM_ID(NUMBER_OF(o->mm, task->mm));
	o->address = page;
	o->vma_start = vma ? vma->vm_start : 0;
	o->vma_end = vma ? vma->vm_end : 0;
	o->vm_flags = vma ? vma->vm_flags : 0;
	o->pte = 0;
	o->cgroup = bpf_get_current_cgroup_id();
	o->tgid = my_tgid(task);
	*(__u32 *)&o->depth = 0;
	fill_comm(o->comm, task);
	bpf_ringbuf_submit(o, BPF_RB_NO_WAKEUP);
}

/*
 * A record that is no step of a fault. It is counted as emitted, and who and where are filled in here; the caller fills in
 * what and when. NULL: there was no room, which is counted as well.
 */
static __always_inline struct vl_writer *begin_writer(struct task_struct *task, __u32 kind, __u8 flags)
{
	struct vl_cpu *row = this_row();
	struct vl_writer *w;

	if (!row)
		return NULL;
	kind &= 63;
	__sync_fetch_and_add(&row->emitted[kind], 1);
	w = bpf_ringbuf_reserve(&events, sizeof *w, 0);
	if (!w) {
		__sync_fetch_and_add(&row->dropped[kind], 1);
		return NULL;
	}
	__builtin_memset(w, 0, sizeof *w);
	w->step.kind = kind;
	w->step.flags = flags | VL_F_INFO;
	w->step.cpu = bpf_get_smp_processor_id();
	w->step.tid = my_tid(task);
	w->kernel_stack = w->user_stack = ~0u;
	w->cgroup = bpf_get_current_cgroup_id();
	w->tgid = my_tgid(task);
	fill_comm(w->comm, task);
	return w;
}

#endif
