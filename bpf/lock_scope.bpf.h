/* SPDX-License-Identifier: GPL-2.0-only */
/* Whose locks are of the session: with a filter, those of the mms of what is followed, whoever takes them. */
#ifndef VMALOCKTOP_LOCK_SCOPE_BPF_H
#define VMALOCKTOP_LOCK_SCOPE_BPF_H

#include "cgroups.bpf.h"
#include "compat.bpf.h"
#include "pids.bpf.h"
#include "rodata.bpf.h"
#include "state.bpf.h"

/* With a filter: the mms that followed tasks run on, or that a followed process owns. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384); /* 1 unless filtered, set before load */
	__type(key, __u64);
	__type(value, __u8);
} followed_mms SEC(".maps");

static __always_inline __u64 mm_id_of(void *mm)
{
	__u64 id;

	/* Through memory, so that it is a number to the verifier. */
	bpf_probe_read_kernel(&id, sizeof id, &mm);
	return MM_ID(id);
}

/* __mmdrop: another mm may lie there next, and whether that one is followed is found out anew. */
static __always_inline int on_mm_freed(void *mm)
{
	__u64 id = mm_id_of(mm);

	bpf_map_delete_elem(&followed_mms, &id);
	return 0;
}

/* A task of the process an mm is of (CONFIG_MEMCG keeps that); NULL: not known, as when it exits (mm_update_next_owner). */
static __always_inline struct task_struct *owner_task(struct mm_struct *mm)
{
	struct task_struct *owner = NULL;

	if (bpf_core_field_exists(mm->owner))
		owner = BPF_CORE_READ(mm, owner);
	return owner;
}

/* The process an mm is of; 0: not known. */
static __always_inline __u32 owner_of(struct mm_struct *mm)
{
	struct task_struct *owner = owner_task(mm);

	return owner ? tgid_of(owner) : 0;
}

/* Whether the process an mm is of is followed. Filters by thread and by name say nothing of a process. */
static __always_inline bool is_owner_followed(struct task_struct *task, struct mm_struct *mm)
{
	struct task_struct *owner;
	__u32 tgid;

	if (filter_tid || filter_comm)
		return false;
	owner = owner_task(mm);
	if (!owner)
		return false;
	if (filter_tgid) {
		tgid = tgid_of(owner);
		if (!has_pid(PIDS_OF(tgids, tgid), tgid))
			return false;
	}
	if (!filter_cgroup)
		return true;
	/* Tasks of one css_set are in one cgroup, and mostly it is the mm's own that asks. */
	return BPF_CORE_READ(owner, cgroups) == BPF_CORE_READ(task, cgroups) ? in_followed_cgroup() :
									       is_in_followed_cgroup(owner);
}

/* Whether what happens to the locks of this mm is of the session, by any task. Of our own: what we do to others. */
static __always_inline bool should_trace_lock(struct task_struct *task, struct mm_struct *mm)
{
	bool own = task->mm == mm;
	__u64 id;
	__u8 one = 1;

	if (!in_session() || (own && is_ourself(task)))
		return false;
	if (!filtered)
		return true;
	id = mm_id_of(mm);
	if (bpf_map_lookup_elem(&followed_mms, &id))
		return true;
	if (!(own && should_trace(task)) && !is_owner_followed(task, mm))
		return false;
	bpf_map_update_elem(&followed_mms, &id, &one, BPF_ANY);
	return true;
}

#endif
