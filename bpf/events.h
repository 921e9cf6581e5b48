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

/* One step of one fault: the hook that fired. What it said, `a` and `b`, is in `union vl_args` (args.h), by kind. */
enum vl_kind {
	VL_NONE = 0,
	VL_VMA_LOCK = 1,       /* lock_vma_under_rcu returned */
	VL_HMF_EXIT = 2,       /* handle_mm_fault returned */
	VL_SWAP_ENTER = 3,     /* do_swap_page entered */
	VL_SWAP_EXIT = 4,      /* do_swap_page returned */
	VL_SWAP_DEVICE = 5,    /* first get_swap_device inside do_swap_page */
	VL_FLOR_ENTER = 6,     /* __folio_lock_or_retry entered */
	VL_FLOR_SLEEP = 7,     /* first io_schedule inside __folio_lock_or_retry: the fault lock is gone by now */
	VL_FLOR_EXIT = 8,      /* __folio_lock_or_retry returned */
	VL_UFFD_ENTER = 9,     /* handle_userfault entered */
	VL_UFFD_EXIT = 10,     /* handle_userfault returned */
	VL_ANON_PREPARE = 11,  /* __vmf_anon_prepare gave up: no anon_vma and mmap_lock busy */
	VL_MM_LOCK_ENTER = 12, /* lock_mm_and_find_vma entered */
	VL_MM_LOCK_EXIT = 13,  /* lock_mm_and_find_vma returned */
	VL_VMA_RELEASE = 14,   /* VMA lock released, seen exactly (up_read or vma_end_read) */
	VL_SIGNAL = 15,        /* a signal was delivered with the record still open */
	VL_TASK_EXIT = 16,     /* the task ended with the record still open */
	VL_ABANDONED = 17,     /* a newer fault began with the record still open */
	VL_FILE_ENTER = 18,    /* filemap_fault or shmem_fault entered */
	VL_FILE_SLEEP = 19,    /* first io_schedule inside it */
	VL_FILE_EXIT = 20,     /* it returned */
	VL_WAIT_ENTER = 21,    /* something that may take long began inside the attempt */
	VL_WAIT_EXIT = 22,     /* it is over */
	VL_INNER_RETRY = 23,   /* a function whose entry is not hooked returned RETRY */
	VL_MM_CONTENDED = 24,  /* lock_mm_and_find_vma's trylock failed, the wait begins */
	VL_MM_RELEASED = 25,   /* mmap_lock given back by the fault (just before the up_read) */
	VL_VMA_OPS = 26,       /* at the fallback, under mmap_lock: vma->vm_ops->fault */
	VL_MM_WRITER = 27,     /* at the fallback: who write-locked meanwhile. VL_F_EXACT: the one that write-locked this VMA,
				* else the latest one of the mm */
	VL_STACK = 28,         /* where the step before came from */
	VL_MM_INSIDE = 29,     /* mmap_lock taken or tried inside an attempt under the VMA lock, other than by
				* __vmf_anon_prepare */

	/* Not steps of a fault: struct vl_writer each, `fault` and `step` 0. What a writer did to the locks of its mm. */
	VL_W_ACQUIRED = 30,    /* mmap_lock acquired for write; acquired: when it was asked for; flags: VL_F_HOLDER_*; with
				* priorities and stacks; vma_start, vma_end: what the system call names of the task's own
				* mm (munmap, mprotect, madvise and their like), 0 where it names none */
	VL_W_RELEASED = 31,    /* and given back, of a VL_W_ACQUIRED that was sent; acquired: when it was acquired */
	VL_W_VMA = 32,         /* __vma_start_write returned: a VMA write-locked; vma_start, vma_end: that VMA, acquired: when
				* it was entered; flags: VL_F_EXACT when readers were looked for, VL_F_HOLDER_READER when there
				* were some, VL_L_KTHREAD */
	VL_ACCESS_ERROR = 33,  /* bad_area_access_error entered: what the VMA does not permit comes to no handle_mm_fault */

	/* Not steps of a fault either, struct vl_writer each: mmap_lock, by the task that holds or asks for it, readers
	 * included. flags: enum vl_lock_flag; with stacks and the file of /proc that is read. */
	VL_L_HELD = 34,        /* about to be given back, and others queue, or it was held for long; acquired: since when, 0 before
				* the session; of a fork's: fork_threads, fork_vmas, and where __vma_start_write is hooked
				* fork_locked and fork_wait */
	VL_L_WAITED = 35,      /* acquired, and it was not free when it was asked for; acquired: when that was */
	/* A VMA lock, by a fault that is about to give it back, and a writer waits for it: vma_start, vma_end: that VMA;
	 * acquired: since when, 0 not known. From 6.15 on. */
	VL_L_VMA = 36,
	VL_L_COPIED = 37,      /* a fork, which has write-locked this VMA until it has copied the whole mm: vma_start, vma_end.
				* Where a fault waits for I/O; up to 6.14 */
	VL_NKIND = 38,
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
	VL_F_SAMPLED = 128,  /* SWAP_ENTER: followed for a sample of the ordinary ones */
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
	__u64 vma_start;     /* W_VMA, L_VMA, L_COPIED; W_ACQUIRED: of the system call's range */
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

/*
 * What the kernel side tells that is no event: neither counted as emitted nor as dropped. What finds no room in the ring is
 * sent at the next occasion. The number is that of the row the user side makes of it (src/core/events/user-rows.ts).
 */
enum vl_note {
	VL_NOTE_VMA = 139, /* struct vl_vma: what a VMA maps */
};

/* What a VMA maps, as /proc/PID/maps says it. */
enum vl_mapping {
	VL_MAPPING_ANON = 1,   /* no file; a name, if it has one, is that of PR_SET_VMA_ANON_NAME */
	VL_MAPPING_HEAP = 2,   /* brk(2) */
	VL_MAPPING_STACK = 3,  /* the main thread's */
	VL_MAPPING_FILE = 4,   /* also memfd, System V and shared anonymous memory: files without a directory */
	VL_MAPPING_KIND = 7,
	/* Bits beside it. */
	VL_MAPPING_DELETED = 8, /* the file has no link left */
	VL_MAPPING_CUT = 16,    /* its path is longer than `name`: what is nearer to the root is missing */
};

#define VL_PATH 384      /* of a path; a longer one is cut */
#define VL_COMPONENT 128 /* of one name in it */

/* A VMA by which a fault that was followed came, once while it stays as it is. */
struct vl_vma {
	struct vl_step step; /* kind: VL_NOTE_VMA; a: enum vl_mapping; b: s_dev of the file's super_block */
	__u64 mm;            /* as in struct vl_open */
	__u64 vma_start;
	__u64 vma_end;
	__u64 inode;
	__u32 tgid;
	__u32 length;        /* bytes in use of `name` */
	char name[VL_PATH + VL_COMPONENT]; /* names from the file up to the root, a zero behind each */
};

_Static_assert(sizeof(struct vl_step) == 32, "wire size");
_Static_assert(sizeof(struct vl_open) == 120, "wire size");
_Static_assert(sizeof(struct vl_writer) == 136, "wire size");
_Static_assert(sizeof(struct vl_vma) == 584, "wire size");

enum vl_scope {
	VL_SCOPE_SWAP = 0,  /* faults that enter do_swap_page */
	VL_SCOPE_RETRY = 1, /* every RETRY, ABORT, error and wait; of ordinary swap faults a count */
	VL_SCOPE_ALL = 2,   /* every fault */
};

#endif
