/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Constants the user side writes before load (.rodata). The verifier knows their values: what a session does not ask for is
 * not in its programs.
 */
#ifndef VMALOCKTOP_RODATA_BPF_H
#define VMALOCKTOP_RODATA_BPF_H

#include "events.h"
#include "types.bpf.h"

const volatile __u32 scope = VL_SCOPE_RETRY;
const volatile __u64 page_size = 4096; /* PAGE_SIZE of the kernel */
const volatile __u32 more_retry = 0;   /* further bits of vm_fault_reason whose names begin with VM_FAULT_RETRY */
const volatile __u32 own_tgid = 0;     /* never observe ourselves; unused in a PID namespace, where `self` is */
const volatile __u32 in_pid_ns = 0;    /* 1: we run in a PID namespace of our own, not in the initial one */
const volatile __u32 ns_below = 0;     /* how many levels our namespace is below the one whose pids /proc shows */
const volatile __u32 filtered = 0;     /* 1: any of the filters below is on */
const volatile __u32 filter_tgid = 0;  /* 1: only processes in `tgids` */
const volatile __u32 filter_tid = 0;   /* 1: only threads in `tids` */
const volatile __u32 follow_forks = 0; /* 1: what a followed process forks is followed */
const volatile __u32 filter_comm = 0;  /* 1: only tasks whose comm is `comm_lo`,`comm_hi` */
const volatile __u32 filter_cgroup = 0; /* how many of `followed_cgroups` there are: only tasks in one of them, or below */
const volatile __u64 comm_lo = 0;
const volatile __u64 comm_hi = 0;
const volatile __u32 track_start = 0;  /* 1: lock_vma_under_rcu is hooked and leaves the time of the lock */
const volatile __u64 min_ns = 0;       /* send faults under the VMA lock that took at least this long; 0: none */
const volatile __u32 observe_release = 0; /* 1: up_read is hooked (6.4 to 6.14) and a hold lasts until it was seen */
const volatile __u32 fmode_backing = 1u << 24; /* FMODE_BACKING, a #define of include/linux/fs.h: bit 25 in older kernels */
const volatile __u32 flor_takes_vmf = 1;  /* 0 on 6.4, 6.5: (folio, mm, flags) */
const volatile __u32 standby = 0;          /* 1: handle_mm_fault has a second program, for what the first one misses */
const volatile __u32 cpu_rows = 1;        /* CPUs of the host; the second program's rows follow theirs */
const volatile __u64 signal_flags = 0;    /* thread_info.flags that make signal_pending() true */
const volatile __u32 observe_mm = 0;      /* 1: the mmap_lock tracepoints are hooked */
const volatile __u32 mm_tp_path = 0;      /* 1: they take the cgroup's path as second argument (before 6.14) */
const volatile __u32 mm_queue = 0;        /* 1: the slow paths of rw_semaphore are hooked, and say who queues */
const volatile __u32 mm_fired = 0;        /* 1: the functions that fire those tracepoints are hooked as well */
const volatile __u64 writer_min_ns = 0;   /* send writers that waited at least this long, and those that meet a retry */
const volatile __u32 stack_kernel = 0;    /* 1: take kernel stacks */
const volatile __u32 stack_user = 0;      /* 1: take user stacks */
/* Where two functions lie, from kallsyms: a stack through them says in what a lock was tried, in what reclaim ran. */
const volatile __u64 anon_prepare_lo = 0, anon_prepare_hi = 0;
const volatile __u64 hmf_lo = 0, hmf_hi = 0;
const volatile __u64 filemap_map_pages = 0; /* the function's address */
const volatile __u32 sample_every = 0;    /* scope retry: one in so many ordinary swap faults is followed; a power of two, 0: none */
const volatile __u64 slow_ns = 1000000;   /* scope retry: a swap fault that took this long is followed */
const volatile __u64 hold_min_ns = 0;   /* send holds that lasted this long though nobody queued; 0: none */

#endif
