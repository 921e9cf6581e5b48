/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which cgroups a session follows, each with all below it. A cgroup knows those above it by level (cgroup->ancestors):
 * whether a task is in one of them is one comparison each, however deep it is.
 */
#ifndef VMALOCKTOP_CGROUPS_BPF_H
#define VMALOCKTOP_CGROUPS_BPF_H

#include "compat.bpf.h"
#include "rodata.bpf.h"

/* Written by the user side before the session begins; `filter_cgroup` of them count. */
#define CGROUPS 16
struct followed_cgroup {
	__u64 id;
	__u32 level; /* of the root 0 */
	__u32 pad;
} followed_cgroups[CGROUPS];

/* The current task. */
static __noinline bool in_followed_cgroup(void)
{
	for (__u32 i = 0; i < CGROUPS && i < filter_cgroup; i++)
		if (bpf_get_current_ancestor_cgroup_id(followed_cgroups[i].level) == followed_cgroups[i].id)
			return true;
	return false;
}

/* A task that need not be the current one: every read is guarded. */
static __noinline bool is_in_followed_cgroup(void *of)
{
	struct task_struct *task = of;
	struct cgroup *cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp), *ancestor;
	__u32 level = BPF_CORE_READ(cgroup, level);

	for (__u32 i = 0; i < CGROUPS && i < filter_cgroup; i++) {
		if (followed_cgroups[i].level > level)
			continue;
		ancestor = NULL;
		bpf_probe_read_kernel(&ancestor, sizeof ancestor,
				      (void *)cgroup + bpf_core_field_offset(struct cgroup, ancestors) +
					      followed_cgroups[i].level * sizeof ancestor);
		if (BPF_CORE_READ(ancestor, kn, id) == followed_cgroups[i].id)
			return true;
	}
	return false;
}

#endif
