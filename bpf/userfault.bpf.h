/* SPDX-License-Identifier: GPL-2.0-only */
/* Steps inside an attempt that is handed on, or wants mmap_lock: handle_userfault, __vmf_anon_prepare. */
#ifndef VMALOCKTOP_USERFAULT_BPF_H
#define VMALOCKTOP_USERFAULT_BPF_H

#include "attempt.bpf.h"
#include "compat.bpf.h"
#include "counters.h"
#include "events.h"
#include "file.bpf.h"
#include "kernel.bpf.h"
#include "pending.bpf.h"
#include "record.bpf.h"
#include "send.bpf.h"
#include "state.bpf.h"
#include "swap_pending.bpf.h"
#include "vma_hold.bpf.h"
#include "vma_name.bpf.h"

static __always_inline int on_userfault_enter(void *ctx, struct vm_fault *vmf, __u32 reason)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state;
	struct pending *pending;
	struct rec *rec;
	__u32 flags;
	__u64 ts;

	if (!should_trace(task) || task->flags & PF_KTHREAD)
		return 0;
	count(VL_C_UFFD);
	flags = vmf->flags;
	/* Inside shmem_fault (a minor fault, or a missing page of a file): one record, and it began there. */
	pending = pending_with(task, PENDING_FILE);
	if (pending && pending->vmf == (__u64)vmf)
		rec_from_pending(pending, VL_UFFD_ENTER);
	current_or_pending(task, &state);
	rec = rec_for(vmf, flags, VL_UFFD_ENTER, !in_scope(VL_SCOPE_RETRY));
	if (!rec)
		return 0;
	/* Its wait may last: named while it does. */
	name_vma(rec, NUMBER_OF(rec->number, vmf->vma));
	vmf_hold_ends(vmf, flags);
	ts = bpf_ktime_get_ns();
	rec->t[VL_H_UFFD] = ts;
	rec->state |= IN_UFFD;
	send(rec, VL_UFFD_ENTER, 0, ts, AB(flags, reason));
	if (!(rec->state & MM_LOCKED))
		open_window(rec);
	send_stack(ctx, rec, ts);
	return 0;
}

static __always_inline int on_userfault_exit(__u32 ret)
{
	if (!in_session())
		return 0;
	return on_return(IN_UFFD, VL_H_UFFD, VL_UFFD_EXIT, ret);
}

/* On RETRY the VMA lock is still held here: the inline vmf_anon_prepare drops it after this returns. */
static __always_inline int on_anon_prepare_exit(struct vm_fault *vmf, __u32 ret)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state;
	struct rec *rec;

	if (!(ret & R_RETRY) || !should_trace(task))
		return 0;
	current_or_pending(task, &state);
	rec = rec_for(vmf, BPF_CORE_READ(vmf, flags), VL_ANON_PREPARE, !in_scope(VL_SCOPE_RETRY));
	if (!rec)
		return 0;
	rec->have |= HAVE_INNER;
	return send(rec, VL_ANON_PREPARE, 0, bpf_ktime_get_ns(), AB(0, ret));
}

#endif
