/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the kernel side sends to the user side: the only definition of it.
 * clang writes these types into the object's BTF; src/schema/events.gen.ts is generated from there
 * and the loader compares the two before it loads anything.
 * Fixed widths, explicit padding, no pointers. Times are CLOCK_MONOTONIC nanoseconds.
 */
#ifndef VMALOCKTOP_EVENTS_H
#define VMALOCKTOP_EVENTS_H

#include "types.bpf.h"

/* One step of one fault: the hook that fired and what it said. `a` and `b` are named per kind. */
enum vl_kind {
	VL_NONE = 0,
	VL_VMA_LOCK = 1,       /* lock_vma_under_rcu returned; a: 1 locked, 0 NULL */
	VL_HMF_EXIT = 2,       /* handle_mm_fault returned; a: fault flags, b: vm_fault_t */
	VL_SWAP_ENTER = 3,     /* do_swap_page entered; a: vmf->flags */
	VL_SWAP_EXIT = 4,      /* do_swap_page returned; b: vm_fault_t */
	VL_SWAP_DEVICE = 5,    /* first get_swap_device inside do_swap_page; a: si->type or ~0 for NULL, b: si->flags */
	VL_FLOR_ENTER = 6,     /* __folio_lock_or_retry entered; a: vmf->flags, b: which folio, 0 not known */
	VL_FLOR_SLEEP = 7,     /* first io_schedule inside __folio_lock_or_retry: the fault lock is gone by now */
	VL_FLOR_EXIT = 8,      /* __folio_lock_or_retry returned; b: vm_fault_t */
	VL_UFFD_ENTER = 9,     /* handle_userfault entered; a: vmf->flags, b: reason (VM_UFFD_*) */
	VL_UFFD_EXIT = 10,     /* handle_userfault returned; b: vm_fault_t */
	VL_ANON_PREPARE = 11,  /* __vmf_anon_prepare gave up: no anon_vma and mmap_lock busy; b: vm_fault_t, 0 when the
				* failed trylock inside it was seen and not its return */
	VL_MM_LOCK_ENTER = 12, /* lock_mm_and_find_vma entered; a: 1 when the fault came from user mode, b: enum vl_holder */
	VL_MM_LOCK_EXIT = 13,  /* lock_mm_and_find_vma returned; a: enum vl_found, 0 NULL; b: writers of the mm meanwhile */
	VL_VMA_RELEASE = 14,   /* VMA lock released, seen exactly (up_read or vma_end_read); a: 1 up_read, 2 vma_end_read */
	VL_SIGNAL = 15,        /* a signal was delivered with the record still open; a: signal number */
	VL_TASK_EXIT = 16,     /* the task ended with the record still open */
	VL_ABANDONED = 17,     /* a newer fault began with the record still open; a: kind of the step that began it */
	VL_FILE_ENTER = 18,    /* filemap_fault or shmem_fault entered; a: vmf->flags, b: enum vl_file */
	VL_FILE_SLEEP = 19,    /* first io_schedule inside it */
	VL_FILE_EXIT = 20,     /* it returned; a: enum vl_file, b: vm_fault_t */
	VL_WAIT_ENTER = 21,    /* something that may take long began inside the attempt; a: enum vl_wait */
	VL_WAIT_EXIT = 22,     /* it is over; a: enum vl_wait */
	VL_INNER_RETRY = 23,   /* a function whose entry is not hooked returned RETRY; a: enum vl_inner, b: vm_fault_t */
	VL_MM_CONTENDED = 24,  /* lock_mm_and_find_vma's trylock failed, the wait begins; a: tid of the holder, 0 not known,
				* b: enum vl_holder */
	VL_MM_RELEASED = 25,   /* mmap_lock given back by the fault (just before the up_read) */
	VL_VMA_OPS = 26,       /* at the fallback, under mmap_lock: vma->vm_ops->fault, a: high, b: low half */
	VL_MM_WRITER = 27,     /* at the fallback: who write-locked meanwhile; a: tid, b: its system call or ~0. VL_F_EXACT:
				* the one that write-locked this VMA, else the latest one of the mm */
	VL_STACK = 28,         /* where the step before came from; a: kernel stack id, b: user stack id, ~0 none */
	VL_MM_INSIDE = 29,     /* mmap_lock taken or tried inside an attempt under the VMA lock, other than by
				* __vmf_anon_prepare; a: 1 for write, b: 1 when it succeeded */

	/* Not steps of a fault: struct vl_writer each, `fault` and `step` 0. What a writer did to the locks of its mm. */
	VL_W_ACQUIRED = 30,    /* mmap_lock acquired for write; acquired: when it was asked for, a: system call or ~0, b: tid of
				* the holder it found, 0 none or not known; flags: VL_F_HOLDER_*; with priorities and stacks */
	VL_W_RELEASED = 31,    /* and given back, of a VL_W_ACQUIRED that was sent; acquired: when it was acquired, a: system call */
	VL_W_VMA = 32,         /* __vma_start_write returned: a VMA write-locked; vma_start, vma_end: that VMA, acquired: when
				* it was entered, a: system call or ~0, b: ns it waited for readers (saturating); flags: VL_F_EXACT
				* when readers were looked for, VL_F_HOLDER_READER when there were some, VL_L_KTHREAD */
	VL_ACCESS_ERROR = 33,  /* bad_area_access_error entered: what the VMA does not permit comes to no handle_mm_fault;
				* a: 1 under the VMA lock, 0 under mmap_lock */

	/* Not steps of a fault either, struct vl_writer each: mmap_lock, by the task that holds or asks for it, readers
	 * included. flags: enum vl_lock_flag; a: system call or ~0; with stacks and the file of /proc that is read. */
	VL_L_HELD = 34,        /* about to be given back, and others queue, or it was held for long; acquired: since when, 0 before
				* the session; b: process that owns the mm, 0 not known; of a fork's: fork_threads, fork_vmas, and where
				* __vma_start_write is hooked fork_locked and fork_wait */
	VL_L_WAITED = 35,      /* acquired, and it was not free when it was asked for; acquired: when that was, b: tid of the holder
				* then, 0 not known */
	/* A VMA lock, by a fault that is about to give it back, and a writer waits for it: vma_start, vma_end: that VMA;
	 * acquired: since when, 0 not known; a: ~0. From 6.15 on. */
	VL_L_VMA = 36,
	VL_NKIND = 37,
};

/* Bits of vl_step.flags in VL_L_*; bit 0 is VL_F_INFO. */
enum vl_lock_flag {
	VL_L_WRITE = 2,
	VL_L_FOREIGN = 4,  /* the mm is not that of the task */
	VL_L_KTHREAD = 8,
	VL_L_EXITING = 16, /* the task exits: exit_mmap */
	VL_L_FORK = 32,    /* HELD: the mm was copied */
	VL_L_FOUND_READER = 64,  /* WAITED: held for read when it was asked for */
	VL_L_FOUND_WRITER = 128, /* held for write then; neither: others queued, or the holder had just gone */
};

/* What lock_mm_and_find_vma found, under mmap_lock, against what the attempt under the VMA lock had. */
enum vl_found {
	VL_FOUND = 1,             /* a VMA, not NULL */
	VL_FOUND_SAME = 2,        /* it is the vm_area_struct of the attempt */
	VL_FOUND_COVERS = 4,      /* and its range covers the address */
	VL_FOUND_SEQ_KNOWN = 8,   /* the attempt's vm_lock_seq and mm_lock_seq were read under the VMA lock */
	VL_FOUND_SEQ_SAME = 16,   /* vm_lock_seq is what it was: nobody write-locked this VMA since */
	VL_FOUND_MM_KNOWN = 32,   /* `b`, the number of writers of the mm meanwhile, is known */
	VL_FOUND_GREW = 64,       /* mmap_lock was taken for write on the way: the stack grew */
	VL_FOUND_LATEST = 128,    /* the VMA was write-locked by the mm's latest writer */
	VL_FOUND_NO_MAP_PAGES = 256, /* vm_ops, but no map_pages: ->fault needs mmap_lock (vmf_can_call_fault) */
	VL_FOUND_ANON = 512,      /* no vm_ops: anonymous */
	VL_FOUND_NO_ANON_VMA = 1024,
	VL_FOUND_HUGETLB = 2048,  /* VM_HUGETLB */
};

/* Who held mmap_lock when it was asked for, by its rw_semaphore's owner word. */
enum vl_holder {
	VL_HOLDER_NONE = 0,
	VL_HOLDER_READER = 1, /* the reader that came last: others may hold it too, and this one may be gone */
	VL_HOLDER_WRITER = 2,
};

enum vl_file {
	VL_FILE_FILEMAP = 1,
	VL_FILE_SHMEM = 2,
	VL_FILE_READ = 4,      /* filemap_read_folio was called: the folio was not up to date */
	VL_FILE_READAHEAD = 8, /* page_cache_async_ra was called */
	VL_FILE_PUNCH = 16,    /* shmem: inode->i_private was set on entry: a hole is being punched */
};

/* What may take long inside an attempt. */
enum vl_wait {
	VL_WAIT_SYNC_READ = 1,  /* synchronous read of a swap slot (swap_read_folio_bdev_sync, swapin_sync) */
	VL_WAIT_MIGRATION = 2,  /* migration_entry_wait */
	VL_WAIT_RECLAIM = 3,    /* direct reclaim */
	VL_WAIT_MEMCG = 4,      /* reclaim for a memory cgroup's limit */
	VL_WAIT_READ = 5,       /* filemap_read_folio */
	VL_WAIT_SWAPIN = 6,     /* swapin_readahead: allocation and submission of the read; sent when it took 100 us or more */
};

enum vl_inner {
	VL_INNER_HUGETLB = 1,        /* hugetlb_fault */
	VL_INNER_DEVICE_PRIVATE = 2, /* do_huge_pmd_device_private */
};

/* Bits of vl_step.flags */
enum vl_step_flag {
	VL_F_INFO = 1,     /* with who and where: a struct vl_open, the first step of its lifecycle; or a struct vl_writer */
	VL_F_REGS = 2,     /* HMF_EXIT: regs != NULL (an exception, not get_user_pages and its like) */
	VL_F_SIGPENDING = 4, /* HMF_EXIT: TIF_SIGPENDING was set (a hint: read without synchronisation) */
	VL_F_FOLIO = 8,      /* FLOR_ENTER: the folio's flags were read: the two below hold */
	VL_F_UPTODATE = 16,  /* FLOR_ENTER: PG_uptodate: no read is awaited */
	VL_F_WRITEBACK = 32, /* FLOR_ENTER: PG_writeback */
	VL_F_EXACT = 64,     /* MM_WRITER: by vm_lock_seq; W_VMA: by vm_refcnt */
	VL_F_HOLDER_READER = 16, /* W_ACQUIRED, W_VMA: held for read when it was asked for */
	VL_F_HOLDER_WRITER = 32, /* W_ACQUIRED: held for write then */
	VL_F_INVERTED = 64,  /* W_ACQUIRED: the holder's priority was lower than that of the writer waiting for it */
};

/* Every record. A lifecycle is named by (fault_cpu, fault): the CPU that opened it and that CPU's running number. */
struct vl_step {
	__u8 kind;       /* enum vl_kind */
	__u8 flags;      /* enum vl_step_flag */
	__u16 cpu;       /* where the hook ran */
	__u32 tid;       /* as the user's PID namespace shows it */
	__u32 fault;     /* running number of the lifecycle on fault_cpu */
	__u16 fault_cpu;
	__u16 step;      /* 0, 1, 2 … within the lifecycle, counted whether or not the record could be sent */
	__u64 ts;
	__u32 a;
	__u32 b;
};

/* The first step of a lifecycle carries who and where as well. */
struct vl_open {
	struct vl_step step;
	__u64 acquired;  /* time lock_vma_under_rcu returned the VMA, 0 unless that hook is attached */
	__u64 mm;        /* identity of the mm: the pointer's low 52 bits */
	__u64 address;   /* faulting address, page-aligned */
	__u64 vma_start;
	__u64 vma_end;
	__u64 vm_flags;
	__u64 pte;       /* vmf->orig_pte where do_swap_page opened the record, else 0 */
	__u64 cgroup;    /* cgroup v2 id */
	__u32 tgid;
	__u8 depth;      /* 0, or how many open records of this task it interrupted */
	__u8 pad[3];
	char comm[16];
};

/* What a task does to the locks of an mm, not as a fault: VL_W_* and VL_L_*. A field that the kind does not name is 0. */
struct vl_writer {
	struct vl_step step;
	__u64 acquired;      /* by kind */
	__u64 mm;            /* as in struct vl_open */
	__u64 vma_start;     /* W_VMA, L_VMA */
	__u64 vma_end;
	__u64 cgroup;
	__u64 fork_wait;     /* L_HELD of a fork: ns spent in __vma_start_write, where that is hooked */
	__u32 tgid;
	__u32 kernel_stack;  /* stack ids, ~0 none */
	__u32 user_stack;
	__u32 fork_threads;  /* L_HELD of a fork: threads of the process */
	__u32 fork_vmas;     /* and VMAs of the mm */
	__u32 fork_locked;   /* and VMAs write-locked meanwhile, where __vma_start_write is hooked */
	__u16 prio;          /* W_ACQUIRED: task->prio of the writer, a signed number: lower goes first, -1 is SCHED_DEADLINE */
	__u16 holder_prio;   /* and of the holder it found; 0 where `b` is 0 */
	char file[8];        /* L_HELD, L_WAITED: the file of /proc that the system call reads, the first 7 bytes of its name; "" none */
	char comm[16];
	__u8 pad[4];
};

_Static_assert(sizeof(struct vl_step) == 32, "wire size");
_Static_assert(sizeof(struct vl_open) == 120, "wire size");
_Static_assert(sizeof(struct vl_writer) == 136, "wire size");

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
	VL_NCOUNTER = 64,
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
	__u64 counter[64];  /* by enum vl_counter */
	__u64 emitted[64];  /* records meant for the ring, by enum vl_kind */
	__u64 dropped[64];  /* of those, no room in the ring */
	__u64 hist[4][64];  /* by enum vl_hist */
	__u64 next_fault;   /* running number of lifecycles opened here */
	__u64 pad[7];
};

_Static_assert(sizeof(struct vl_cpu) % 64 == 0, "rows of two CPUs never share a cache line");
_Static_assert(VL_NCOUNTER <= 64 && VL_NKIND <= 64 && VL_NHIST <= 4, "room in vl_cpu");

enum vl_scope {
	VL_SCOPE_SWAP = 0,  /* faults that enter do_swap_page */
	VL_SCOPE_RETRY = 1, /* and every RETRY and every ABORT */
	VL_SCOPE_ALL = 2,   /* and every other fault */
};

#endif
