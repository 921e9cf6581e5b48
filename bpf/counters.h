/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the kernel side counts, whatever the ring loses: the only definition of it, as events.h is of what it sends. */
#ifndef VMALOCKTOP_COUNTERS_H
#define VMALOCKTOP_COUNTERS_H

#include "events.h"
#include "types.bpf.h"

/* Exact counters, one row per CPU, kept whether or not a lifecycle is sent. */
enum vl_counter {
	VL_C_VMA_OK = 0,        /* handle_mm_fault under the VMA lock: neither RETRY, COMPLETED nor an error */
	VL_C_VMA_RETRY = 1,
	VL_C_VMA_COMPLETED = 2,
	VL_C_VMA_ERROR = 3,
	VL_C_MMAP_OK = 4,       /* handle_mm_fault of a user-mode fault under mmap_lock */
	VL_C_MMAP_RETRY = 5,
	VL_C_MMAP_COMPLETED = 6,
	VL_C_MMAP_ERROR = 7,
	VL_C_KERNEL = 8,        /* handle_mm_fault of a kernel-mode fault, any result but RETRY */
	VL_C_KERNEL_RETRY = 9,
	VL_C_GUP = 10,          /* handle_mm_fault with regs == NULL: get_user_pages, futex, KVM, ksm */
	VL_C_ABORT = 11,        /* user-mode fault that came to lock_mm_and_find_vma without a VMA-lock attempt */
	VL_C_FALLBACK = 12,     /* user-mode fault that came to lock_mm_and_find_vma after a RETRY */
	VL_C_SWAP = 13,         /* do_swap_page calls */
	VL_C_SWAP_SYNC = 14,    /* of those, a device with SWP_SYNCHRONOUS_IO (swap attempts that reached get_swap_device) */
	VL_C_SWAP_ASYNC = 15,
	VL_C_SWAP_NODEV = 16,   /* get_swap_device returned NULL */
	VL_C_FLOR = 17,         /* __folio_lock_or_retry calls */
	VL_C_FLOR_RETRY = 18,
	VL_C_FLOR_LOCKED = 19,
	VL_C_UFFD = 20,         /* handle_userfault calls */
	VL_C_STATE_LOST = 21,   /* no room for a per-task record: a lifecycle that could not be opened */
	VL_C_NESTED_LOST = 22,  /* faults nested deeper than the record stack */
	VL_C_KTHREAD = 23,      /* do_swap_page by a kernel thread (khugepaged …): counted, never a lifecycle */
	VL_C_OPENED = 24,       /* lifecycles opened as a record (and sent, as far as the ring had room) */
	VL_C_QUIET = 25,        /* records kept for counting only, outside the scope */
	VL_C_WHOLE = 26,        /* lifecycles of one step, sent without a record: ordinary faults in scope all */
	VL_C_MM_READ = 27,      /* mmap_lock acquired for read, by every task in the session */
	VL_C_MM_WRITE = 28,     /* for write */
	VL_C_MM_READ_NS = 29,   /* from asking for it to acquiring it, summed */
	VL_C_MM_WRITE_NS = 30,
	VL_C_MM_TRY_FAILED = 31, /* trylocks for read that failed */
	VL_C_FILE = 32,         /* filemap_fault calls */
	VL_C_FILE_RETRY = 33,
	VL_C_SHMEM = 34,        /* shmem_fault calls */
	VL_C_SHMEM_RETRY = 35,
	VL_C_W_VMA = 36,        /* __vma_start_write calls: VMAs write-locked */
	VL_C_USER_UFFD = 37,    /* VMA locks taken, not by a fault: userfaultfd ioctls */
	VL_C_USER_PROCFS = 38,  /* readers of /proc/PID/maps and PROCMAP_QUERY */
	VL_C_USER_MADVISE = 39, /* madvise and process_madvise */
	VL_C_USER_DAMON = 40,   /* kernel threads: DAMON */
	VL_C_USER_OTHER = 41,   /* lock_vma_under_rcu of a task that no fault followed, userfaultfd and madvise included;
				 * found at the task's next lock, so the last one of a task is not counted */
	VL_C_PENDING_LOST = 42,    /* what was pending of a task, overwritten by another one's in the direct-mapped table */
	/* Time from asking for mmap_lock to acquiring it, by decade: under 1 us, under 10 us, … and longer than 1 s. */
	VL_C_MM_READ_1US = 43,
	VL_C_MM_READ_10US = 44,
	VL_C_MM_READ_100US = 45,
	VL_C_MM_READ_1MS = 46,
	VL_C_MM_READ_10MS = 47,
	VL_C_MM_READ_100MS = 48,
	VL_C_MM_READ_1S = 49,
	VL_C_MM_READ_LONGER = 50,
	VL_C_MM_WRITE_1US = 51,
	VL_C_MM_WRITE_10US = 52,
	VL_C_MM_WRITE_100US = 53,
	VL_C_MM_WRITE_1MS = 54,
	VL_C_MM_WRITE_10MS = 55,
	VL_C_MM_WRITE_100MS = 56,
	VL_C_MM_WRITE_1S = 57,
	VL_C_MM_WRITE_LONGER = 58,
	VL_C_STANDBY = 59,      /* returns of handle_mm_fault that its first program missed and its standby took */
	VL_C_ACCESS_ERROR = 60, /* access errors under the VMA lock: the kernel's vmstat counts them as successes */
	/* What /proc/vmstat counts of our own faults, which are observed in no other way. */
	VL_C_SELF_OK = 61,
	VL_C_SELF_RETRY = 62,
	VL_C_SELF_ABORT = 63,
	/* do_swap_page calls = followed + counted + lost + those that have not returned yet */
	VL_C_SWAP_FOLLOWED = 64, /* of a lifecycle that is sent */
	VL_C_SWAP_COUNTED = 65,  /* of none: ordinary ones in scope retry (struct vl_counted), and what is out of scope */
	VL_C_SWAP_LOST = 66,     /* there was no room for a record, or the return was missed, or what was pending was overwritten */
	VL_C_SWAP_SAMPLED = 67,  /* of the followed ones: for being one in so many */
	VL_NCOUNTER = 68,
};
#define VL_DECADES 8

/* log2 histograms: bucket i counts durations d with 2^i <= d < 2^(i+1) ns; bucket 0 holds 0 and 1 */
enum vl_hist {
	VL_H_FOLIO_WAIT = 0, /* __folio_lock_or_retry, entry to return */
	VL_H_MMAP_LOCK = 1,  /* lock_mm_and_find_vma, entry to return, of lifecycles */
	VL_H_SWAP = 2,       /* do_swap_page, entry to return */
	VL_H_UFFD = 3,       /* handle_userfault, entry to return */
	VL_NHIST = 4,
};

struct vl_cpu {
	__u64 counter[128]; /* by enum vl_counter */
	__u64 emitted[64];  /* records meant for the ring, by enum vl_kind */
	__u64 dropped[64];  /* of those, no room in the ring */
	__u64 hist[4][64];  /* by enum vl_hist */
	__u64 next_fault;   /* running number of lifecycles opened here */
	__u64 pad[7];
};

_Static_assert(sizeof(struct vl_cpu) % 64 == 0, "rows of two CPUs never share a cache line");
_Static_assert(VL_NCOUNTER <= 128 && VL_NKIND <= 64 && VL_NHIST <= 4, "room in vl_cpu");

/* Ordinary swap faults of a process in a cgroup on a device: returned without RETRY, error or a long wait, and not sent. */
struct vl_counted {
	__u64 key;     /* tgid << 32 | device + 1; 0: free */
	__u64 cgroup;  /* cgroup v2 id */
	__u64 faults;
	__u64 ns;      /* in do_swap_page, summed */
	char comm[16]; /* of the thread that came first */
	__u64 reads;   /* VM_FAULT_MAJOR */
	__u64 pad;
	__u32 hist[32]; /* log2 of ns, as enum vl_hist; the last bucket holds what is longer */
};
_Static_assert(sizeof(struct vl_counted) == 192, "three cache lines");

enum vl_counted_limit {
	VL_COUNTED_ROWS = 4096,     /* a power of two; a fault that finds no room there is followed */
	VL_COUNTED_NO_DEVICE = 32,  /* behind the indexes of swap_info[]: migration entries, markers */
	VL_COUNTED_BUCKETS = 32,
};

#endif
