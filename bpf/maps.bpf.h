/* SPDX-License-Identifier: GPL-2.0-only */
/* Maps and knobs. Knobs are constants to the verifier: what a session does not ask for is not in its programs. */
#ifndef VMALOCKTOP_MAPS_BPF_H
#define VMALOCKTOP_MAPS_BPF_H

/* --- knobs, written before load (.rodata) --- */
const volatile __u32 scope = VL_SCOPE_RETRY;
const volatile __u32 own_tgid = 0;     /* never observe ourselves */
const volatile __u32 filtered = 0;     /* 1: any of the filters below is on */
const volatile __u32 filter_tgid = 0;  /* 1: only processes in `tgids` */
const volatile __u32 filter_tid = 0;   /* 1: only threads in `tids` */
const volatile __u32 filter_comm = 0;  /* 1: only tasks whose comm is `comm_lo`,`comm_hi` */
const volatile __u64 comm_lo = 0;
const volatile __u64 comm_hi = 0;
const volatile __u32 track_start = 0;  /* 1: lock_vma_under_rcu is hooked and leaves the time of the lock */
const volatile __u64 min_ns = 0;       /* send faults under the VMA lock that took at least this long; 0: none */
const volatile __u32 observe_release = 0; /* 1: up_read is hooked (6.4 to 6.14) and a hold lasts until it was seen */
const volatile __u32 flor_takes_vmf = 1;  /* 0 on 6.4, 6.5: (folio, mm, flags) */

/* --- written by the user side while it runs (.data) --- */
volatile __u32 follow_children = 0; /* 1: a process forked by own_tgid now is followed */

/* An upper bound of the open records of the tasks with one and the same pid modulo MARKS. Zero says: this task has
 * none, without a look into task storage; that is what keeps an ordinary fault cheap. Shared by collision: then a
 * task merely looks in vain. */
#define MARKS 65536
__u32 marks[MARKS];

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 << 20);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* CPUs of the host, set before load */
	__type(key, __u32);
	__type(value, struct vl_cpu);
} cpus SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, __u8);
} tgids SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u8);
} tids SEC(".maps");

/* When the VMA lock of a task's current fault was taken; only with track_start. Direct-mapped by pid: an entry of
 * another task is seen by its pid, and the start of that fault is then unknown, not wrong. */
struct start {
	__u64 ts;
	__u32 pid;
	__u32 failed; /* lock_vma_under_rcu returned NULL */
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MARKS); /* 1 unless track_start, set before load */
	__type(key, __u32);
	__type(value, struct start);
} starts SEC(".maps");

#endif
