/* SPDX-License-Identifier: GPL-2.0-only */
/* Maps and knobs. Knobs are constants to the verifier: what a session does not ask for is not in its programs. */
#ifndef VMALOCKTOP_MAPS_BPF_H
#define VMALOCKTOP_MAPS_BPF_H

/* --- knobs, written before load (.rodata) --- */
const volatile __u32 scope = VL_SCOPE_RETRY;
const volatile __u32 own_tgid = 0;     /* never observe ourselves; unused in a PID namespace, where `self` is */
const volatile __u32 in_pid_ns = 0;    /* 1: we run in a PID namespace of our own, not in the initial one */
const volatile __u32 ns_below = 0;     /* how many levels our namespace is below the one whose pids /proc shows */
const volatile __u32 filtered = 0;     /* 1: any of the filters below is on */
const volatile __u32 filter_tgid = 0;  /* 1: only processes in `tgids` */
const volatile __u32 filter_tid = 0;   /* 1: only threads in `tids` */
const volatile __u32 follow_forks = 0; /* 1: what a followed process forks is followed */
const volatile __u32 filter_comm = 0;  /* 1: only tasks whose comm is `comm_lo`,`comm_hi` */
const volatile __u64 comm_lo = 0;
const volatile __u64 comm_hi = 0;
const volatile __u32 track_start = 0;  /* 1: lock_vma_under_rcu is hooked and leaves the time of the lock */
const volatile __u64 min_ns = 0;       /* send faults under the VMA lock that took at least this long; 0: none */
const volatile __u32 observe_release = 0; /* 1: up_read is hooked (6.4 to 6.14) and a hold lasts until it was seen */
const volatile __u32 flor_takes_vmf = 1;  /* 0 on 6.4, 6.5: (folio, mm, flags) */
const volatile __u32 backed = 0;          /* 1: handle_mm_fault has a second program, for what the first one misses */
const volatile __u32 cpu_rows = 1;        /* CPUs of the host; the second program's rows follow theirs */
const volatile __u64 signal_flags = 0;    /* thread_info.flags that make signal_pending() true */
const volatile __u32 observe_mm = 0;      /* 1: the mmap_lock tracepoints are hooked */
const volatile __u32 mm_tp_path = 0;      /* 1: they take the cgroup's path as second argument (before 6.14) */
const volatile __u32 mm_fired = 0;        /* 1: the functions that fire those tracepoints are hooked as well */
const volatile __u64 writer_min_ns = 0;   /* send writers that waited at least this long, and those that meet a retry */
const volatile __u32 stack_kernel = 0;    /* 1: take kernel stacks */
const volatile __u32 stack_user = 0;      /* 1: take user stacks */
/* Where two functions lie, from kallsyms: a stack through them says in what a lock was tried, in what reclaim ran. */
const volatile __u64 anon_prepare_lo = 0, anon_prepare_hi = 0;
const volatile __u64 hmf_lo = 0, hmf_hi = 0;
const volatile __u64 filemap_map_pages = 0; /* the function's address */

/* Which process we are, found by on_self where the user side cannot know it. */
struct {
	__u64 pid_ns; /* struct pid_namespace: the one whose pids the user sees, an address to compare */
	__u32 level;  /* its depth: the initial one has 0 */
	__u32 tgid;   /* ours in the initial one */
} self;

/* --- written by the user side while it runs (.data) --- */

/*
 * A session is what happens while this is DURING. It becomes so once every program is attached and ceases to be so
 * before the first one is detached, at one instant for all of them. What a run of a program counts and what it sends
 * hang on one and the same read: a run that has begun is whole, so that what is counted is followed.
 */
enum phase { BEFORE = 0, DURING = 1, AFTER = 2 };
volatile __u32 observing = BEFORE;  /* enum phase: every program reads it once, first */
volatile __u64 ends_at = 0;         /* CLOCK_MONOTONIC, ns: the session lasts no longer; 0: that is not known yet */
volatile __u32 follow_children = 0; /* 1: a process forked by own_tgid now is followed */
volatile __u32 scope_cut = 0;       /* steps the scope is narrower by now than it was loaded with: takes no privilege */

/* Whoever reads the clock ends a session whose time is up: in a storm the user side may get no processor for seconds. */
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

/* An upper bound of the open records of the tasks with one and the same pid modulo MARKS. Zero says: this task has
 * none, without a look into task storage; that is what keeps an ordinary fault cheap. Shared by collision: then a
 * task merely looks in vain. */
#define MARKS 65536
__u32 marks[MARKS];

/* VL_C_VMA_OK of the first CPUs, a cache line each: what an ordinary fault counts in, without a map lookup. The user
 * side adds it to the rows'. */
#define QUICK_CPUS 1024
struct quick {
	__u64 vma_ok;
	__u64 busy; /* the first program on handle_mm_fault is under way on this CPU */
	__u64 pad[6];
} quick[QUICK_CPUS] __attribute__((aligned(64)));

/* Which task's fault the second program has taken, by pid: for the first one, should it come to the same fault after all. */
__u32 covered[MARKS];

/* Faults that returned RETRY before the session began, by pid (retried_before): their fallback is no abort. */
#define BEGUN 4096
__u64 begun[BEGUN];

/* Faults between the release of their VMA lock and their fallback, by mm: its writers are worth sending meanwhile.
 * Shared by collision: then a few writers more are sent. */
#define WINDOWS 4096
__u32 windows[WINDOWS];

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 << 20);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* CPUs of the host, twice with `backed`; set before load */
	__type(key, __u32);
	__type(value, struct vl_cpu);
} cpus SEC(".maps");

/* Which processes and which threads are followed: a bit for every pid there can be, so that any number of them is. */
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
	__uint(max_entries, MARKS); /* 1 unless track_start, set before load */
	__type(key, __u32);
	__type(value, struct start);
} starts SEC(".maps");


/*
 * What is known of a task's current fault before it is known whether the fault is worth a record. Direct-mapped by
 * pid, so that taking note costs no task storage; what is overwritten by another task is counted and then unknown.
 */
#define NOTES 32768
enum note_bit {
	NOTE_FILE = 1,    /* in filemap_fault or shmem_fault */
	NOTE_TRYLOCK = 2, /* __vmf_anon_prepare failed to get mmap_lock */
	NOTE_RECLAIM = 4, /* reclaimed memory inside handle_mm_fault; a mark stands for it */
	NOTE_HUGETLB = 8, /* hugetlb_fault returned RETRY */
	NOTE_DEVICE_PRIVATE = 16, /* do_huge_pmd_device_private did */
};
struct note {
	__u32 pid;
	__u32 have; /* enum note_bit */
	__u64 vmf, vma, vma_start, vma_end, vm_flags, address;
	__u32 seq, mm_seq;
	__u32 flags;
	__u32 file; /* enum vl_file */
	__u64 t_file, t_trylock, t_reclaim, t_reclaimed;
	__u32 reclaim; /* enum vl_wait */
	__u32 mm_seq_known; /* at t_trylock */
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NOTES);
	__type(key, __u32);
	__type(value, struct note);
} notes SEC(".maps");

/* What a task asks of mmap_lock and of VMAs as a writer; the same way. */
struct held {
	__u64 mm;
	__u64 ts;
};
struct ask {
	__u32 pid;
	__u32 holder;      /* tid */
	__u64 ts;          /* asked for mmap_lock; 0: not waiting */
	__u64 t_vma;       /* entered __vma_start_write */
	struct held held[2]; /* write locks that were sent: fork holds two */
	__u16 holder_prio;
	__u8 holder_kind;  /* enum vl_holder */
	__u8 told;         /* enum mm_event: taken already, by the program on the function that fires the tracepoint */
	__u8 pad[4];
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NOTES);
	__type(key, __u32);
	__type(value, struct ask);
} asks SEC(".maps");

/* The latest writers of an mm, by the lock sequence each ran under: what names the one that write-locked a VMA. */
#define LATEST 4
struct mm_writer {
	__u32 seq, tid, syscall, pad;
};
struct mm_writers {
	__u32 n;
	__u32 pad;
	struct mm_writer latest[LATEST];
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64);
	__type(value, struct mm_writers);
} writers SEC(".maps");

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
	__uint(max_entries, 32);
	__type(key, __u32);
	__type(value, struct swap_device);
} swap_devices SEC(".maps");

#endif
