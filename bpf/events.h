/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the kernel side sends to the user side: the only definition of it.
 * clang writes these types into the object's BTF; src/schema/events.gen.ts is generated from there
 * and the loader compares the two before it loads anything.
 * Fixed widths, explicit padding, no pointers. Times are CLOCK_MONOTONIC nanoseconds.
 */
#ifndef VMALOCKTOP_EVENTS_H
#define VMALOCKTOP_EVENTS_H

/* One step of one fault: the hook that fired and what it said. `a` and `b` are named per kind. */
enum vl_kind {
	VL_NONE = 0,
	VL_VMA_LOCK = 1,       /* lock_vma_under_rcu returned; a: 1 locked, 0 NULL */
	VL_HMF_EXIT = 2,       /* handle_mm_fault returned; a: fault flags, b: vm_fault_t */
	VL_SWAP_ENTER = 3,     /* do_swap_page entered; a: vmf->flags */
	VL_SWAP_EXIT = 4,      /* do_swap_page returned; b: vm_fault_t */
	VL_SWAP_DEVICE = 5,    /* first get_swap_device inside do_swap_page; a: si->type or ~0 for NULL, b: si->flags */
	VL_FLOR_ENTER = 6,     /* __folio_lock_or_retry entered; a: vmf->flags */
	VL_FLOR_SLEEP = 7,     /* first io_schedule inside __folio_lock_or_retry: the fault lock is gone by now */
	VL_FLOR_EXIT = 8,      /* __folio_lock_or_retry returned; b: vm_fault_t */
	VL_UFFD_ENTER = 9,     /* handle_userfault entered; a: vmf->flags, b: reason (VM_UFFD_*) */
	VL_UFFD_EXIT = 10,     /* handle_userfault returned; b: vm_fault_t */
	VL_ANON_PREPARE = 11,  /* __vmf_anon_prepare returned RETRY; b: vm_fault_t */
	VL_MM_LOCK_ENTER = 12, /* lock_mm_and_find_vma entered; a: 1 when the fault came from user mode */
	VL_MM_LOCK_EXIT = 13,  /* lock_mm_and_find_vma returned; a: 1 locked and found, 0 NULL */
	VL_VMA_RELEASE = 14,   /* VMA lock released, seen exactly (up_read or vma_end_read); a: 1 up_read, 2 vma_end_read */
	VL_SIGNAL = 15,        /* a signal was delivered with the record still open; a: signal number */
	VL_TASK_EXIT = 16,     /* the task ended with the record still open */
	VL_ABANDONED = 17,     /* a newer fault began with the record still open; a: kind of the step that began it */
	VL_NKIND = 18,
};

/* Bits of vl_step.flags */
enum vl_step_flag {
	VL_F_INFO = 1,     /* a struct vl_open: the first step of its lifecycle, with who and where */
	VL_F_REGS = 2,     /* HMF_EXIT: regs != NULL (an exception, not get_user_pages and its like) */
	VL_F_SIGPENDING = 4, /* HMF_EXIT: TIF_SIGPENDING was set (a hint: read without synchronisation) */
};

/* Every record. A lifecycle is named by (fault_cpu, fault): the CPU that opened it and that CPU's running number. */
struct vl_step {
	__u8 kind;       /* enum vl_kind */
	__u8 flags;      /* enum vl_step_flag */
	__u16 cpu;       /* where the hook ran */
	__u32 tid;       /* task->pid */
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

_Static_assert(sizeof(struct vl_step) == 32, "wire size");
_Static_assert(sizeof(struct vl_open) == 120, "wire size");

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
	VL_C_STATE_LOST = 21,   /* no per-task record to be had: a lifecycle that could not be opened */
	VL_C_NESTED_LOST = 22,  /* faults nested deeper than the record stack */
	VL_C_KTHREAD = 23,      /* do_swap_page by a kernel thread (khugepaged …): counted, never a lifecycle */
	VL_C_OPENED = 24,       /* lifecycles opened as a record (and sent, as far as the ring had room) */
	VL_C_QUIET = 25,        /* records kept for counting only, outside the scope */
	VL_C_WHOLE = 26,        /* lifecycles of one step, sent without a record: ordinary faults in scope all */
	VL_NCOUNTER = 27,
};

/* log2 histograms: bucket i counts durations d with 2^i <= d < 2^(i+1) ns; bucket 0 holds 0 and 1 */
enum vl_hist {
	VL_H_FOLIO_WAIT = 0, /* __folio_lock_or_retry, entry to return */
	VL_H_MMAP_LOCK = 1,  /* lock_mm_and_find_vma, entry to return, of lifecycles */
	VL_H_SWAP = 2,       /* do_swap_page, entry to return */
	VL_H_UFFD = 3,       /* handle_userfault, entry to return */
	VL_NHIST = 4,
};

struct vl_cpu {
	__u64 counter[32];  /* by enum vl_counter */
	__u64 emitted[32];  /* records meant for the ring, by enum vl_kind */
	__u64 dropped[32];  /* of those, no room in the ring */
	__u64 hist[4][64];  /* by enum vl_hist */
	__u64 next_fault;   /* running number of lifecycles opened here */
	__u64 pad[7];
};

_Static_assert(sizeof(struct vl_cpu) % 64 == 0, "rows of two CPUs never share a cache line");
_Static_assert(VL_NCOUNTER <= 32 && VL_NKIND <= 32 && VL_NHIST <= 4, "room in vl_cpu");

enum vl_scope {
	VL_SCOPE_SWAP = 0,  /* faults that enter do_swap_page */
	VL_SCOPE_RETRY = 1, /* and every RETRY and every ABORT */
	VL_SCOPE_ALL = 2,   /* and every other fault */
};

#endif
