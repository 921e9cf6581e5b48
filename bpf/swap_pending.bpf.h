/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A swap fault of which nothing is known yet but that it runs (scope retry). It has no record and sends nothing: what a
 * record would begin with is kept as pending. Where it turns out worth following (it waits for a folio, gives up, takes
 * long) the record is made of that; an ordinary one is counted when it returns (counted.bpf.h).
 */
#ifndef VMALOCKTOP_SWAP_PENDING_BPF_H
#define VMALOCKTOP_SWAP_PENDING_BPF_H

#include "compat.bpf.h"
#include "counters.h"
#include "events.h"
#include "maps.bpf.h"
#include "pending.bpf.h"
#include "record.bpf.h"
#include "rodata.bpf.h"
#include "send.bpf.h"
#include "state.bpf.h"

/* Whether every swap fault is followed from its start. A release that is to be seen needs the record before it. */
static __always_inline bool follows_swap(void)
{
	return (scope != VL_SCOPE_RETRY && !scope_cut) || observe_release;
}

static __always_inline struct pending *pending_swap(struct task_struct *task)
{
	return follows_swap() ? NULL : pending_with(task, PENDING_SWAP);
}

/* swapin_readahead seldom waits: its wait is sent afterwards, and only if there was one. */
#define SWAPIN_MIN_NS 100000
static __always_inline bool waited_for_read(struct pending *pending)
{
	return pending->t_read && (pending->read_what == VL_WAIT_SYNC_READ ||
				   (pending->t_read_end && pending->t_read_end - pending->t_read >= SWAPIN_MIN_NS));
}

/* Makes the record of a swap fault that turned out worth it. */
static __noinline struct rec *rec_from_swap(struct pending *pending)
{
	struct task_struct *task = bpf_get_current_task_btf();
	bool quiet = !in_scope(VL_SCOPE_SWAP);
	struct task_state *state;
	struct rec *rec;
	__u32 have, failed;

	if (!pending)
		return NULL;
	have = pending->have;
	pending->have = have & ~PENDING_SWAP_ALL;
	state = make_state(task);
	/* It had none when it came to do_swap_page, and this is one attempt. */
	rec = state && !state->n ? open_rec(task, state, pending->flags & F(USER), quiet) : NULL;
	if (!rec) {
		count(VL_C_SWAP_LOST);
		return NULL;
	}
	count(quiet ? VL_C_SWAP_COUNTED : VL_C_SWAP_FOLLOWED);
	rec->mm = pending->mm;
	rec->address = pending->address;
	rec->vma_start = pending->vma_start;
	rec->vma_end = pending->vma_end;
	rec->vm_flags = pending->vm_flags;
	rec->pte = pending->pte;
	rec->vmf = pending->vmf;
	if (pending->flags & F(VMA_LOCK)) {
		rec->acquired = take_start(task, &failed);
		rec->vma = pending->vma;
		rec->seq = pending->seq;
		rec->mm_seq = pending->mm_seq;
		if (pending->seq_known)
			rec->have |= HAVE_VMA;
	}
	rec->t[VL_H_SWAP] = pending->t_swap;
	rec->state = IN_SWAP;
	send(rec, VL_SWAP_ENTER, 0, pending->t_swap, AB(pending->flags, 0));
	if (have & PENDING_DEVICE) {
		rec->state |= DEVICE_SEEN;
		send(rec, VL_SWAP_DEVICE, 0, pending->t_swap, AB(pending->device, pending->device_flags));
	}
	if (waited_for_read(pending)) {
		send(rec, VL_WAIT_ENTER, 0, pending->t_read, AB(pending->read_what, 0));
		if (pending->t_read_end)
			send(rec, VL_WAIT_EXIT, 0, pending->t_read_end, AB(pending->read_what, 0));
	} else if (pending->t_read && !pending->t_read_end) {
		rec->t_swapin = pending->t_read;
	}
	return rec;
}

/* A read inside a pending swap fault: sent should the fault be followed. */
static __always_inline int on_read_pending(struct task_struct *task, bool enter, __u32 what)
{
	struct pending *pending = pending_swap(task);

	if (!pending)
		return 0;
	if (enter) {
		pending->t_read = bpf_ktime_get_ns();
		pending->t_read_end = 0;
		pending->read_what = what;
	} else if (pending->t_read) {
		pending->t_read_end = bpf_ktime_get_ns();
	}
	return 0;
}

/* This task's record; made of what is pending where it has none and a swap fault is. */
static __always_inline struct rec *current_or_pending(struct task_struct *task, struct task_state **state)
{
	struct rec *rec = current_rec(task, state);
	struct pending *pending;

	if (rec)
		return rec;
	pending = pending_swap(task);
	if (!pending)
		return NULL;
	/* The return of do_swap_page was missed: its struct vm_fault lay on this stack, so what lies there now decides. */
	if (!pending_holds(pending)) {
		pending->have &= ~PENDING_SWAP_ALL;
		count(VL_C_SWAP_LOST);
		return NULL;
	}
	rec_from_swap(pending);
	return current_rec(task, state);
}

#endif
