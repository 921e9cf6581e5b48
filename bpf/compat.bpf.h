/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel types and fields the probes touch, and nothing else. CO-RE moves each access to where the running
 * kernel keeps the field, so the build needs no kernel headers and no BTF of the build host.
 * A `___suffix` names a flavour: the same kernel type as another generation declares it.
 */
#ifndef VMALOCKTOP_COMPAT_BPF_H
#define VMALOCKTOP_COMPAT_BPF_H

#include "types.bpf.h"

/* UAPI numbers of include/uapi/linux/bpf.h: part of the ABI, so they may be written down. */
enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_STACK_TRACE = 7,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_RINGBUF = 27,
	BPF_MAP_TYPE_TASK_STORAGE = 29,
};
enum { BPF_ANY = 0 };
enum { BPF_F_USER_STACK = 1 << 8 };
enum { BPF_F_NO_PREALLOC = 1, BPF_F_MMAPABLE = 1 << 10 };
enum { BPF_LOCAL_STORAGE_GET_F_CREATE = 1 };
enum { BPF_RB_NO_WAKEUP = 1 };

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#define __core __attribute__((preserve_access_index))

typedef struct {
	long counter;
} atomic64_t;
typedef atomic64_t atomic_long_t;

/* kernel/locking/rwsem.c: bit 0 of count is a writer, readers from bit 8 on; bit 0 of owner says a reader set it. */
struct rw_semaphore {
	atomic_long_t count;
	atomic_long_t owner;
} __core;
/* PREEMPT_RT has another inside: include/linux/rwbase_rt.h. `readers` is READER_BIAS plus the readers, WRITER_BIAS
 * while a writer has the lock, the readers alone while a writer waits for them to go. */
struct rt_mutex_base {
	struct task_struct *owner;
} __core;
struct rwbase_rt {
	struct {
		int counter;
	} readers;
	struct rt_mutex_base rtmutex;
} __core;
struct rw_semaphore___rt {
	struct rwbase_rt rwbase;
} __core;
#define RT_READER_BIAS (1u << 31)
#define RT_WRITER_BIAS (1u << 30)
#define RT_MUTEX_HAS_WAITERS 1ull
#define RWSEM_WRITER_LOCKED 1ull
#define RWSEM_READ_FAILED (1ull << 63 | 7ull) /* RWSEM_READ_FAILED_MASK: a writer, waiters, a handoff, too many readers */
#define RWSEM_READERS(count) ((__u64)(count) << 1 >> 9)
#define RWSEM_OWNER_READER 1ull
#define RWSEM_OWNER_FLAGS 7ull

struct task_struct;
struct mm_struct {
	struct rw_semaphore mmap_lock;
	int map_count;
	unsigned long start_brk;
	unsigned long brk;
	unsigned long start_stack;
	struct task_struct *owner; /* CONFIG_MEMCG */
} __core;
/* The number of write locks of mmap_lock, twice over (odd: held); a plain count of unlocks before 6.13 and its stable backports. */
struct seqcount {
	unsigned int sequence;
} __core;
typedef struct seqcount seqcount_t;
struct mm_struct___seqcount {
	seqcount_t mm_lock_seq;
} __core;
struct mm_struct___int {
	int mm_lock_seq;
} __core;

/* A task's pids, one of each PID namespace it is in: numbers[level] is that of its own, numbers[0] the initial one's. */
struct upid {
	int nr;
	__u64 ns; /* struct pid_namespace: compared, never followed */
};
struct pid {
	unsigned int level;
	struct upid numbers[];
} __core;
#define PID_MAX_LIMIT (1u << 22) /* include/linux/threads.h: no pid reaches it */

/* A cgroup and those above it, by level. The id is the inode number of its directory. */
struct kernfs_node {
	__u64 id;
} __core;
struct cgroup {
	int level;
	struct kernfs_node *kn;
	struct cgroup *ancestors[];
} __core;
struct css_set {
	struct cgroup *dfl_cgrp; /* in the hierarchy of version 2 */
} __core;

struct files_struct;
struct signal_struct {
	int nr_threads;
} __core;
struct task_struct {
	unsigned int flags;
	int pid;
	int tgid;
	int prio;
	unsigned long nvcsw;
	struct mm_struct *mm;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	struct files_struct *files;
	struct signal_struct *signal;
	struct css_set *cgroups;
	char comm[16];
} __core;

struct thread_info {
	unsigned long flags;
} __core;
struct task_struct___ti {
	struct thread_info thread_info; /* CONFIG_THREAD_INFO_IN_TASK */
} __core;

struct vm_operations_struct {
	void *fault;
	void *map_pages;
} __core;
struct file;
struct anon_vma;
struct vm_area_struct {
	unsigned long vm_start;
	unsigned long vm_end;
	struct mm_struct *vm_mm;
	unsigned long vm_flags;
	struct anon_vma *anon_vma;
	const struct vm_operations_struct *vm_ops;
	struct file *vm_file;
} __core;
struct anon_vma_name {
	char name[1];
} __core;
struct vm_area_struct___named {
	struct anon_vma_name *anon_name; /* CONFIG_ANON_VMA_NAME */
} __core;
/* The writer's mark on a VMA: mm_lock_seq as it was when it was write-locked. Absent without per-VMA locks. */
struct vm_area_struct___seq {
	unsigned int vm_lock_seq;
} __core;

/* 6.15 and later: the VMA lock is a reference count. */
typedef struct {
	int counter;
} atomic_t;
typedef struct refcount_struct {
	atomic_t refs;
} refcount_t;
struct vm_area_struct___refcnt {
	refcount_t vm_refcnt;
} __core;

/* 6.4 to 6.14: the VMA lock is an rw_semaphore behind a pointer; `vm_lock` is also the address of its `lock`. */
struct vma_lock;
struct vm_area_struct___rwsem {
	struct vma_lock *vm_lock;
} __core;

typedef struct {
	unsigned long pte;
} pte_t;

/* Values by bpf_core_enum_value, never by number; the members below only give the names something to be. */
enum fault_flag { FAULT_FLAG_TRIED = 1 << 5, FAULT_FLAG_USER = 1 << 6, FAULT_FLAG_VMA_LOCK = 1 << 12, FAULT_FLAG_ORIG_PTE_VALID = 1 << 11 };
enum vm_fault_reason {
	VM_FAULT_OOM = 1,
	VM_FAULT_SIGBUS = 2,
	VM_FAULT_MAJOR = 4,
	VM_FAULT_HWPOISON = 0x10,
	VM_FAULT_HWPOISON_LARGE = 0x20,
	VM_FAULT_SIGSEGV = 0x40,
	VM_FAULT_RETRY = 0x400,
	VM_FAULT_FALLBACK = 0x800,
	VM_FAULT_COMPLETED = 0x4000,
};
typedef unsigned int vm_fault_t;

struct vm_fault {
	struct vm_area_struct *vma;
	unsigned long address;
	enum fault_flag flags;
	pte_t orig_pte;
} __core;

/* The flags word of a folio is that of its first page; wrapped in a struct of its own from 6.18 on. */
struct page {
	unsigned long flags;
} __core;
struct page___wrapped {
	struct {
		unsigned long f;
	} flags;
} __core;
enum pageflags { PG_writeback = 1, PG_uptodate = 3 };

enum madvise_lock_mode { MADVISE_VMA_READ_LOCK = 3 };
struct madvise_behavior {
	struct mm_struct *mm;
	enum madvise_lock_mode lock_mode;
} __core;

enum { SWP_SYNCHRONOUS_IO = 1 << 12 }; /* anonymous in the kernel (include/linux/swap.h), so no enum relocation */
struct queue_limits {
	unsigned int features;
} __core;
struct request_queue {
	struct queue_limits limits;
} __core;
#define BLK_FEAT_SYNCHRONOUS (1u << 6) /* include/linux/blkdev.h, a #define; 6.11 and later */
struct gendisk {
	char disk_name[32];
	struct request_queue *queue;
} __core;
struct block_device {
	struct gendisk *bd_disk;
} __core;
struct swap_info_struct {
	unsigned long flags;
	signed char type;
	struct block_device *bdev;
} __core;

#define VM_HUGETLB 0x00400000 /* include/linux/mm.h, a #define */
#define PF_KTHREAD 0x00200000  /* include/linux/sched.h, a #define: not in BTF */
#define PF_EXITING 0x00000004

#endif
