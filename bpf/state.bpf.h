/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The per-task record of a fault that is worth looking at, and the counters of a CPU.
 * Task storage holds a short stack of records: a kernel-mode fault can interrupt a user-mode fault of the same task.
 */
#ifndef VMALOCKTOP_STATE_BPF_H
#define VMALOCKTOP_STATE_BPF_H

#include "arch.bpf.h"
#include "cgroups.bpf.h"
#include "compat.bpf.h"
#include "counters.h"
#include "events.h"
#include "maps.bpf.h"
#include "pids.bpf.h"
#include "rodata.bpf.h"
#include "typed.bpf.h"

#define MAX_DEPTH 3
#define SLOTS 4 /* a power of two above MAX_DEPTH: the mask is what the verifier sees */
#define PAGE_OF(address) ((address) & PAGE_MASK)
#define MM_ID(mm) ((__u64)(mm) & ((1ull << 52) - 1)) /* exact in a double */
#define F(name) bpf_core_enum_value(enum fault_flag, FAULT_FLAG_##name)
#define R(name) bpf_core_enum_value(enum vm_fault_reason, VM_FAULT_##name)
#define R_RETRY (R(RETRY) | more_retry) /* and the further VM_FAULT_RETRY… bits that some kernels have beside it */
#define R_ERROR (R(OOM) | R(SIGBUS) | R(SIGSEGV) | R(HWPOISON) | R(HWPOISON_LARGE) | R(FALLBACK))

/* What the task is doing as far as this record knows. */
enum rec_state {
	IN_SWAP = 1,      /* between do_swap_page's entry and its return */
	DEVICE_SEEN = 2,  /* the first get_swap_device of this do_swap_page; read-ahead calls it again */
	IN_FLOR = 4,
	SLEPT = 8,        /* io_schedule seen in this __folio_lock_or_retry */
	IN_UFFD = 16,
	RETRIED = 32,     /* the last attempt returned RETRY: the fallback or a signal comes next */
	IN_MM_LOCK = 64,
	MM_LOCKED = 128,  /* lock_mm_and_find_vma succeeded: the next attempt is under mmap_lock */
	AWAIT_RELEASE = 256, /* finished but for the release of the VMA lock, which is hooked */
	AWAIT_MM = 512,   /* finished but for the release of mmap_lock */
	AWAIT_ANY = AWAIT_RELEASE | AWAIT_MM,
	IN_FILE = 1024,   /* between filemap_fault's or shmem_fault's entry and its return */
};

/* What the record keeps from the attempt under the VMA lock to its fallback. */
enum rec_have {
	HAVE_VMA = 1,       /* vma, seq and mm_seq were read under the VMA lock */
	HAVE_INNER = 2,     /* the function that returned RETRY was seen */
	HAVE_GROWN = 4,     /* lock_mm_and_find_vma took mmap_lock for write */
	HAVE_RETRIED = 8,   /* the attempt under the VMA lock returned RETRY: a verdict is due */
	HAVE_STACK = 16,    /* sent for this attempt */
	HAVE_BOUND = 32,    /* with HAVE_VMA: seq was not read; it was less than mm_seq, for the VMA was not write-locked */
};

struct rec {
	__u64 acquired, mm, address, vma_start, vma_end, vm_flags, pte, cgroup; /* in the order of struct vl_open */
	__u64 vmf;      /* the attempt's struct vm_fault: an address on this task's stack */
	__u64 vm_lock;  /* the VMA lock's rw_semaphore while held and observed, else 0 */
	__u64 t[VL_NHIST]; /* when what that histogram measures began */
	__u64 t_mm_had, t_swapin;
	__u64 vma;      /* the attempt's vm_area_struct: compared, never followed once its lock is gone */
	__u64 found;    /* the second pass's, under mmap_lock; 0: it is gone */
	__u64 number;   /* what turns a pointer into a number: NUMBER_OF */
	__u32 seq, mm_seq; /* vm_lock_seq and mm_lock_seq while the VMA lock was held */
	union {
		__u64 name; /* the second word of struct vl_step: which lifecycle, and which step of it */
		struct {
			__u32 fault;
			__u16 fault_cpu;
			__u16 step;
		};
	};
	__u32 state;
	__u8 user;   /* the fault came from user mode */
	__u8 quiet;  /* outside the scope: kept for the counters, not sent */
	__u8 depth;
	__u8 have;   /* enum rec_have */
	__u8 file;   /* enum vl_file */
	__u8 pad;
	__u16 window; /* index into retry_windows + 1 while this record counts there */
	__u32 bits;   /* enum vl_found, while it is found out */
};

struct task_state {
	struct rec rec[SLOTS];
	__u32 n;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_state);
} tasks SEC(".maps");

static __always_inline struct vl_cpu *row_of(__u32 cpu)
{
	return bpf_map_lookup_elem(&cpus, &cpu);
}

static __always_inline struct vl_cpu *this_row(void)
{
	return row_of(bpf_get_smp_processor_id());
}

/* Atomic, since on a preemptible kernel another program may run on this CPU between load and store. */
static __always_inline void count(enum vl_counter counter)
{
	struct vl_cpu *row = this_row();

	if (row)
		__sync_fetch_and_add(&row->counter[counter], 1);
}

static __always_inline __u32 log2_bucket(__u64 v)
{
	__u32 r = 0;

	if (v >> 32) { v >>= 32; r += 32; }
	if (v >> 16) { v >>= 16; r += 16; }
	if (v >> 8) { v >>= 8; r += 8; }
	if (v >> 4) { v >>= 4; r += 4; }
	if (v >> 2) { v >>= 2; r += 2; }
	return r + (v >> 1 & 1);
}

static __always_inline void measure(enum vl_hist hist, __u64 ns)
{
	struct vl_cpu *row = this_row();
	__u32 bucket = log2_bucket(ns) & 63;

	if (row)
		__sync_fetch_and_add(&row->hist[hist][bucket], 1);
}

/* A step that continues a lifecycle needs no other check. */
static __always_inline bool in_session(void)
{
	return observing == DURING;
}

/* Whether this task's fault belongs to the session: checked where a lifecycle begins or something is counted, once in each run. */
static __always_inline bool should_trace(struct task_struct *task)
{
	__u32 id;

	if (!in_session() || is_ourself(task))
		return false;
	if (!filtered)
		return true;
	if (filter_tgid) {
		id = my_tgid(task);
		if (!has_pid(PIDS_OF(tgids, id), id))
			return false;
	}
	if (filter_tid) {
		id = my_tid(task);
		if (!has_pid(PIDS_OF(tids, id), id))
			return false;
	}
	if (filter_cgroup && !in_followed_cgroup())
		return false;
	if (filter_comm) {
		__u64 comm[2] = {};

		bpf_probe_read_kernel(comm, sizeof comm, &task->comm);
		if (comm[0] != comm_lo || comm[1] != comm_hi)
			return false;
	}
	return true;
}

/*
 * A fault that had its RETRY before the session: at lock_mm_and_find_vma its fallback would look like an abort, so the
 * return of handle_mm_fault leaves a trace of it until then. If another task overwrites the trace, one abort too many is counted.
 */
static __always_inline __u64 *trace_of(struct task_struct *task)
{
	return &begun[(__u32)task->pid & (BEGUN - 1)];
}

/* Page number and pid; no pid has more than 22 bits. */
static __always_inline __u64 trace(struct task_struct *task, __u64 address)
{
	return address >> 12 << 22 ^ (__u32)task->pid;
}

/* Whether this fault of the task left a trace, which is gone then. */
static __always_inline bool retried_before(struct task_struct *task, __u64 address)
{
	__u64 *left = trace_of(task);

	if (*left != trace(task, address))
		return false;
	*left = 0;
	return true;
}

static __always_inline __u32 *hint_of(struct task_struct *task)
{
	return &open_hint[(__u32)task->pid & (HINTS - 1)];
}

/* The compiler may not form the address before the index is masked: it would on the path that returns NULL too. */
static __always_inline struct rec *slot(struct task_state *state, __u64 i)
{
	asm volatile("" : "+r"(i));
	return &state->rec[i & (SLOTS - 1)];
}

static __always_inline struct rec *top_of(struct task_state *state)
{
	__u32 n = state->n;

	if (n == 0 || n > MAX_DEPTH)
		return NULL;
	return slot(state, n - 1);
}

/* The innermost open record of this task, or NULL; one load where the task has none. */
static __always_inline struct rec *current_rec(struct task_struct *task, struct task_state **state_out)
{
	struct task_state *state;

	if (!*hint_of(task))
		return NULL;
	state = bpf_task_storage_get(&tasks, task, 0, 0);
	if (!state)
		return NULL;
	*state_out = state;
	return top_of(state);
}

#endif
