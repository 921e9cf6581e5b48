/* SPDX-License-Identifier: GPL-2.0-only */
/* What ends a fault beside its return: the exact release, a signal, the end of the task. */
#ifndef VMALOCKTOP_ENDS_BPF_H
#define VMALOCKTOP_ENDS_BPF_H

/* 6.4 to 6.14: vma_end_read is up_read on the VMA's own rw_semaphore. Called for every rw_semaphore of the system,
 * so the mark comes first. */
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

/* A record still open when a signal is delivered or the task ends: RETRY with a signal pending takes no fallback. */
static __always_inline int on_cut_short(enum vl_kind kind, __u32 a)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_state *state;
	struct rec *rec = current_rec(task, &state);
	__u64 ts;

	if (!rec || !in_session())
		return 0;
	ts = bpf_ktime_get_ns();
	for (int i = 0; i < MAX_DEPTH && state->n; i++) {
		rec = top_of(state);
		if (rec)
			send(rec, kind, 0, ts, AB(a, 0));
		close_top(task, state);
	}
	return 0;
}

#endif
