/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pids as the user sees them, and which of them a session follows.
 * A task has a pid in its own PID namespace and in each one above it (struct pid, numbers[]). task->pid is the one of the
 * initial namespace; inside a container neither getpid() nor /proc show that one.
 */
#ifndef VMALOCKTOP_PIDS_BPF_H
#define VMALOCKTOP_PIDS_BPF_H

#include "compat.bpf.h"
#include "maps.bpf.h"
#include "rodata.bpf.h"
#include "typed.bpf.h"

/* A task that the user's namespace does not show: its initial pid with this bit, so that it is taken for no other. */
#define PID_OUTSIDE PID_MAX_LIMIT

static __always_inline struct upid read_upid(struct pid *pid, __u32 level)
{
	struct upid upid = {};

	bpf_probe_read_kernel(&upid, sizeof upid,
			      (void *)pid + bpf_core_field_offset(struct pid, numbers) + level * bpf_core_type_size(struct upid));
	return upid;
}

static __noinline __u32 pid_in_ns(void *of)
{
	struct task_struct *task = of;
	struct pid *pid = BPF_CORE_READ(task, thread_pid);

	if (pid && BPF_CORE_READ(pid, level) >= self.level) {
		struct upid upid = read_upid(pid, self.level);

		if (upid.ns == self.pid_ns)
			return upid.nr;
	}
	return PID_OUTSIDE | (__u32)BPF_CORE_READ(task, pid);
}

/* Of a task that need not be the current one: every read is guarded. */
static __always_inline __u32 tid_of(void *of)
{
	struct task_struct *task = TYPED(task_struct, of);

	return in_pid_ns ? pid_in_ns(of) : (__u32)task->pid;
}

static __always_inline __u32 tgid_of(void *of)
{
	struct task_struct *task = TYPED(task_struct, of);

	return in_pid_ns ? pid_in_ns(task->group_leader) : (__u32)task->tgid;
}

static __always_inline __u32 my_tid(struct task_struct *task)
{
	return in_pid_ns ? pid_in_ns(task) : (__u32)task->pid;
}

static __always_inline __u32 my_tgid(struct task_struct *task)
{
	return in_pid_ns ? pid_in_ns(BPF_CORE_READ(task, group_leader)) : (__u32)task->tgid;
}

static __always_inline bool is_ourself(struct task_struct *task)
{
	return (__u32)task->tgid == (in_pid_ns ? self.tgid : own_tgid);
}

/* Run once by the user side before it observes, in its own process: what the process's pid and cgroup are above its namespaces. */
static __always_inline int on_self(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	__u32 level = BPF_CORE_READ(pid, level);

	if (filter_cgroup)
		own_cgroup_level = BPF_CORE_READ(task, cgroups, dfl_cgrp, level);
	if (level < ns_below)
		return 0;
	self.level = level - ns_below;
	self.pid_ns = read_upid(pid, self.level).ns;
	self.tgid = task->tgid;
	return self.pid_ns != 0;
}

#define PIDS_OF(map, id)                                                                           \
	({                                                                                         \
		__u32 block_ = (id) / PIDS_A_BLOCK;                                                \
		struct pid_block *found_ = bpf_map_lookup_elem(&map, &block_);                     \
		found_ ? &found_->bits[(id) / 64 & (PIDS_A_BLOCK / 64 - 1)] : NULL;                \
	})

static __always_inline bool has_pid(__u64 *word, __u32 id)
{
	return word && *word >> (id & 63) & 1;
}

static __always_inline void put_pid(__u64 *word, __u32 id, bool on)
{
	__u64 bit = 1ull << (id & 63);

	if (!word)
		return;
	if (on)
		__sync_fetch_and_or(word, bit);
	else if (*word & bit)
		__sync_fetch_and_and(word, ~bit);
}

/*
 * A new task, about to run for the first time (wake_up_new_task). It may have the pid of one that is gone: whether the
 * task of a pid is followed is decided here, for each. A process is, if one that is followed made it, or ourselves
 * in the window the user side opens.
 */
static __always_inline int on_new_task(void *of)
{
	struct task_struct *child = of, *parent = bpf_get_current_task_btf();
	__u32 tid = tid_of(of), from = my_tgid(parent);
	bool process = BPF_CORE_READ(child, pid) == BPF_CORE_READ(child, tgid);

	if (filter_tid)
		put_pid(PIDS_OF(tids, tid), tid, false);
	if (filter_tgid && process)
		put_pid(PIDS_OF(tgids, tid), tid,
			follow_forks && ((follow_children && is_ourself(parent)) || has_pid(PIDS_OF(tgids, from), from)));
	return 0;
}

#endif
