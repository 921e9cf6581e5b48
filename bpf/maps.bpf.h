/* SPDX-License-Identifier: GPL-2.0-only */
/* Maps, and the variables that programs share with each other and with the user side. */
#ifndef VMALOCKTOP_MAPS_BPF_H
#define VMALOCKTOP_MAPS_BPF_H

#include "compat.bpf.h"
#include "counters.h"
#include "events.h"
#include "rodata.bpf.h"

/* Which process we are, found by on_self where the user side cannot know it. */
struct {
	__u64 pid_ns; /* struct pid_namespace: the one whose pids the user sees, an address to compare */
	__u32 level;  /* its depth: the initial one has 0 */
	__u32 tgid;   /* ours in the initial one */
} self;
/* With a filter by cgroup: how deep ours is, found by on_self as well; the root has 0. */
__u32 own_cgroup_level;

/* --- written by the user side while it runs (.data) --- */

/*
 * A session lasts while this is DURING. It becomes DURING once every program is attached, and AFTER before the first one
 * is detached, each at one instant for all programs. A run reads it once, and both what it counts and what it sends
 * depend on that read: a run that has begun is complete, so that what is counted is also followed.
 */
enum phase { BEFORE = 0, DURING = 1, AFTER = 2 };
volatile __u32 observing = BEFORE;  /* enum phase: every program reads it once, first */
volatile __u64 ends_at = 0;         /* CLOCK_MONOTONIC, ns: the session lasts no longer; 0: that is not known yet */
volatile __u32 follow_children = 0; /* 1: a process forked by own_tgid now is followed */
volatile __u32 scope_cut = 0;       /* steps the scope is narrower by now than it was loaded with: takes no privilege */

/* A program that reads the clock ends a session whose time is up: in a storm the user side may get no processor for seconds. */
static __always_inline void expire(__u64 ts)
{
	if (ends_at && ts >= ends_at)
		observing = AFTER;
}

/* Whether faults that come with scope `least` or a wider one are followed now. What was not loaded costs nothing. */
static __always_inline bool in_scope(__u32 least)
{
	return scope >= least && scope >= least + scope_cut;
}

/* An upper bound of the open records of all tasks with the same pid modulo HINTS. Zero means that this task has none,
 * without a look into task storage, which keeps an ordinary fault cheap. If two tasks share an entry, one of them may
 * look in vain. */
#define HINTS 65536
__u32 open_hint[HINTS];

/* VL_C_VMA_OK of the first CPUs, a cache line each: an ordinary fault is counted here, without a map lookup. The user
 * side adds it to the counters of the rows. */
#define FAST_CPUS 1024
struct fast_counters {
	__u64 vma_ok;
	__u64 busy; /* the first program on handle_mm_fault is under way on this CPU */
	__u64 pad[6];
} fast_counters[FAST_CPUS] __attribute__((aligned(64)));

/* Whose fault the second program has taken, by pid: so that the first one skips that fault if it gets to it after all. */
__u32 standby_took[HINTS];

/* Faults that returned RETRY before the session began, by pid (retried_before): their fallback is no abort. */
#define BEGUN 4096
__u64 begun[BEGUN];

/* Faults between the release of their VMA lock and their fallback, by mm: meanwhile the writers of that mm are sent.
 * Two mms may share an entry: then a few more writers are sent. */
#define RETRY_WINDOWS 4096
__u32 retry_windows[RETRY_WINDOWS];

/* VMAs whose name was sent, by a hash of what was sent; the index is a part of it. A VMA that another one took the place
 * of is sent once more. */
#define NAMED_VMAS 8192
__u64 named_vmas[NAMED_VMAS];

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 << 20);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* CPUs of the host, twice with `standby`; set before load */
	__type(key, __u32);
	__type(value, struct vl_cpu);
} cpus SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, VL_COUNTED_ROWS);
	__type(key, __u32);
	__type(value, struct vl_counted);
} counted SEC(".maps");

/* Which processes and which threads are followed: a bit for every possible pid, so there may be any number of them. */
#define PIDS_A_BLOCK 512
struct pid_block {
	__u64 bits[PIDS_A_BLOCK / 64];
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PID_MAX_LIMIT / PIDS_A_BLOCK); /* 1 unless filter_tgid, set before load */
	__type(key, __u32);
	__type(value, struct pid_block);
} tgids SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PID_MAX_LIMIT / PIDS_A_BLOCK); /* 1 unless filter_tid, set before load */
	__type(key, __u32);
	__type(value, struct pid_block);
} tids SEC(".maps");

/* When the VMA lock of a task's current fault was taken; only with track_start. Direct-mapped by pid: an entry of
 * another task is seen by its pid, and the start of that fault is then unknown, not wrong. */
#define START_FAILED 0x80000000u /* with the pid: lock_vma_under_rcu returned NULL. No pid reaches that bit. */
struct start {
	__u64 ts;
	__u32 pid;
	__u32 pad;
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HINTS); /* 1 unless track_start, set before load */
	__type(key, __u32);
	__type(value, struct start);
} starts SEC(".maps");

/* Entries of maps that are direct-mapped by pid and hold what is known of a task for a short time. */
#define TASK_SLOTS 32768

/*
 * The latest writers of an mm, by the lock sequence each ran under: this names the one that write-locked a VMA. If two mms
 * share an entry, the one written last has it. Each writer bears the mark of its mm, since it may be stored after
 * another mm has taken the entry.
 */
#define LATEST 4
#define WRITERS 8192
struct mm_writer {
	__u32 seq, tid, syscall, mark;
};
struct mm_writers {
	__u64 mm;
	__u32 n;
	__u32 pad;
	struct mm_writer latest[LATEST];
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, WRITERS);
	__type(key, __u32);
	__type(value, struct mm_writers);
} writers SEC(".maps");

/* mm_structs are 64 bytes apart at least; what differs between those in use lies in these bits. */
static __always_inline __u32 writer_mark(__u64 mm)
{
	return (__u32)(mm >> 6);
}

static __always_inline struct mm_writers *writers_of(__u64 mm)
{
	__u32 i = (__u32)(mm >> 6 ^ mm >> 19) & (WRITERS - 1);

	return bpf_map_lookup_elem(&writers, &i);
}

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, 16384);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, 127 * sizeof(__u64));
} stacks SEC(".maps");

struct swap_device {
	char name[32]; /* gendisk->disk_name */
	__u32 flags;
	__u32 synchronous; /* its queue says so: 1, or 2 when it does not */
	__u64 seen;
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 32);
	__type(key, __u32);
	__type(value, struct swap_device);
} swap_devices SEC(".maps");

#endif
