/* SPDX-License-Identifier: GPL-2.0-only */
/* The release of the VMA lock, seen exactly. */
#ifndef VMALOCKTOP_RELEASE_BPF_H
#define VMALOCKTOP_RELEASE_BPF_H

#include "compat.bpf.h"
#include "events.h"
#include "record.bpf.h"
#include "send.bpf.h"
#include "state.bpf.h"

/* 6.4 to 6.14: vma_end_read is up_read on the VMA's own rw_semaphore. Called for every rw_semaphore of the system,
 * so the hint comes first. */
static __always_inline int on_up_read(void *sem)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state;
	struct rec *rec = current_rec(task, &state);

	if (!rec || rec->vm_lock != (__u64)sem || !in_session())
		return 0;
	rec->vm_lock = 0;
	send(rec, VL_VMA_RELEASE, 0, bpf_ktime_get_ns(), AB(1, 0));
	if (rec->state & AWAIT_RELEASE)
		close_top(task, state);
	return 0;
}

#endif
